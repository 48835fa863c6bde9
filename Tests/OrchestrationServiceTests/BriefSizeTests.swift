import HTTPCore
import Testing

@testable import OrchestrationService

/// What the rules of a brief allow is read, however it is written in JSON.
@Suite struct BriefSizeTests {
    @Test func theLargestBriefFitsTheLimitOfItsRequest() throws {
        typealias Rules = TitleGenerationInput
        let members = [
            text("topic", Rules.topicLength), text("audience", Rules.phraseLength), text("tone", Rules.toneLength),
            list("sellingPoints", Rules.phraseLength, Rules.maxSellingPoints),
            list("keywords", Rules.wordLength, Rules.maxKeywords),
            list("bannedWords", Rules.wordLength, Rules.maxBannedWords), text("model", Rules.modelLength),
            text("promptLabel", Rules.labelLength),
        ]
        let more = [text("callToAction", CopyGenerationInput.callToActionLength)]
        let style = [text("imageStyle", ImageTextCreationInput.styleLength)]
        let bodies = [
            body(members + [#""platform":"wechat_official","count":20,"maxLength":100"#]),
            body(members + more + [#""platforms":["douyin","xiaohongshu","kuaishou","wechat_channels","bilibili"]"#]),
            body(members + more + style + [#""platform":"wechat_official","slots":9,"imageShape":"landscape""#]),
            body(members + more + [#""platform":"wechat_official","scriptType":"live_teaser","durationSeconds":900"#]),
        ]
        _ = try TitleGenerationInput.read(JSONValue(parsing: bodies[0]))
        _ = try CopyGenerationInput.read(JSONValue(parsing: bodies[1]))
        _ = try ImageTextCreationInput.read(JSONValue(parsing: bodies[2]), hasImageService: true)
        _ = try VideoScriptGenerationInput.read(JSONValue(parsing: bodies[3]))
        // Also where every letter of a name or a word of ours is escaped.
        let sizes = bodies.map { $0.count + 6 * 500 }
        #expect(sizes.allSatisfy { (550_000...TextBrief.largestRequest).contains($0) }, "\(sizes)")
    }

    /// The gateway takes 64 KiB of it.
    @Test func theLongestFeedbackFitsWhatTheGatewayReads() throws {
        let wish = body([
            text("feedback", ContentRegenerationInput.feedbackLength), text("model", TitleGenerationInput.modelLength),
            text("promptLabel", TitleGenerationInput.labelLength),
        ])
        _ = try ContentRegenerationInput.read(JSONValue(parsing: wish))
        #expect((60_000...64 << 10).contains(wish.count + 6 * 50))
    }

    /// One character of eight code points, each escaped as two halves.
    private let character = #"\ud840\udc00"# + String(repeating: #"\ud834\udd65"#, count: 7)

    private func text(_ name: String, _ length: ClosedRange<Int>) -> String { "\"\(name)\":\(text(length))" }

    private func text(_ length: ClosedRange<Int>) -> String { "\"\(String(repeating: character, count: length.upperBound))\"" }

    private func list(_ name: String, _ length: ClosedRange<Int>, _ count: Int) -> String {
        "\"\(name)\":[\(Array(repeating: text(length), count: count).joined(separator: ","))]"
    }

    private func body(_ members: [String]) -> [UInt8] { Array("{\(members.joined(separator: ","))}".utf8) }
}
