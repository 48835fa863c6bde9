import Foundation
import HTTPCore
import Testing

@Suite struct JSONCodingTests {
    struct Everything: Codable, Equatable {
        enum Kind: String, Codable { case titleSet = "title_set" }
        struct Inner: Codable, Equatable { var a: [Int] }

        var id = UUID(uuidString: "0190163D-8694-739B-AEA5-966C26F8AD91")!
        var at = Date(timeIntervalSince1970: 1_763_627_400.25)
        var kind = Kind.titleSet
        var text = "a/b \"é\" 秋"
        var whole = Int64.max
        var unsigned = UInt64.max
        var real = 1.5
        var round = 3.0
        var flag = true
        var missing: String?
        var inner = [Inner(a: []), Inner(a: [1, 2])]
        var map = ["k": Optional(1)]
        var json: JSONValue = ["x": [nil, 1e3]]
    }

    @Test func writesTheAgreedForms() throws {
        let text = String(decoding: try JSON.encode(Everything()), as: UTF8.self)
        #expect(
            text
                == #"{"id":"0190163d-8694-739b-aea5-966c26f8ad91","at":"2025-11-20T08:30:00.250Z","kind":"title_set","#
                + #""text":"a/b \"é\" 秋","whole":9223372036854775807,"unsigned":18446744073709551615,"real":1.5,"round":3,"#
                + #""flag":true,"inner":[{"a":[]},{"a":[1,2]}],"map":{"k":1},"json":{"x":[null,1000.0]}}"#)
    }

    @Test func readsWhatItWrote() throws {
        let value = Everything()
        #expect(try JSON.decode(Everything.self, from: JSON.encode(value)) == value)
    }

    @Test func agreesWithFoundation() throws {
        struct Plain: Codable, Equatable {
            var text = "x\u{1}\n\u{7f}"
            var numbers = [0, -1, 1.25, 1e100, .leastNonzeroMagnitude]
            var nested = ["a": ["b": [true]]]
            var nothing: Int?
        }
        #expect(try JSONDecoder().decode(Plain.self, from: Data(JSON.encode(Plain()))) == Plain())
        #expect(try JSON.decode(Plain.self, from: Array(JSONEncoder().encode(Plain()))) == Plain())
    }

    @Test func encodesInheritedAndNestedContainers() throws {
        struct Custom: Encodable {
            enum Key: String, CodingKey { case outer, list, after }
            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: Key.self)
                var nested = container.nestedContainer(keyedBy: Key.self, forKey: .outer)
                try nested.encode(1, forKey: .after)
                var list = container.nestedUnkeyedContainer(forKey: .list)
                try list.encode("a")
                try list.encodeNil()
                try container.encode(true, forKey: .after)
            }
        }
        #expect(
            String(decoding: try JSON.encode(Custom()), as: UTF8.self) == #"{"outer":{"after":1},"list":["a",null],"after":true}"#
        )
    }

    @Test func refusesWhatJSONCannotSay() {
        #expect(throws: EncodingError.self) { try JSON.encode([Double.nan]) }
        #expect(throws: EncodingError.self) { try JSON.encode(Double.infinity) }
    }

    @Test func saysWhereDecodingFailed() throws {
        let error = #expect(throws: DecodingError.self) {
            try JSON.decode(Everything.Inner.self, from: Array(#"{"a":[1,"x"]}"#.utf8))
        }
        guard case .typeMismatch(_, let context) = error else {
            Issue.record("unexpected \(String(describing: error))")
            return
        }
        #expect(context.codingPath.map(\.stringValue) == ["a", "1"])
    }

    @Test(arguments: ["256", "-1", "1.5", "\"1\"", "true"]) func keepsIntegersInRange(_ text: String) {
        #expect(throws: DecodingError.self) { try JSON.decode(UInt8.self, from: Array(text.utf8)) }
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0.0), ("2026-11-20T08:30:00.123+08:00", 1_795_134_600.123),
        ("2000-02-29t23:59:59.5z", 951_868_799.5), ("0001-01-01T00:00:00Z", -62_135_596_800),
        ("2016-12-31T23:59:60Z", 1_483_228_800),
        ("2026-01-01T00:00:00-00:30", 1_767_227_400),
    ]) func readsTimes(_ text: String, _ seconds: Double) throws {
        let date = try #require(RFC3339.parse(text))
        #expect(abs(date.timeIntervalSince1970 - seconds) < 0.000_1)
    }

    @Test(arguments: [
        "", "2026-11-20", "2026-11-20T08:30:00", "2026-11-20 08:30:00Z", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
        "2026-11-20T24:00:00Z", "2026-11-20T08:60:00Z", "2026-11-20T08:30:00.Z", "2026-11-20T08:30:00+0800",
        "2026-11-20T08:30:00Zx",
        "+026-11-20T08:30:00Z",
    ]) func refusesOtherTimes(_ text: String) { #expect(RFC3339.parse(text) == nil) }

    @Test func writesTimesThatItReads() throws {
        for seconds in stride(from: -62_167_219_200.0, through: 253_402_300_799.0, by: 86_400 * 5_433.7) {
            let text = RFC3339.format(Date(timeIntervalSince1970: seconds))
            #expect(text.utf8.count == 24)
            #expect(abs(try #require(RFC3339.parse(text)).timeIntervalSince1970 - seconds) <= 0.001)
        }
        #expect(RFC3339.format(Date(timeIntervalSince1970: 951_868_799.999)) == "2000-02-29T23:59:59.999Z")
        #expect(RFC3339.format(Date(timeIntervalSince1970: -0.001)) == "1969-12-31T23:59:59.999Z")
    }
}
