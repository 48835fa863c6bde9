import DTO
import FoundationEssentials

/// What stands in where no model answers (seed 001 §5.2: "保底返回模板化兜底文案"). Made of the caller's own words and fixed sentences; it
/// claims nothing.
enum TextTemplates {
    static let provider = "template"
    static let version = "ai.template@1"

    static func text(for task: TextGenerationInput.Task, input: String, language: String, seed: UInt64) -> String {
        let isChinese = language.hasPrefix("zh")
        let subject = firstSentence(of: input, most: isChinese ? 60 : 120)
        switch task {
        case .title:
            return titles(for: subject, seed: seed) ?? subject
        case .summary:
            return excerpt(of: input, most: isChinese ? 200 : 400)
        case .copy, .embed:
            return isChinese
                ? "\(subject)\n\n如果你也关心这件事，欢迎了解详情：\(excerpt(of: input, most: 200))\n\n想知道更多，留言告诉我们你的需求。"
                : "\(subject)\n\nHere is what you should know: \(excerpt(of: input, most: 400))\n\nTell us what you need in the comments."
        case .reply:
            return isChinese
                ? "您好，已收到您的消息，感谢关注！我们会尽快安排同事与您确认，您也可以补充说明具体需求。"
                : "Thank you for your message! A colleague will get back to you soon; feel free to add any details."
        }
    }

    /// The templates repeat the caller's own words: what is forbidden in them is replaced by its substitute, or the sentence left out.
    static func cleaned(_ text: String, _ compliance: Compliance, language: String) -> String {
        guard !compliance.allows(text) else { return text }
        if let mended = compliance.mended(text) { return mended.text }
        var characters = Array(text)
        for range in Sentences.around(compliance.blocks(text).map(\.range), in: characters).reversed() {
            characters.removeSubrange(range)
        }
        let rest = TextTask.trimmed(String(characters))
        guard rest.isEmpty || !compliance.allows(rest) else { return rest }
        return language.hasPrefix("zh")
            ? "素材含不宜发布的用语，请调整后再试。" : "The material holds words that must not be published; please change it."
    }

    /// From the title library; it writes Chinese only.
    private static func titles(for topic: String, seed: UInt64) -> String? {
        let brief = TitleBrief(
            TitleWritingRequest(
                topic: topic, platform: .douyin, audience: nil, sellingPoints: [], tone: nil, keywords: [], bannedWords: [],
                brandWords: [], count: 5,
                maxLength: 30, model: ModelNames.auto))
        let titles = TitleTemplates.titles(for: brief, seed: seed)
        return titles.isEmpty ? nil : titles.map(\.text).joined(separator: "\n")
    }

    private static func firstSentence(of text: String, most: Int) -> String {
        let line = TextTask.trimmed(text).prefix { !$0.isNewline && !"。！？!?；;".contains($0) }
        return String((line.isEmpty ? TextTask.trimmed(text)[...] : line).prefix(most))
    }

    /// Whole sentences as long as they fit; else as many characters, and a sign that there was more.
    private static func excerpt(of text: String, most: Int) -> String {
        let text = TextTask.trimmed(text)
        guard text.count > most else { return text }
        let head = text.prefix(most)
        guard let end = head.lastIndex(where: { "。！？!?.\n".contains($0) }) else { return head + "……" }
        return String(head[...end])
    }
}
