import PostgresStore

/// An open reservation before the ledger: a step that was swept may be held anew.
struct HeldSpendingStore: HeldSpending {
    let database: Database

    func spending(_ key: LedgerKey) async throws -> StepSpending? {
        try await database.query(
            """
            SELECT 'open' AS state, r.ticket_id, r.model, r.scene, r.subject, r.api_key_id, r.amount_nano, r.currency, r.created_at
            FROM ai_reservations r
            WHERE r.tenant_id = \(key.tenantId) AND r.operation_id = \(key.operationId) AND r.step = \(key.step)
            UNION ALL
            SELECT CASE WHEN c.answer IS NULL AND c.erased_at IS NULL THEN 'swept' ELSE 'settled' END, c.ticket_id, l.model_name,
                   l.scene, l.subject, l.api_key_id, l.cost_nano, l.currency, l.created_at
            FROM ai_completions c JOIN ai_usage_ledger l ON l.tenant_id = c.tenant_id AND l.created_at = c.created_at
                AND l.operation_id = c.operation_id AND l.step = c.step
            WHERE c.tenant_id = \(key.tenantId) AND c.operation_id = \(key.operationId) AND c.step = \(key.step)
            ORDER BY 1 LIMIT 1
            """, tenant: key.tenantId
        ).first.map { row in
            let state: StepSpending.State =
                switch try row.decode("state", as: String.self) {
                case "open": .open
                case "settled": .settled
                default: .swept
                }
            return StepSpending(
                state: state, ticketId: try row.decode("ticket_id"), model: try row.decode("model"),
                scene: try row.decode("scene"), subject: try row.decode("subject"), apiKeyId: try row.decode("api_key_id"),
                amountNano: try row.decode("amount_nano"), currency: try row.decode("currency"),
                createdAt: try row.decode("created_at"))
        }
    }
}
