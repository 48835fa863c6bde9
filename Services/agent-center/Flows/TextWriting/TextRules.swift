import DTO

/// The rules that texts of all kinds are held against. Details are in Chinese and quote no more of a text than a few characters.
struct TextRules: Sendable {
    let brief: WritingBrief

    private var rules: CopyRules { brief.request.rules }

    /// - Parameter limit: `nil` where the platform shows no title.
    func titleLength(_ title: String?, limit: Int?) -> TextVerdict? {
        guard let limit else { return nil }
        let count = title?.count ?? 0
        return TextVerdict("title_length", (1...limit).contains(count), "标题 \(count) 字，要求 1–\(limit) 字")
    }

    /// Somewhat too short is for an editor to judge; far too short, or too long, is no text for the platform.
    func textLength(_ text: String) -> TextVerdict {
        let count = text.count
        let isBinding = count > rules.maxLength || count * 10 < rules.minLength * 8 || count == 0
        return TextVerdict(
            "text_length", count > 0 && (rules.minLength...rules.maxLength).contains(count), binding: isBinding,
            "正文 \(count) 字，要求 \(rules.minLength)–\(rules.maxLength) 字")
    }

    static let longestHashtag = 30

    func hashtags(_ tags: [String]) -> TextVerdict {
        if let long = tags.first(where: { $0.count > Self.longestHashtag }) {
            return TextVerdict("hashtags", false, "话题“\(long.prefix(12))…”超过 \(Self.longestHashtag) 字")
        }
        return TextVerdict(
            "hashtags", (rules.minHashtags...rules.maxHashtags).contains(tags.count),
            "话题 \(tags.count) 个，要求 \(rules.minHashtags)–\(rules.maxHashtags) 个")
    }

    /// How many pictures suit a platform is a matter of taste, but for those that want none.
    func emoji(_ text: String) -> TextVerdict {
        let count = text.count(where: \.isEmoji)
        switch rules.emoji {
        case .none: return TextVerdict("emoji", count == 0, "表情 \(count) 个，平台不用表情")
        case .few:
            let most = 3 + text.count / 100
            return TextVerdict("emoji", count <= most, binding: false, "表情 \(count) 个，建议不超过 \(most) 个")
        case .many: return TextVerdict("emoji", count >= 1, binding: false, "表情 \(count) 个，建议至少 1 个")
        }
    }

    func links(_ texts: [String]) -> TextVerdict {
        guard !rules.allowsLinks else { return TextVerdict("links", true, "平台允许链接") }
        let hasLink = texts.contains { Links.stands(in: $0) }
        return TextVerdict("links", !hasLink, hasLink ? "含链接，平台不允许" : "不含链接")
    }

    /// Where links are forbidden, telephone numbers and addresses are punished as well.
    func contact(_ texts: [String]) -> TextVerdict {
        let hasContact = texts.contains { Redaction.redacted($0) != $0 }
        return TextVerdict(
            "contact", !hasContact, binding: !rules.allowsLinks, hasContact ? "含手机号、邮箱等联系方式或证件号" : "不含联系方式")
    }

    func keyWord(_ texts: [String]) -> TextVerdict? {
        guard let word = brief.keyWord.candidates.first else { return nil }
        let isKept = texts.contains { brief.keyWord.isKept(in: $0) }
        return TextVerdict("key_word", isKept, binding: false, isKept ? "点明了主题词" : "没有点明主题词“\(word.prefix(12))”")
    }

    /// Nothing that a screen cannot show.
    func control(_ texts: [String]) -> TextVerdict {
        let isClean = texts.allSatisfy { text in
            text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F || $0 == "\n" }
                && text.unicodeScalars.count <= 8 * max(text.count, 1)
        }
        return TextVerdict("characters", isClean, isClean ? "不含控制字符" : "含控制字符")
    }

    /// The length of a member that must be there.
    static func length(_ name: String, of text: String, _ range: ClosedRange<Int>, _ label: String) -> TextVerdict? {
        range.contains(text.count)
            ? nil : TextVerdict(name, false, "\(label) \(text.count) 字，要求 \(range.lowerBound)–\(range.upperBound) 字")
    }
}

enum Links {
    private static let endings: Set<String> = [
        "com", "cn", "net", "org", "io", "top", "vip", "shop", "cc", "me", "app", "xyz", "info", "link", "site", "tv", "co",
    ]

    /// A web address, with its scheme or without.
    static func stands(in text: String) -> Bool {
        let lowered = text.lowercased()
        if lowered.contains("http://") || lowered.contains("https://") || lowered.contains("www.") { return true }
        guard lowered.contains(".") else { return false }
        for word in lowered.split(whereSeparator: { !($0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-")) }) {
            let labels = word.split(separator: ".")
            if labels.count >= 2, let last = labels.last, endings.contains(String(last)), labels[0].contains(where: \.isLetter) {
                return true
            }
        }
        return false
    }
}
