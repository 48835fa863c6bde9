import DTO
import HTTPCore

/// The input rules of `POST /v1/copies`: those of `POST /v1/titles` where the fields are the same. All problems are told at once.
enum CopyGenerationInput {
    static let callToActionLength = 1...200

    static func read(_ json: JSONValue) throws -> CopyBrief {
        typealias Titles = TitleGenerationInput
        var fields = FieldReader(json)
        let topic = fields.text("topic", length: Titles.topicLength)
        let platforms = fields.choices("platforms", of: ContentPlatform.self, minItems: 1)
        let audience = fields.optionalText("audience", length: Titles.phraseLength)
        let sellingPoints = fields.textList("sellingPoints", maxItems: Titles.maxSellingPoints, length: Titles.phraseLength)
        let tone = fields.optionalText("tone", length: Titles.toneLength)
        let keywords = fields.textList("keywords", maxItems: Titles.maxKeywords, length: Titles.wordLength)
        let bannedWords = fields.textList("bannedWords", maxItems: Titles.maxBannedWords, length: Titles.wordLength)
        let callToAction = fields.optionalText("callToAction", length: callToActionLength)
        let model = fields.optionalText("model", length: Titles.modelLength)
        let promptLabel = fields.optionalText("promptLabel", length: Titles.labelLength)
        try fields.finish()
        return CopyBrief(
            topic: topic, platforms: platforms, audience: audience, sellingPoints: sellingPoints, tone: tone, keywords: keywords,
            bannedWords: bannedWords, callToAction: callToAction, model: model ?? "auto",
            promptLabel: promptLabel)
    }
}
