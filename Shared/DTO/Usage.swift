public import FoundationEssentials

// What agent-center serves under `/v1/ai/usage` and `/v1/ai/settings`, and the gateway under `/api/ai/…`. Amounts are in 1e-9 of the
// currency, as decimal strings.

/// What calls used, added up.
public struct UsageSums: Codable, Sendable, Equatable {
    /// Pieces of work, those of the templates included.
    public var records: Int
    /// What budgets count: templates are none.
    public var calls: Int
    public var promptTokens: Int
    /// The part of the prompt that vendors had in their caches.
    public var cachedPromptTokens: Int
    public var completionTokens: Int
    /// What the tenant is charged.
    public var costNano: String
    /// What vendors charge for all attempts, answered or not.
    public var spentNano: String
    /// Answered by a fallback model or by the templates, or not at all.
    public var degraded: Int

    public init(
        records: Int, calls: Int, promptTokens: Int, cachedPromptTokens: Int, completionTokens: Int, costNano: String,
        spentNano: String, degraded: Int
    ) {
        self.records = records
        self.calls = calls
        self.promptTokens = promptTokens
        self.cachedPromptTokens = cachedPromptTokens
        self.completionTokens = completionTokens
        self.costNano = costNano
        self.spentNano = spentNano
        self.degraded = degraded
    }
}

/// The sums of one group; it names what the report groups by.
public struct UsageGroup: Codable, Sendable, Equatable {
    /// In the report's zone, `2026-11-20`.
    public var day: String?
    public var scene: String?
    /// `provider/model`.
    public var model: String?
    public var user: String?
    public var flow: String?
    public var sums: UsageSums

    public init(
        day: String? = nil, scene: String? = nil, model: String? = nil, user: String? = nil, flow: String? = nil, sums: UsageSums
    ) {
        self.day = day
        self.scene = scene
        self.model = model
        self.user = user
        self.flow = flow
        self.sums = sums
    }
}

/// `GET /api/ai/usage`
public struct UsageReport: Codable, Sendable, Equatable {
    public var from: Date
    /// Exclusive.
    public var to: Date
    /// IANA; days begin at midnight there.
    public var zone: String
    /// ISO 4217.
    public var currency: String
    /// Of the whole time, not of this page.
    public var total: UsageSums
    /// In the order of what they name.
    public var items: [UsageGroup]
    public var nextCursor: String?

    public init(
        from: Date, to: Date, zone: String, currency: String, total: UsageSums, items: [UsageGroup], nextCursor: String? = nil
    ) {
        self.from = from
        self.to = to
        self.zone = zone
        self.currency = currency
        self.total = total
        self.items = items
        self.nextCursor = nextCursor
    }
}

/// One row of the ledger: a step of an operation.
public struct UsageRecord: Codable, Sendable, Equatable {
    public var operationId: UUID
    public var step: String
    public var flow: String
    public var task: String
    public var scene: String
    public var user: String
    public var apiKeyId: UUID?
    /// `template`: no model; `unknown`: the process died while a model may have been at work.
    public var provider: String
    public var model: String
    public var calls: Int
    public var promptTokens: Int
    public var cachedPromptTokens: Int
    public var completionTokens: Int
    public var costNano: String
    public var spentNano: String
    public var currency: String
    /// Names the price; absent for templates and for models without one.
    public var priceVersion: String?
    /// Whether a vendor did not say what it used.
    public var estimated: Bool
    public var latencyMs: Int
    public var promptVersion: String
    public var degraded: Bool
    public var degradedReason: String?
    public var createdAt: Date
    /// Only where one record is shown.
    public var detail: UsageRecordDetail?

