import DTO
import HTTPCore

/// The input rules of `POST /v1/titles` (issue text and design §9: N grapheme clusters and 8 N code points). All problems are told at once.
enum TitleGenerationInput {
    static let topicLength = 1...500
    static let phraseLength = 1...200
    static let toneLength = 1...100
    static let wordLength = 1...50
    static let maxSellingPoints = 10
    static let maxKeywords = 10
    static let maxBannedWords = 50
    static let count = 1...20
    static let defaultCount = 5
    /// From the shortest title that says something to the longest that any platform shows.
    static let maxLength = 5...100
    /// agent-center's rule: a provider's name and a model's, 64 each at most, and the slash between them.
    static let modelLength = 1...129
    static let labelLength = 1...32

    static func read(_ json: JSONValue) throws -> TitleBrief {
        var fields = FieldReader(json)
        let topic = fields.text("topic", length: topicLength)
        let platform = fields.choice("platform", of: ContentPlatform.self, default: .douyin)
        let audience = fields.optionalText("audience", length: phraseLength)
        let sellingPoints = fields.textList("sellingPoints", maxItems: maxSellingPoints, length: phraseLength)
        let tone = fields.optionalText("tone", length: toneLength)
        let keywords = fields.textList("keywords", maxItems: maxKeywords, length: wordLength)
        let bannedWords = fields.textList("bannedWords", maxItems: maxBannedWords, length: wordLength)
        let count = fields.integer("count", in: count, default: defaultCount)
        let maxLength = fields.optionalInteger("maxLength", in: maxLength)
        let model = fields.optionalText("model", length: modelLength)
        let promptLabel = fields.optionalText("promptLabel", length: labelLength)
        try fields.finish()
        return TitleBrief(
            topic: topic, platform: platform, audience: audience, sellingPoints: sellingPoints, tone: tone, keywords: keywords,
            bannedWords: bannedWords, count: count, maxLength: maxLength, model: model ?? "auto",
            promptLabel: promptLabel)
    }
}
