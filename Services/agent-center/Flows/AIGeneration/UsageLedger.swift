import FoundationEssentials

/// One piece of paid work: whose it is and which intended operation it belongs to. The ledger holds one row for each.
struct LedgerKey: Sendable, Hashable {
    let tenantId: UUID
    let operationId: UUID
    /// What the operation asks of this service, e.g. `titles`; an operation may have several steps.
    let step: String
}

/// What a piece of work used and how it came out.
struct LedgerEntry: Sendable, Equatable {
    /// The flow's name (design §2).
    var flow: String
    /// Who asked, as the signed context says it.
    var subject: String
    var provider: String
    var modelName: String
    var promptTokens: Int
    var cachedPromptTokens: Int
    var completionTokens: Int
    /// What the tenant is charged, in 1e-9 of `currency`; 0 for templates.
    var costNano: Int64
    /// What the vendors charge for all attempts, answered or not.
    var spentNano: Int64
    var currency: String
    /// Names the price of the attempt that answered; `nil` for templates and for models without a price.
    var priceVersion: String?
    var isEstimated: Bool
    var latencyMs: Int
    var attempts: [ModelAttempt]
    var promptVersion: String
    /// SHA-256, 32 bytes.
    var promptHash: [UInt8]
    var completionHash: [UInt8]
    var isDegraded: Bool
    var degradedReason: String?
}

/// Remembers what was done for an operation.
protocol UsageLedger: Sendable {
    /// The answer that was given for the key, as JSON text; `nil` if there was none.
    func answer(for key: LedgerKey) async throws -> String?

    /// Writes the entry and the answer in one transaction. If another process was faster, its answer stays, and what was spent
    /// here is added to its row, so that no money is lost from sight.
    ///
    /// - Returns: the answer that holds from now on.
    func record(_ entry: LedgerEntry, answer: String, for key: LedgerKey) async throws -> String
}
