public import FoundationEssentials

// The DTOs of flow `TitleGeneration` (seed 000 §1): gateway-bff and orchestration-service share the public shapes, orchestration-service
// and agent-center the inner ones.

/// Where a text will be published.
public enum ContentPlatform: String, Codable, Sendable, CaseIterable {
    case douyin
    case xiaohongshu
    case wechatChannels = "wechat_channels"
    case kuaishou
    case bilibili
    case weibo
    /// 公众号
    case wechatOfficial = "wechat_official"
    case zhihu
}

/// `POST /api/titles`. Limits are checked by the flow's input rules, not here.
public struct TitleGenerationRequest: Codable, Sendable, Equatable {
    public var topic: String
    public var platform: ContentPlatform?
    public var audience: String?
    public var sellingPoints: [String]?
    public var tone: String?
    public var keywords: [String]?
    public var bannedWords: [String]?
    /// How many candidates, 1–20; 5 when absent.
    public var count: Int?
    /// Longest title in grapheme clusters; the platform's rule when absent.
    public var maxLength: Int?
    /// `auto` or a model's name.
    public var model: String?
    /// Label of the prompt's version to write with; `production`, or the arm of a running experiment, when absent.
    public var promptLabel: String?

    public init(
        topic: String, platform: ContentPlatform? = nil, audience: String? = nil, sellingPoints: [String]? = nil,
        tone: String? = nil,
        keywords: [String]? = nil, bannedWords: [String]? = nil, count: Int? = nil, maxLength: Int? = nil, model: String? = nil,
        promptLabel: String? = nil
    ) {
        self.topic = topic
        self.platform = platform
        self.audience = audience
        self.sellingPoints = sellingPoints
        self.tone = tone
        self.keywords = keywords
        self.bannedWords = bannedWords
        self.count = count
        self.maxLength = maxLength
        self.model = model
        self.promptLabel = promptLabel
    }
}

/// One proposed title with its explained score.
public struct TitleCandidate: Codable, Sendable, Equatable {
    public var title: String
    /// 0–100, computed by rules; see `reasons`.
    public var score: Int
    /// Which rules gave or took points, e.g. `长度合适（18/30）`.
    public var reasons: [String]
    /// The pattern the title follows: `number`, `question`, `contrast`, `suspense`, `benefit`, `scene`, …
    public var formula: String

    public init(title: String, score: Int, reasons: [String], formula: String) {
        self.title = title
        self.score = score
        self.reasons = reasons
        self.formula = formula
    }
}

/// What a model call used. Amounts are in 1e-9 of the currency unit and travel as decimal strings.
public struct TokenUsage: Codable, Sendable, Equatable {
    public var promptTokens: Int
    public var completionTokens: Int
    public var costNano: String
    /// ISO 4217, e.g. `CNY`.
    public var currency: String

    public init(promptTokens: Int, completionTokens: Int, costNano: String, currency: String) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.costNano = costNano
        self.currency = currency
    }
}

/// The answer of `POST /api/titles` (201).
public struct TitleGenerationAnswer: Codable, Sendable, Equatable {
    public var contentId: UUID
    public var status: ContentStatus
    public var version: Int
    public var candidates: [TitleCandidate]
    /// As in ``TitleWritingAnswer``.
    public var findings: [ComplianceFinding]?
    public var provider: String
    public var modelName: String
    public var degraded: Bool
    public var degradedReason: String?
    public var usage: TokenUsage
    public var latencyMs: Int
    public var requestId: String

    public init(
        contentId: UUID, status: ContentStatus, version: Int, candidates: [TitleCandidate], provider: String, modelName: String,
        degraded: Bool, degradedReason: String?, usage: TokenUsage, latencyMs: Int, requestId: String,
        findings: [ComplianceFinding]? = nil
    ) {
        self.contentId = contentId
        self.status = status
        self.version = version
        self.candidates = candidates
        self.provider = provider
        self.modelName = modelName
        self.degraded = degraded
        self.degradedReason = degradedReason
        self.usage = usage
        self.latencyMs = latencyMs
        self.requestId = requestId
        self.findings = findings
    }
}

/// orchestration-service → agent-center, `POST /v1/titles`: the request with everything decided that the flow decides.
public struct TitleWritingRequest: Codable, Sendable, Equatable {
    public var topic: String
    public var platform: ContentPlatform
    public var audience: String?
    public var sellingPoints: [String]
    public var tone: String?
    public var keywords: [String]
    /// The caller's, the tenant's and the platform's words together; none may appear in a title.
    public var bannedWords: [String]
    /// Words the tenant wants to see spelt exactly so.
    public var brandWords: [String]
    public var count: Int
    /// Grapheme clusters.
    public var maxLength: Int
    public var model: String
    public var revision: TitleRevision?
    /// As in ``TitleGenerationRequest``.
    public var promptLabel: String?

    public init(
        topic: String, platform: ContentPlatform, audience: String?, sellingPoints: [String], tone: String?, keywords: [String],
        bannedWords: [String], brandWords: [String], count: Int, maxLength: Int, model: String, revision: TitleRevision? = nil,
        promptLabel: String? = nil
    ) {
        self.topic = topic
        self.platform = platform
        self.audience = audience
        self.sellingPoints = sellingPoints
        self.tone = tone
        self.keywords = keywords
        self.bannedWords = bannedWords
        self.brandWords = brandWords
        self.count = count
        self.maxLength = maxLength
        self.model = model
        self.revision = revision
        self.promptLabel = promptLabel
    }
}

/// The titles as they stand and what their editor wants changed.
public struct TitleRevision: Codable, Sendable, Equatable {
    public var previous: [String]
    /// 1–500 characters.
    public var feedback: String

    public init(previous: [String], feedback: String) {
        self.previous = previous
        self.feedback = feedback
    }
}

/// agent-center's answer to ``TitleWritingRequest``.
public struct TitleWritingAnswer: Codable, Sendable, Equatable {
    /// The `provider` of an answer that no model wrote.
    public static let templateProvider = "template"

    public var candidates: [TitleCandidate]
    /// Forbidden words that the models wrote, which are in no title, and words that an editor should look at; absent where there are none.
    /// Pointers name titles: of the answer for `warned`, of a model's earlier list otherwise.
    public var findings: [ComplianceFinding]?
    public var provider: String
    public var modelName: String
    public var degraded: Bool
    public var degradedReason: String?
    public var usage: TokenUsage
    /// Name and version of the prompt or template that made the text, e.g. `title.douyin@1`.
    public var promptVersion: String
    public var latencyMs: Int

    public init(
        candidates: [TitleCandidate], findings: [ComplianceFinding]? = nil, provider: String, modelName: String, degraded: Bool,
        degradedReason: String?,
        usage: TokenUsage,
        promptVersion: String, latencyMs: Int
    ) {
        self.candidates = candidates
        self.findings = findings
        self.provider = provider
        self.modelName = modelName
        self.degraded = degraded
        self.degradedReason = degradedReason
        self.usage = usage
        self.promptVersion = promptVersion
        self.latencyMs = latencyMs
    }
}
