import FoundationEssentials
import HTTPCore
import PostgresStore

/// The ledger in PostgreSQL: `ai_usage_ledger` for the figures, `ai_completions` for the text, so that a tenant's retention can
/// erase the text without touching a sum.
struct UsageLedgerStore: UsageStore {
    let database: Database

    func begin(_ claims: [UsageClaim]) async throws -> [UsageAdmission] {
        var admissions: [UsageAdmission] = []
        for claim in claims {
            let stored = try await answer(for: claim.call.ledgerKey)
            admissions.append(stored.map { .answered($0) } ?? .granted)
        }
        return admissions
    }

    func finish(_ receipts: [UsageReceipt]) async throws -> [String?] {
        var answers: [String?] = []
        for receipt in receipts {
            answers.append(try await record(receipt.entry, answer: receipt.answer ?? "null", for: receipt.call))
        }
        return answers
    }

    func extend(_ claim: UsageClaim, by nano: Int64) async throws -> Bool { true }

    func release(_ claim: UsageClaim) async throws {}

    func answer(for key: LedgerKey) async throws -> String? {
        let rows = try await database.query(
            """
            SELECT answer FROM ai_completions
            WHERE tenant_id = \(key.tenantId) AND operation_id = \(key.operationId) AND step = \(key.step)
            """, tenant: key.tenantId)
        return try rows.first?.decode("answer", as: JSONText.self).text
    }

    /// A connection that broke is tried again for a while: the model has been paid. Whether the first try was committed is looked up
    /// first, so that nothing is counted twice.
    func record(_ entry: LedgerEntry, answer: String, for call: ModelCall) async throws -> String {
        let limit = ContinuousClock.now + .seconds(4)
        while true {
            do {
                return try await recordOnce(entry, answer: answer, for: call)
            } catch let error as PostgresError where error.isConnectionLoss && .now < limit {
                try await Task.sleep(for: .milliseconds(100))
                if let stored = try? await self.answer(for: call.ledgerKey), stored == answer { return stored }
            }
        }
    }

    private func recordOnce(_ entry: LedgerEntry, answer: String, for call: ModelCall) async throws -> String {
        let key = call.ledgerKey
        let attempts = JSONText(String(decoding: try JSON.encode(entry.attempts), as: UTF8.self))
        let rows = try await database.query(
            """
            WITH kept AS (
                INSERT INTO ai_completions (tenant_id, operation_id, step, answer)
                VALUES (\(key.tenantId), \(key.operationId), \(key.step), \(JSONText(answer)))
                ON CONFLICT (tenant_id, operation_id, step) DO NOTHING
                RETURNING answer
            )
            INSERT INTO ai_usage_ledger AS ledger (
                tenant_id, operation_id, step, flow, subject, provider, model_name, prompt_tokens, cached_prompt_tokens,
                completion_tokens, cost_nano, spent_nano, currency, price_version, is_estimated, latency_ms, attempts,
                prompt_version, prompt_sha256, completion_sha256, degraded, degraded_reason
            ) VALUES (
                \(key.tenantId), \(key.operationId), \(key.step), \(call.flow), \(call.subject), \(entry.provider),
                \(entry.modelName), \(entry.promptTokens), \(entry.cachedPromptTokens), \(entry.completionTokens),
                \(entry.costNano), \(entry.spentNano), \(entry.currency), \(entry.priceVersion as String?), \(entry.isEstimated),
                \(entry.latencyMs), \(attempts), \(entry.promptVersion), \(entry.promptHash), \(entry.completionHash),
                \(entry.isDegraded), \(entry.degradedReason as String?)
            )
            ON CONFLICT (tenant_id, operation_id, step) DO UPDATE SET
                spent_nano = ledger.spent_nano + excluded.spent_nano,
                attempts = ledger.attempts || excluded.attempts
            RETURNING (SELECT answer FROM kept) AS answer
            """, tenant: key.tenantId)
        if let kept = try rows.first?.decode("answer", as: JSONText?.self) { return kept.text }
        // Another process has answered this operation meanwhile: what it gave is what holds.
        guard let earlier = try await self.answer(for: call.ledgerKey) else { throw InternalFailure() }
        return earlier
    }
}
