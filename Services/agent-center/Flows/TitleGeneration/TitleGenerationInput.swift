import DTO
import HTTPCore

/// The input rules of `POST /v1/titles`. The caller has decided everything already; what is checked here is what this flow
/// relies on.
enum TitleGenerationInput {
    /// - Throws: `ValidationFailure` with every refusal.
    static func read(_ json: JSONValue, knows isKnown: (String) -> Bool) throws -> TitleWritingRequest {
        var fields = FieldReader(json)
        let topic = fields.text("topic", length: 1...500)
        let platform = fields.choice("platform", of: ContentPlatform.self)
        let audience = fields.optionalText("audience", length: 1...200)
        let sellingPoints = fields.textList("sellingPoints", maxItems: 10, length: 1...200)
        let tone = fields.optionalText("tone", length: 1...100)
        let keywords = fields.textList("keywords", maxItems: 10, length: 1...50)
        let bannedWords = fields.textList("bannedWords", maxItems: WritingInput.mostBannedWords, length: 1...50)
        let brandWords = fields.textList("brandWords", maxItems: 200, length: 1...50)
        let count = fields.integer("count", in: 1...20)
        let maxLength = fields.integer("maxLength", in: 5...100)
        let model = WritingInput.model(&fields, knows: isKnown)
        let revision = fields.optionalObject("revision") { fields in
            TitleRevision(
                previous: fields.textList("previous", minItems: 1, maxItems: 50, length: 1...200),
                feedback: fields.text("feedback", length: 1...500))
        }
        let promptLabel = WritingInput.promptLabel(&fields)
        try fields.finish()
        return TitleWritingRequest(
            topic: topic, platform: platform ?? .douyin, audience: audience, sellingPoints: sellingPoints, tone: tone,
            keywords: keywords, bannedWords: bannedWords, brandWords: brandWords, count: count, maxLength: maxLength,
            model: model,
            revision: revision, promptLabel: promptLabel)
    }
}
