public import FoundationEssentials

// The DTOs of flow `CopyGeneration` (seed 000 §2): one brief, one draft per platform.

/// `POST /api/copies`. Limits are checked by the flow's input rules, not here.
public struct CopyGenerationRequest: Codable, Sendable, Equatable {
    public var topic: String
    /// 1–8, each at most once.
    public var platforms: [ContentPlatform]
    public var audience: String?
    public var sellingPoints: [String]?
    public var tone: String?
    public var keywords: [String]?
    public var bannedWords: [String]?
    /// What the reader is to do at the end.
    public var callToAction: String?
    /// `auto` or a model's name.
    public var model: String?
    /// As in ``TitleGenerationRequest``.
    public var promptLabel: String?

    public init(
        topic: String, platforms: [ContentPlatform], audience: String? = nil, sellingPoints: [String]? = nil,
        tone: String? = nil, keywords: [String]? = nil, bannedWords: [String]? = nil, callToAction: String? = nil,
        model: String? = nil, promptLabel: String? = nil
    ) {
        self.topic = topic
        self.platforms = platforms
        self.audience = audience
        self.sellingPoints = sellingPoints
        self.tone = tone
        self.keywords = keywords
        self.bannedWords = bannedWords
        self.callToAction = callToAction
        self.model = model
        self.promptLabel = promptLabel
    }
}

/// The answer of `POST /api/copies`: 201 when at least one platform has its draft.
public struct CopyGenerationAnswer: Codable, Sendable, Equatable {
    /// The content group that the drafts belong to; also the run's id.
    public var groupId: UUID
    /// In the order of the request's platforms.
    public var items: [CopyGenerationItem]
    public var requestId: String

    public init(groupId: UUID, items: [CopyGenerationItem], requestId: String) {
        self.groupId = groupId
        self.items = items
        self.requestId = requestId
    }
}

/// What became of one platform.
public struct CopyGenerationItem: Codable, Sendable, Equatable {
    public enum Status: String, Codable, Sendable, CaseIterable {
        case succeeded
        case failed
    }

    public var platform: ContentPlatform
    public var status: Status
    /// With `succeeded`, as everything below but `problem`.
    public var contentId: UUID?
    public var version: Int?
    public var copy: CopyText?
    public var findings: [ComplianceFinding]?
    public var provider: String?
    public var modelName: String?
    public var degraded: Bool?
    public var degradedReason: String?
    public var usage: TokenUsage?
    public var latencyMs: Int?
    /// With `failed`.
    public var problem: FlowProblem?

    public init(
        platform: ContentPlatform, status: Status, contentId: UUID? = nil, version: Int? = nil, copy: CopyText? = nil,
        findings: [ComplianceFinding]? = nil, provider: String? = nil, modelName: String? = nil, degraded: Bool? = nil,
        degradedReason: String? = nil, usage: TokenUsage? = nil, latencyMs: Int? = nil, problem: FlowProblem? = nil
    ) {
        self.platform = platform
        self.status = status
        self.contentId = contentId
        self.version = version
        self.copy = copy
        self.findings = findings
        self.provider = provider
        self.modelName = modelName
        self.degraded = degraded
        self.degradedReason = degradedReason
        self.usage = usage
        self.latencyMs = latencyMs
        self.problem = problem
    }
}

/// Why a part of a flow did not come about, in the words of problem+json.
public struct FlowProblem: Codable, Sendable, Equatable {
    /// A field that was refused.
    public struct Field: Codable, Sendable, Equatable {
        /// JSON pointer into the flow's request.
        public var pointer: String
        public var code: String
        public var message: String

        public init(pointer: String, code: String, message: String) {
            self.pointer = pointer
            self.code = code
            self.message = message
        }
    }

    public var code: String
    public var title: String
    public var status: Int
    public var detail: String?
    public var retryable: Bool
    /// After how many seconds a repetition may succeed, where that is known.
    public var retryAfterSeconds: Int?
    public var errors: [Field]?
    /// Of `budget.exhausted`.
    public var budgetId: UUID?

