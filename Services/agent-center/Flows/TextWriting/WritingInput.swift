import DTO
import HTTPCore

/// The input rules that the three writers share. The caller has decided everything already; what is checked here is what the writers rely
/// on.
enum WritingInput {
    static let mostBannedWords = 11_000
    /// Of a text that is to be changed, as JSON: what a model can still read.
    static let mostPreviousBytes = 200_000

    /// `promptLabel`; whether it leads anywhere is seen when the prompt is looked up.
    static func promptLabel(_ fields: inout FieldReader) -> String? {
        fields.optionalText("promptLabel", length: PromptInput.labelLength)
    }

    static func request(_ fields: inout FieldReader, knows isKnown: (String) -> Bool) -> WritingRequest {
        let topic = fields.text("topic", length: 1...500)
        let platform = fields.choice("platform", of: ContentPlatform.self)
        let rules = fields.object("rules", rules)
        let audience = fields.optionalText("audience", length: 1...200)
        let sellingPoints = fields.textList("sellingPoints", maxItems: 10, length: 1...200)
        let tone = fields.optionalText("tone", length: 1...100)
        let keywords = fields.textList("keywords", maxItems: 10, length: 1...50)
        let bannedWords = fields.textList("bannedWords", maxItems: mostBannedWords, length: 1...50)
        let brandWords = fields.textList("brandWords", maxItems: 200, length: 1...50)
        let callToAction = fields.optionalText("callToAction", length: 1...200)
        return WritingRequest(
            topic: topic, platform: platform ?? .douyin, rules: rules ?? .unread, audience: audience,
            sellingPoints: sellingPoints, tone: tone, keywords: keywords, bannedWords: bannedWords, brandWords: brandWords,
            callToAction: callToAction, model: model(&fields, knows: isKnown), promptLabel: promptLabel(&fields))
    }

    static func model(_ fields: inout FieldReader, knows isKnown: (String) -> Bool) -> String {
        let model = fields.text("model", length: ModelNames.length)
        if !model.isEmpty, !isKnown(model) {
            fields.refuse("model", code: "unknown_model", zh: "没有名为“\(model)”的模型", en: "there is no model named \(model)")
        }
        return model
    }

    private static func rules(_ fields: inout FieldReader) -> CopyRules {
        let rules = CopyRules(
            titleLength: fields.optionalInteger("titleLength", in: 5...100),
            minLength: fields.integer("minLength", in: 0...10_000),
            maxLength: fields.integer("maxLength", in: 10...20_000), minHashtags: fields.integer("minHashtags", in: 0...30),
            maxHashtags: fields.integer("maxHashtags", in: 0...30),
            emoji: fields.choice("emoji", of: CopyRules.Emoji.self) ?? .few,
            allowsLinks: fields.bool("allowsLinks", default: false), voice: fields.text("voice", length: 1...500))
        for (least, most, low, high) in [
            (rules.minLength, rules.maxLength, "minLength", "maxLength"),
            (rules.minHashtags, rules.maxHashtags, "minHashtags", "maxHashtags"),
        ] where least > most && fields.issues.isEmpty {
            fields.refuse(high, code: "out_of_range", zh: "不能小于 \(low)", en: "must not be less than \(low)")
        }
        return rules
    }

    /// `revision {previous, feedback}`.
    static func revision<Text>(
        _ fields: inout FieldReader, _ previous: (inout FieldReader) -> Text
    ) -> Revision<Text>? {
        let read = fields.optionalObject("revision") { fields -> Revision<Text>? in
            let text = fields.object("previous", previous)
            let feedback = fields.text("feedback", length: 1...500)
            guard let text else { return nil }
            if let size = try? JSON.encode(text).count, size > mostPreviousBytes {
                fields.refuse(
                    "previous", code: "too_long", zh: "最多 \(mostPreviousBytes) 字节", en: "at most \(mostPreviousBytes) bytes")
            }
            return Revision(previous: text, feedback: feedback)
        }
        return read ?? nil
    }

    static func hashtags(_ fields: inout FieldReader) -> [String] { fields.textList("hashtags", maxItems: 30, length: 1...50) }
}

extension CopyRules {
    /// Stands in where rules were refused; goes no further.
    fileprivate static let unread = CopyRules(
        titleLength: nil, minLength: 0, maxLength: 10, minHashtags: 0, maxHashtags: 0, emoji: .none, allowsLinks: false, voice: ""
    )
}
