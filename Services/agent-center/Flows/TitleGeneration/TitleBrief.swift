import DTO

/// What a title writer is told: the request of ``TitleWritingRequest`` after the input rules, with what writers and judges look
/// up again and again computed once.
struct TitleBrief: Sendable {
    let topic: String
    let platform: ContentPlatform
    let audience: String?
    let sellingPoints: [String]
    let tone: String?
    let keywords: [String]
    let bannedWords: [String]
    let brandWords: [String]
    let count: Int
    /// Grapheme clusters.
    let maxLength: Int
    /// `auto` or a model's name.
    let model: String
    /// What stands and what its editor wants changed.
    let revision: TitleRevision?
    let keyWord: KeyWord
    /// `audience`, `sellingPoints` and `keywords` as titles are looked through for them.
    let audiencePhrase: TitlePhrase?
    let sellingPointPhrases: [TitlePhrase]
    let keywordPhrases: [TitlePhrase]
    /// Advertising law, the platform's bans and `bannedWords`.
    let compliance: Compliance

    /// - Parameter words: `request.bannedWords` as a finder, where one is at hand already.
    init(_ request: TitleWritingRequest, words: WordFinder? = nil) {
        topic = request.topic
        platform = request.platform
        audience = request.audience
        sellingPoints = request.sellingPoints
        tone = request.tone
        keywords = request.keywords
        bannedWords = request.bannedWords
        brandWords = request.brandWords
        count = request.count
        maxLength = request.maxLength
        model = request.model
        revision = request.revision
        keyWord = KeyWord(of: request.topic, preferring: request.keywords)
        audiencePhrase = request.audience.map(TitlePhrase.init)
        sellingPointPhrases = request.sellingPoints.map(TitlePhrase.init)
        keywordPhrases = request.keywords.map(TitlePhrase.init)
        compliance = Compliance(
            platform: request.platform, bannedWords: words ?? WordFinder(words: request.bannedWords))
    }

    /// Why a text must not appear in a title, or `nil`.
    func objection(to text: String) -> String? { objection(to: compliance.blocks(text)) }

    func objection(to title: TitleOutline) -> String? { objection(to: compliance.blocks(title.text, folded: title.folded)) }

    private func objection(to blocks: [Compliance.Finding]) -> String? {
        if let banned = blocks.first(where: { $0.category == .banned }) { return "含禁用词“\(banned.word)”" }
        return blocks.first.map { "含广告法风险词“\($0.word)”" }
    }
}

/// The pattern that a title follows; the same names on the wire, in prompts and in scores.
enum TitleFormula: String, Sendable, CaseIterable {
    case number
    case question
    case contrast
    case suspense
    case benefit
    case scene
    case painPoint = "pain_point"
    case identity
    case listicle
    case timePressure = "time_pressure"
    case story
    case secret
    case warning
    case resultFirst = "result_first"
    case howTo = "how_to"
    case keyword

    var chineseName: String {
        switch self {
        case .number: "数字"
        case .question: "提问"
        case .contrast: "对比"
        case .suspense: "悬念"
        case .benefit: "利益"
        case .scene: "场景"
        case .painPoint: "痛点"
        case .identity: "人群"
        case .listicle: "清单"
        case .timePressure: "时机"
        case .story: "故事"
        case .secret: "揭秘"
        case .warning: "提醒"
        case .resultFirst: "结果前置"
        case .howTo: "方法"
        case .keyword: "关键词"
        }
    }
}