    public init(
        code: String, title: String, status: Int, detail: String? = nil, retryable: Bool, retryAfterSeconds: Int? = nil,
        errors: [Field]? = nil, budgetId: UUID? = nil
    ) {
        self.code = code
        self.title = title
        self.status = status
        self.detail = detail
        self.retryable = retryable
        self.retryAfterSeconds = retryAfterSeconds
        self.errors = errors
        self.budgetId = budgetId
    }
}

/// A text for one platform.
public struct CopyText: Codable, Sendable, Equatable {
    /// For platforms that show a title above the text.
    public var title: String?
    public var text: String
    /// Without `#`.
    public var hashtags: [String]
    public var callToAction: String?

    public init(title: String? = nil, text: String, hashtags: [String], callToAction: String? = nil) {
        self.title = title
        self.text = text
        self.hashtags = hashtags
        self.callToAction = callToAction
    }
}

/// What a platform asks of a text, as data. Lengths are in grapheme clusters.
public struct CopyRules: Codable, Sendable, Equatable {
    public enum Emoji: String, Codable, Sendable, CaseIterable {
        case none
        case few
        case many
    }

    /// Longest title; absent where the platform shows none.
    public var titleLength: Int?
    public var minLength: Int
    public var maxLength: Int
    public var minHashtags: Int
    public var maxHashtags: Int
    public var emoji: Emoji
    /// Whether the text may hold web addresses.
    public var allowsLinks: Bool
    /// How people speak there, in a sentence for the writer.
    public var voice: String

    public init(
        titleLength: Int?, minLength: Int, maxLength: Int, minHashtags: Int, maxHashtags: Int, emoji: Emoji, allowsLinks: Bool,
        voice: String
    ) {
        self.titleLength = titleLength
        self.minLength = minLength
        self.maxLength = maxLength
        self.minHashtags = minHashtags
        self.maxHashtags = maxHashtags
        self.emoji = emoji
        self.allowsLinks = allowsLinks
        self.voice = voice
    }
}

/// orchestration-service → agent-center, `POST /v1/copies`: one platform's text, with everything decided that the flow decides.
/// agent-center's ledger step is `copy:<platform>`.
public struct CopyWritingRequest: Codable, Sendable, Equatable {
    public var topic: String
    public var platform: ContentPlatform
    public var rules: CopyRules
    public var audience: String?
    public var sellingPoints: [String]
    public var tone: String?
    public var keywords: [String]
    /// The caller's, the tenant's and the platform's words together; none may appear. Up to 11,000.
    public var bannedWords: [String]
    /// Words the tenant wants to see spelt exactly so. Up to 200.
    public var brandWords: [String]
    public var callToAction: String?
    public var model: String
    public var revision: CopyRevision?
    /// As in ``TitleGenerationRequest``.
    public var promptLabel: String?

    public init(
        topic: String, platform: ContentPlatform, rules: CopyRules, audience: String?, sellingPoints: [String], tone: String?,
        keywords: [String], bannedWords: [String], brandWords: [String], callToAction: String?, model: String,
        revision: CopyRevision? = nil, promptLabel: String? = nil
    ) {
        self.topic = topic
        self.platform = platform
        self.rules = rules
        self.audience = audience
        self.sellingPoints = sellingPoints
        self.tone = tone
        self.keywords = keywords
        self.bannedWords = bannedWords
        self.brandWords = brandWords
        self.callToAction = callToAction
        self.model = model
        self.revision = revision
        self.promptLabel = promptLabel
    }
}

