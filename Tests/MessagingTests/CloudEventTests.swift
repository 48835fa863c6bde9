import FoundationEssentials
import Messaging
import Testing

@Suite struct CloudEventTests {
    private let event = CloudEvent(
        id: UUID(uuidString: "01936B2E-0000-7000-8000-0000000000AA")!, source: "content-center", type: "content.draft.created.v1",
        subject: "a \"quoted\" 标题", time: Date(timeIntervalSince1970: 1_800_000_000.5),
        tenantId: UUID(uuidString: "11111111-1111-4111-8111-111111111111")!,
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", correlationId: "request-0001",
        operationId: UUID(uuidString: "01936B2E-0000-7000-8000-0000000000BB")!, version: 7,
        data: Array(#"{"costNano":12345678901234567890,"title":"标题"}"#.utf8))

    @Test func returnsFromJSONAsItWas() throws {
        #expect(try CloudEvent(decoding: event.encoded()) == event)
    }

    @Test func writesTheAttributeNamesOfTheSpecification() {
        let text = String(decoding: event.encoded(), as: UTF8.self)
        #expect(
            text.hasPrefix(
                #"{"specversion":"1.0","id":"01936b2e-0000-7000-8000-0000000000aa","source":"content-center","#
                    + #""type":"content.draft.created.v1","#))
        #expect(text.contains(#""datacontenttype":"application/json","tenantid":"11111111-1111-4111-8111-111111111111""#))
        #expect(text.hasSuffix(#""version":7,"data":{"costNano":12345678901234567890,"title":"标题"}}"#))
    }

    @Test(arguments: [
        ("nonsense", ""), ("[]", "specversion"), (#"{"specversion":"0.3"}"#, "specversion"),
        (#"{"specversion":"1.0","time":"yesterday"}"#, "time"),
        (#"{"specversion":"1.0","time":"2026-11-20T10:00:00Z","version":1,"id":"7"}"#, "id"),
    ])
    func namesTheAttributeAtFault(text: String, attribute: String) {
        #expect {
            try CloudEvent(decoding: Array(text.utf8))
        } throws: { error in
            (error as? MalformedEvent)?.attribute == attribute
        }
    }
}