    public init(
        operationId: UUID, step: String, flow: String, task: String, scene: String, user: String, apiKeyId: UUID? = nil,
        provider: String, model: String, calls: Int, promptTokens: Int, cachedPromptTokens: Int, completionTokens: Int,
        costNano: String, spentNano: String, currency: String, priceVersion: String? = nil, estimated: Bool, latencyMs: Int,
        promptVersion: String, degraded: Bool, degradedReason: String? = nil, createdAt: Date, detail: UsageRecordDetail? = nil
    ) {
        self.operationId = operationId
        self.step = step
        self.flow = flow
        self.task = task
        self.scene = scene
        self.user = user
        self.apiKeyId = apiKeyId
        self.provider = provider
        self.model = model
        self.calls = calls
        self.promptTokens = promptTokens
        self.cachedPromptTokens = cachedPromptTokens
        self.completionTokens = completionTokens
        self.costNano = costNano
        self.spentNano = spentNano
        self.currency = currency
        self.priceVersion = priceVersion
        self.estimated = estimated
        self.latencyMs = latencyMs
        self.promptVersion = promptVersion
        self.degraded = degraded
        self.degradedReason = degradedReason
        self.createdAt = createdAt
        self.detail = detail
    }
}

/// How a piece of work went, and what was kept of its text.
public struct UsageRecordDetail: Codable, Sendable, Equatable {
    public var attempts: [UsageAttempt]
    /// What the checks of the text found, as JSON text; each check has a form of its own. Absent where nothing was checked.
    public var checksJson: String?
    public var experimentId: UUID?
    public var experimentArm: String?
    /// SHA-256 in hexadecimal.
    public var promptSha256: String
    public var completionSha256: String
    /// Redacted; absent once erased, and where the tenant keeps none.
    public var prompt: String?
    public var completion: String?

    public init(
        attempts: [UsageAttempt], checksJson: String? = nil, experimentId: UUID? = nil, experimentArm: String? = nil,
        promptSha256: String, completionSha256: String, prompt: String? = nil, completion: String? = nil
    ) {
        self.attempts = attempts
        self.checksJson = checksJson
        self.experimentId = experimentId
        self.experimentArm = experimentArm
        self.promptSha256 = promptSha256
        self.completionSha256 = completionSha256
        self.prompt = prompt
        self.completion = completion
    }
}

/// One call of a vendor.
public struct UsageAttempt: Codable, Sendable, Equatable {
    public var provider: String
    public var askedModel: String
    public var model: String
    /// `ask`, `retry` or `reask`.
    public var purpose: String
    /// `answered`, `rejected`, or what went wrong.
    public var outcome: String
    public var detail: String?
    public var latencyMs: Int
    public var promptTokens: Int
    public var cachedPromptTokens: Int
    public var completionTokens: Int
    public var estimated: Bool
    public var priceVersion: String?
    public var costNano: String

    public init(
        provider: String, askedModel: String, model: String, purpose: String, outcome: String, detail: String? = nil,
        latencyMs: Int, promptTokens: Int, cachedPromptTokens: Int, completionTokens: Int, estimated: Bool,
        priceVersion: String? = nil, costNano: String
    ) {
        self.provider = provider
        self.askedModel = askedModel
        self.model = model
        self.purpose = purpose
        self.outcome = outcome
        self.detail = detail
        self.latencyMs = latencyMs
        self.promptTokens = promptTokens
        self.cachedPromptTokens = cachedPromptTokens
        self.completionTokens = completionTokens
        self.estimated = estimated
        self.priceVersion = priceVersion
        self.costNano = costNano
    }
}

/// `GET /api/ai/usage/records/{operationId}`: every step of an operation.
public struct UsageOperation: Codable, Sendable, Equatable {
    public var operationId: UUID
    public var records: [UsageRecord]

    public init(operationId: UUID, records: [UsageRecord]) {
        self.operationId = operationId
        self.records = records
    }
}

/// `DELETE /api/ai/usage/…/texts`: how many records have lost their text; what they count stays.
public struct ErasedTexts: Codable, Sendable, Equatable {
    public var erased: Int

    public init(erased: Int) { self.erased = erased }
}

/// `GET` and `PUT /api/ai/settings`
public struct AISettings: Codable, Sendable, Equatable {
    /// How long redacted prompts and completions are kept; 0: not at all. Answers are kept for a day at least, for repeats.
    public var retentionDays: Int

    public init(retentionDays: Int) { self.retentionDays = retentionDays }
}