/// agent-center's answer to ``CopyWritingRequest``.
public struct CopyWritingAnswer: Codable, Sendable, Equatable {
    public var copy: CopyText
    /// What compliance found and what became of it; empty where nothing was found.
    public var findings: [ComplianceFinding]
    /// Every rule that the text was held against; one that did not pass is advice (what must pass has passed).
    public var checks: [TextCheck]
    public var provider: String
    public var modelName: String
    public var degraded: Bool
    public var degradedReason: String?
    public var usage: TokenUsage
    /// Name and version of the prompt or template, e.g. `copy@1`.
    public var promptVersion: String
    public var latencyMs: Int

    public init(
        copy: CopyText, findings: [ComplianceFinding], checks: [TextCheck], provider: String, modelName: String, degraded: Bool,
        degradedReason: String?, usage: TokenUsage, promptVersion: String, latencyMs: Int
    ) {
        self.copy = copy
        self.findings = findings
        self.checks = checks
        self.provider = provider
        self.modelName = modelName
        self.degraded = degraded
        self.degradedReason = degradedReason
        self.usage = usage
        self.promptVersion = promptVersion
        self.latencyMs = latencyMs
    }
}

/// A word that advertising law, a platform or the tenant objects to.
public struct ComplianceFinding: Codable, Sendable, Equatable {
    public enum Severity: String, Codable, Sendable, CaseIterable {
        /// May not stand in a text.
        case block
        /// A person should look at it.
        case warn
    }

    /// What became of it.
    public enum Action: String, Codable, Sendable, CaseIterable {
        /// The writer was told and wrote the passage anew.
        case rewritten
        /// A harmless word was put in its place by rule.
        case replaced
        /// What held it was given up: the draft, for a text of the templates, or one title of several.
        case discarded
        /// It stands in the text; an editor should look.
        case warned
    }

    public var word: String
    /// e.g. `superlative`, `absolute`, `medical`, `finance`, `diversion`, `banned` (the tenant's and the caller's own).
    public var category: String
    public var severity: Severity
    /// Where the rule comes from, e.g. `广告法第九条`.
    public var source: String
    /// JSON pointer into the text's object, e.g. `/text`, `/scenes/0/line`.
    public var pointer: String
    /// Grapheme offsets in that member: the first character, and the one after the last. Those of the text in which it was found: the
    /// answer's own for `warned`, an earlier draft's otherwise.
    public var start: Int
    public var end: Int
    public var action: Action

    public init(
        word: String, category: String, severity: Severity, source: String, pointer: String, start: Int, end: Int,
        action: Action
    ) {
        self.word = word
        self.category = category
        self.severity = severity
        self.source = source
        self.pointer = pointer
        self.start = start
        self.end = end
        self.action = action
    }
}

/// One rule that a written text was held against.
public struct TextCheck: Codable, Sendable, Equatable {
    /// e.g. `text_length`, `hashtags`, `emoji`, `links`, `contact`, `key_word`, `compliance`, `timing`.
    public var rule: String
    public var passed: Bool
    /// In Chinese, e.g. `正文 128 字，要求 30–300 字`.
    public var detail: String

    public init(rule: String, passed: Bool, detail: String) {
        self.rule = rule
        self.passed = passed
        self.detail = detail
    }
}

/// The body of a content of kind `copy`.
public struct CopyBody: Codable, Sendable, Equatable {
    public var topic: String
    public var platform: ContentPlatform
    public var title: String?
    public var text: String
    /// Without `#`.
    public var hashtags: [String]
    public var callToAction: String?
    public var brief: ContentBrief?

    public init(
        topic: String, platform: ContentPlatform, title: String? = nil, text: String, hashtags: [String],
        callToAction: String? = nil, brief: ContentBrief? = nil
    ) {
        self.topic = topic
        self.platform = platform
        self.title = title
        self.text = text
        self.hashtags = hashtags
        self.callToAction = callToAction
        self.brief = brief
    }
}

/// The text as it stands and what its editor wants changed.
public struct CopyRevision: Codable, Sendable, Equatable {
    public var previous: CopyText
    /// 1–500 characters.
    public var feedback: String

    public init(previous: CopyText, feedback: String) {
        self.previous = previous
        self.feedback = feedback
    }
}
