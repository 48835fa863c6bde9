import DTO
import HTTPCore

/// Copy for one platform.
struct CopyWriter: TextWriter {
    static let prompt = "copy"
    static let templateVersion = "copy.template@2"
    static let templateModel = "copy-templates-v1"

    let brief: WritingBrief
    let revision: Revision<CopyText>?

    var values: [String: JSONValue] { brief.values(revision).merging(brief.lengthValues) { $1 } }
    var seeds: [String] { revision.map { [$0.feedback] } ?? [] }

    func read(_ answer: JSONValue) throws(TextFaults) -> CopyText {
        var reader = AnswerReader(answer)
        let tidy = TextTidying(brief)
        let (text, trailing) = TextTidying.splitOffHashtags(reader.text("text"))
        let title = reader.optionalText("title").map(tidy.line)
        try reader.finish()
        return CopyText(
            title: brief.request.rules.titleLength == nil || title?.isEmpty == true ? nil : title, text: tidy.paragraphs(text),
            hashtags: tidy.hashtags(reader.texts("hashtags") + trailing),
            callToAction: reader.optionalText("callToAction").map(tidy.line) ?? brief.usableCallToAction)
    }

    func rules(for copy: CopyText) -> [TextVerdict] {
        TextRules(brief: brief).ofBody(
            title: copy.title, titleLimit: brief.request.rules.titleLength, text: copy.text, hashtags: copy.hashtags,
            callToAction: copy.callToAction)
    }

    func template(seed: UInt64) -> CopyText? { CopyTemplates.copy(for: brief, seed: seed) }
}

extension TextRules {
    /// The rules for a text with hashtags, and perhaps a title and a call to action: copies and image-texts.
    func ofBody(
        title: String?, titleLimit: Int?, text: String, hashtags: [String], callToAction: String?
    ) -> [TextVerdict] {
        let texts = [title, text, callToAction].compactMap { $0 }
        return [
            titleLength(title, limit: titleLimit), textLength(text), self.hashtags(hashtags), emoji(texts.joined()), links(texts),
            contact(texts), keyWord(texts), control(texts + hashtags),
            callToAction.flatMap { Self.length("call_to_action", of: $0, 1...200, "行动号召") },
        ].compactMap { $0 }
    }
}
