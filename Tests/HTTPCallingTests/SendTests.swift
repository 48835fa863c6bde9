import ConcurrencySupport
import HTTPCalling
import HTTPCore
import Testing

@Suite struct SendTests {
    @Test func answersWithStatusHeadersAndBody() async throws {
        let server = ScriptedServer(answering: "HTTP/1.1 201 Created\r\nContent-Length: 5\r\nX-Two: a\r\nX-Two:  b \r\n\r\nhello")
        let client = HTTPClient()
        let answer = try await client.send(
            ClientRequest(
                .post, server.url + "/v1/things?x=%20", headers: ["Content-Type": "application/json"],
                body: .bytes(Array("{}".utf8))))
        #expect(answer.status == .created)
        #expect(answer.headers.values(of: "x-two") == ["a", "b"])
        #expect(answer.body == Array("hello".utf8))
        let request = try #require(server.connections.first?.requests.first)
        #expect(request.head.hasPrefix("POST /v1/things?x=%20 HTTP/1.1\r\n"))
        #expect(request.head.contains("Content-Type: application/json"))
        #expect(!request.head.contains("Expect"))
        #expect(request.body == Array("{}".utf8))
        await client.shutdown()
    }
}
