import DTO
import HTTPCore
import Testing

@testable import OrchestrationService

@Suite struct TitleGenerationInputTests {
    @Test func fillsInWhatIsLeftOut() throws {
        let brief = try read(#"{"topic": "猫砂盆"}"#)
        #expect(
            brief
                == TitleBrief(
                    topic: "猫砂盆", platform: .douyin, audience: nil, sellingPoints: [], tone: nil, keywords: [], bannedWords: [],
                    count: 5, maxLength: nil, model: "auto"))
    }

    @Test func readsEverything() throws {
        let brief = try read(
            """
            {"topic": "猫砂盆", "platform": "xiaohongshu", "audience": "新手铲屎官", "sellingPoints": ["除臭", "易洗"], "tone": "轻松",
             "keywords": ["猫"], "bannedWords": ["最"], "count": 20, "maxLength": 18, "model": "deepseek-v4-flash"}
            """)
        #expect(
            brief
                == TitleBrief(
                    topic: "猫砂盆", platform: .xiaohongshu, audience: "新手铲屎官", sellingPoints: ["除臭", "易洗"], tone: "轻松",
                    keywords: ["猫"], bannedWords: ["最"], count: 20, maxLength: 18, model: "deepseek-v4-flash"))
    }

    @Test func countsCharactersAsPeopleDo() throws {
        // One family is one character of seven code points; 500 of them are within 8 × 500 code points.
        let family = "👨‍👩‍👧‍👦"
        #expect(try read(#"{"topic": "\#(String(repeating: family, count: 500))"}"#).topic.count == 500)
        #expect(issues(#"{"topic": "\#(String(repeating: "字", count: 501))"}"#) == ["/topic too_long"])
        // One character of 4001 code points is refused although it is only one.
        #expect(issues(#"{"topic": "a\#(String(repeating: "\u{301}", count: 4_000))"}"#) == ["/topic too_long"])
    }

    @Test func aFullNameOfAModelMayBeAsLongAsItsPartsTogether() throws {
        let name = String(repeating: "m", count: 129)
        #expect(
            try TitleGenerationInput.read(JSONValue(parsing: Array(#"{"topic": "a", "model": "\#(name)"}"#.utf8))).model == name)
    }

    @Test(arguments: [
        ("{}", ["/topic required"]),
        (#"{"topic": ""}"#, ["/topic too_short"]),
        (#"{"topic": " \n\t　"}"#, ["/topic blank"]),
        (#"{"topic": 5}"#, ["/topic wrong_type"]),
        (#"{"topic": null}"#, ["/topic wrong_type"]),
        (#"{"topic": "a", "platform": "tiktok"}"#, ["/platform unknown_value"]),
        (#"{"topic": "a", "count": 0}"#, ["/count out_of_range"]),
        (#"{"topic": "a", "count": 21}"#, ["/count out_of_range"]),
        (#"{"topic": "a", "count": "5"}"#, ["/count wrong_type"]),
        (#"{"topic": "a", "maxLength": 4}"#, ["/maxLength out_of_range"]),
        (#"{"topic": "a", "maxLength": 101}"#, ["/maxLength out_of_range"]),
        (#"{"topic": "a", "titles": 5}"#, ["/titles unknown_field"]),
        (#"{"topic": "a", "model": ""}"#, ["/model too_short"]),
        (#"{"topic": "a", "model": "\#(String(repeating: "m", count: 130))"}"#, ["/model too_long"]),
        (#"{"topic": "a", "sellingPoints": "除臭"}"#, ["/sellingPoints wrong_type"]),
        (#"{"topic": "a", "keywords": ["b", 7, ""]}"#, ["/keywords/1 wrong_type", "/keywords/2 too_short"]),
        (
            #"{"topic": "a\#("\\")u0007", "platform": 1, "count": 99, "tone": ""}"#,
            ["/topic control_character", "/platform wrong_type", "/tone too_short", "/count out_of_range"]
        ),
        ("[]", [" wrong_type"]),
    ])
    func tellsEveryProblemWithItsPlace(body: String, expected: [String]) {
        #expect(issues(body) == expected)
    }

    @Test(arguments: [
        ("sellingPoints", TitleGenerationInput.maxSellingPoints), ("keywords", TitleGenerationInput.maxKeywords),
        ("bannedWords", TitleGenerationInput.maxBannedWords),
    ])
    func limitsLists(name: String, limit: Int) throws {
        func body(_ count: Int) -> String {
            #"{"topic": "a", "\#(name)": [\#((0..<count).map { #""w\#($0)""# }.joined(separator: ","))]}"#
        }
        _ = try read(body(limit))
        #expect(issues(body(limit + 1)) == ["/\(name) too_many_items"])
    }

    private func read(_ text: String) throws -> TitleBrief {
        try TitleGenerationInput.read(JSONValue(parsing: Array(text.utf8)))
    }

    private func issues(_ text: String) -> [String] {
        do {
            _ = try read(text)
            return []
        } catch let failure as ValidationFailure {
            return failure.issues.map { "\($0.pointer) \($0.code)" }
        } catch {
            return ["\(error)"]
        }
    }
}
