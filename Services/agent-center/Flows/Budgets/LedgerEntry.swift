import Cryptography
import FoundationEssentials
import HTTPCore

/// One piece of paid work: whose it is and which intended operation it belongs to. The ledger holds one row for each.
struct LedgerKey: Sendable, Hashable {
    let tenantId: UUID
    let operationId: UUID
    /// What the operation asks of this service, e.g. `titles`; an operation may have several steps.
    let step: String
}

/// What a piece of work used and how it came out. Whose it is and what for stands in its ``ModelCall``.
struct LedgerEntry: Sendable, Equatable {
    /// What was asked and answered, as text. Kept redacted, and only as long as the tenant says.
    struct Texts: Sendable, Equatable {
        var prompt: String
        var completion: String
    }

    /// The arm of an experiment that wrote the prompt.
    struct ExperimentArm: Sendable, Equatable {
        var experimentId: UUID
        var arm: String
    }

    var provider: String
    var modelName: String
    var promptTokens: Int
    var cachedPromptTokens: Int
    var completionTokens: Int
    /// Texts that a model answered, as budgets count calls; at most as many as were set aside.
    var calls: Int
    /// What the tenant is charged, in 1e-9 of `currency`; 0 for templates.
    var costNano: Int64
    /// What the vendors charge for all attempts, answered or not.
    var spentNano: Int64
    /// ISO 4217.
    var currency: String
    /// Names the price of the attempt that answered; `nil` for templates and for models without a price.
    var priceVersion: String?
    var isEstimated: Bool
    var latencyMs: Int
    var attempts: [ModelAttempt]
    /// E.g. `title.douyin@1`; empty where the caller brought its own messages.
    var promptVersion: String
    /// SHA-256, 32 bytes.
    var promptHash: [UInt8]
    var completionHash: [UInt8]
    var isDegraded: Bool
    var degradedReason: String?
    /// What the checks of the text found, e.g. compliance; an array, or `nil` where nothing was checked.
    var checks: JSONValue?
    var experiment: ExperimentArm?
    var texts: Texts?
}

extension LedgerEntry {
    /// An entry for what the ladder did: tokens and money are the sums over its attempts.
    ///
    /// - Parameters:
    ///   - isCharged: whether the tenant pays, and it is a call; not for an answer that no model gave (design §3, law 6).
    ///   - priceVersion: of the attempt that answered.
    init(
        provider: String, modelName: String, attempts: [ModelAttempt], isCharged: Bool, currency: String, priceVersion: String?,
        latencyMs: Int, promptVersion: String, texts: Texts, degradedReason: String? = nil, isDegraded: Bool = false
    ) {
        let spent = attempts.reduce(0) { $0 + $1.costNano }
        self.init(
            provider: provider, modelName: modelName, promptTokens: attempts.reduce(0) { $0 + $1.promptTokens },
            cachedPromptTokens: attempts.reduce(0) { $0 + $1.cachedPromptTokens },
            completionTokens: attempts.reduce(0) { $0 + $1.completionTokens }, calls: isCharged ? 1 : 0,
            costNano: isCharged ? spent : 0, spentNano: spent,
            currency: currency, priceVersion: priceVersion, isEstimated: attempts.contains { $0.isEstimated },
            latencyMs: latencyMs, attempts: attempts, promptVersion: promptVersion, promptHash: SHA256.hash(texts.prompt),
            completionHash: SHA256.hash(texts.completion), isDegraded: isDegraded, degradedReason: degradedReason, texts: texts)
    }
}
