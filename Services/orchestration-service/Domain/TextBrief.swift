import DTO
import HTTPCore

/// What an operator says about one text for one platform, whatever becomes of it. Limits are those of titles.
struct TextBrief: Codable, Sendable, Equatable {
    var topic: String
    var platform: ContentPlatform
    var audience: String?
    var sellingPoints: [String]
    var tone: String?
    var keywords: [String]
    var bannedWords: [String]
    var callToAction: String?
    /// `auto` or a model's name.
    var model: String
    var promptLabel: String?
}

extension TextBrief {
    /// In bytes: whatever the rules of any flow's brief allow, however it is written. All its texts together may have 6,261 characters of
    /// eight code points each, and a code point takes twelve bytes where it is escaped as two halves: 587 KiB. Names, numbers and brackets
    /// have their place behind that. A test adds up what the rules allow.
    static let largestRequest = 640 << 10

    /// What is kept of it with the text.
    func kept(imageStyle: String? = nil) -> ContentBrief? {
        ContentBrief(
            audience: audience, sellingPoints: sellingPoints, tone: tone, keywords: keywords, bannedWords: bannedWords,
            callToAction: callToAction, imageStyle: imageStyle)
    }

    /// Takes its members of a request; what is wrong with them is left in the reader.
    init(reading fields: inout FieldReader) {
        typealias Rules = TitleGenerationInput
        topic = fields.text("topic", length: Rules.topicLength)
        platform = fields.choice("platform", of: ContentPlatform.self, default: .douyin)
        audience = fields.optionalText("audience", length: Rules.phraseLength)
        sellingPoints = fields.textList("sellingPoints", maxItems: Rules.maxSellingPoints, length: Rules.phraseLength)
        tone = fields.optionalText("tone", length: Rules.toneLength)
        keywords = fields.textList("keywords", maxItems: Rules.maxKeywords, length: Rules.wordLength)
        bannedWords = fields.textList("bannedWords", maxItems: Rules.maxBannedWords, length: Rules.wordLength)
        callToAction = fields.optionalText("callToAction", length: Rules.phraseLength)
        model = fields.optionalText("model", length: Rules.modelLength) ?? "auto"
        promptLabel = fields.optionalText("promptLabel", length: Rules.labelLength)
    }
}
