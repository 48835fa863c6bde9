import DTO

/// One way of writing a title: a sentence with slots.
///
/// Slots: `{key}` the topic's key word (at most once more in the same pattern), `{n}` a small number, `{audience}`, `{point}` a
/// selling point, `{keyword}` a keyword other than the key word. A pattern is used only when each of its slots can be filled.
struct TitlePattern: Sendable {
    let id: String
    let formula: TitleFormula
    /// The wording where the platform has none of its own.
    let text: String
    /// What kind of key word the sentence speaks of; `nil` = any.
    let kind: KeyWord.Kind?
    /// The platform's own wording of the same pattern.
    let flavours: [ContentPlatform: String]

    init(
        _ id: String, _ formula: TitleFormula, _ text: String, kind: KeyWord.Kind? = nil,
        flavours: [ContentPlatform: String] = [:]
    ) {
        self.id = id
        self.formula = formula
        self.text = text
        self.kind = kind
        self.flavours = flavours
    }

    /// The wordings to try on a platform, its own first.
    func wordings(on platform: ContentPlatform) -> [String] {
        if let own = flavours[platform] { return [own, text] }
        return [text]
    }
}

/// A sentence cut into literal text and slots, so that what fills a slot is never read as a slot again.
struct TitleWording: Sendable {
    enum Slot: String, Sendable {
        case key
        case number = "n"
        case audience
        case point
        case keyword
    }

    enum Part: Sendable {
        case literal(String)
        case slot(Slot)
    }

    let parts: [Part]

    init(_ text: String) {
        var parts: [Part] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            guard let close = rest[open...].firstIndex(of: "}"),
                let slot = Slot(rawValue: String(rest[rest.index(after: open)..<close]))
            else { break }
            if open > rest.startIndex { parts.append(.literal(String(rest[..<open]))) }
            parts.append(.slot(slot))
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { parts.append(.literal(String(rest))) }
        self.parts = parts
    }

    func uses(_ slot: Slot) -> Bool {
        parts.contains { if case .slot(slot) = $0 { true } else { false } }
    }

    /// The sentence, or `nil` when a slot has nothing to hold.
    func filled(with value: (Slot) -> String?) -> String? {
        var text = ""
        for part in parts {
            switch part {
            case .literal(let literal): text += literal
            case .slot(let slot):
                guard let filling = value(slot), !filling.isEmpty else { return nil }
                text += filling
            }
        }
        return text
    }
}

/// How a platform's people talk: small additions to a finished sentence, used where they fit.
enum PlatformVoice {
    /// `{title}` stands for the sentence.
    static func additions(on platform: ContentPlatform, formula: TitleFormula) -> [String] {
        switch platform {
        case .douyin, .wechatOfficial: []
        case .xiaohongshu:
            switch formula {
            case .warning, .painPoint: ["{title}❗️", "姐妹们，{title}", "{title}😮‍💨"]
            case .listicle, .number, .howTo: ["{title}📝", "{title}✅", "码住｜{title}"]
            case .story, .scene: ["{title}☁️", "{title}🌿", "碎碎念｜{title}"]
            case .secret, .suspense: ["{title}👀", "悄悄说｜{title}"]
            default: ["{title}✨", "{title}💡", "真心话｜{title}"]
            }
        case .wechatChannels:
            switch formula {
            case .warning, .listicle, .howTo: ["{title}（建议转给家人）", "{title}，值得一看"]
            default: []
            }
        case .kuaishou:
            switch formula {
            case .story, .painPoint, .warning, .secret, .benefit: ["老铁们，{title}", "家人们，{title}"]
            default: []
            }
        case .bilibili:
            switch formula {
            case .howTo, .listicle, .number: ["【干货】{title}", "【教程】{title}"]
            case .contrast, .question, .secret: ["【硬核】{title}", "【盘一盘】{title}"]
            case .story, .scene: ["【记录】{title}"]
            case .warning, .painPoint: ["【避坑】{title}"]
            default: []
            }
        case .weibo:
            switch formula {
            case .story, .scene, .question: ["【聊聊】{title}"]
            default: []
            }
        case .zhihu:
            switch formula {
            case .howTo, .listicle, .number: ["{title}（附思路）"]
            default: []
            }
        }
    }
}
