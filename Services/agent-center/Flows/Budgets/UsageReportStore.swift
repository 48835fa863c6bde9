import DTO
import FoundationEssentials
import HTTPCore
import PostgresStore

/// The SQL of reports, of the ledger's rows, and of the tenant's wish how long texts are kept. All by the tenant, behind row-level security.
struct UsageReportStore: Sendable {
    let database: Database

    private static let sums: SQL = """
        count(*) AS records, coalesce(sum(calls), 0)::bigint AS calls, coalesce(sum(prompt_tokens), 0)::bigint AS prompt_tokens,
        coalesce(sum(cached_prompt_tokens), 0)::bigint AS cached_prompt_tokens,
        coalesce(sum(completion_tokens), 0)::bigint AS completion_tokens, coalesce(sum(cost_nano), 0)::bigint AS cost_nano,
        coalesce(sum(spent_nano), 0)::bigint AS spent_nano, count(*) FILTER (WHERE degraded) AS degraded
        """

    /// - Returns: one group more than the page holds, where there are more.
    func report(_ query: UsageQuery, of tenantId: UUID) async throws -> (total: UsageSums, groups: [UsageGroup]) {
        func key(_ group: UsageQuery.Group) -> SQL {
            guard query.groups.contains(group) else { return "''::text" }
            return switch group {
            case .day: "to_char(created_at AT TIME ZONE \(query.zone), 'YYYY-MM-DD')"
            case .scene: "scene"
            case .model: "provider || '/' || model_name"
            case .user: "subject"
            case .flow: "flow"
            }
        }
        let span: SQL = """
            FROM ai_usage_ledger WHERE tenant_id = \(tenantId) AND created_at >= \(query.from) AND created_at < \(query.to)
            """
        // Compared byte by byte, as the page before was ordered.
        let after = query.after ?? []
        var groups: SQL = """
            SELECT * FROM (
                SELECT \(key(.day)) COLLATE "C" AS day, \(key(.scene)) COLLATE "C" AS scene, \(key(.model)) COLLATE "C" AS model,
                       \(key(.user)) COLLATE "C" AS "user", \(key(.flow)) COLLATE "C" AS flow, \(Self.sums) \(span)
                GROUP BY 1, 2, 3, 4, 5
            ) g
            """
        if after.count == 5 {
            groups.append(
                """
                 WHERE (day, scene, model, "user", flow)
                 > (\(after[0])::text, \(after[1])::text, \(after[2])::text, \(after[3])::text, \(after[4])::text)
                """)
        }
        groups.append(#" ORDER BY day, scene, model, "user", flow LIMIT \#(query.limit + 1)"#)
        let results = try await database.pipeline(["SELECT \(Self.sums) \(span)", groups], tenant: tenantId)
        return (
            try Self.sums(results[0].only),
            try results[1].map { row in
                func name(_ group: UsageQuery.Group) throws -> String? {
                    query.groups.contains(group) ? try row.decode(group.rawValue) : nil
                }
                return UsageGroup(
                    day: try name(.day), scene: try name(.scene), model: try name(.model), user: try name(.user),
                    flow: try name(.flow), sums: try Self.sums(row))
            }
        )
    }

    private static func sums(_ row: Row) throws -> UsageSums {
        UsageSums(
            records: try row.decode("records"), calls: try row.decode("calls"), promptTokens: try row.decode("prompt_tokens"),
            cachedPromptTokens: try row.decode("cached_prompt_tokens"), completionTokens: try row.decode("completion_tokens"),
            costNano: String(try row.decode("cost_nano", as: Int64.self)),
            spentNano: String(try row.decode("spent_nano", as: Int64.self)), degraded: try row.decode("degraded"))
    }

    // MARK: Records

    /// Newest first.
    func records(
        _ query: UsageRecordQuery, of tenantId: UUID
    ) async throws -> [(record: UsageRecord, position: UsageRecordQuery.Position)] {
        var sql: SQL = """
            SELECT l.*, (extract(epoch FROM l.created_at) * 1000000)::bigint AS position FROM ai_usage_ledger l
            WHERE l.tenant_id = \(tenantId)
            """
        if let from = query.from { sql.append(" AND l.created_at >= \(from)") }
        if let to = query.to { sql.append(" AND l.created_at < \(to)") }
        if let flow = query.flow { sql.append(" AND l.flow = \(flow)") }
        if let scene = query.scene { sql.append(" AND l.scene = \(scene)") }
        if let provider = query.provider { sql.append(" AND l.provider = \(provider)") }
        if let model = query.model { sql.append(" AND l.model_name = \(model)") }
        if let user = query.user { sql.append(" AND l.subject = \(user)") }
        if let before = query.before {
            sql.append(
                """
                 AND (l.created_at, l.operation_id, l.step) < (timestamptz 'epoch' + \(before.at) * interval '1 microsecond',
                    \(before.operation), \(before.step)::text)
                """)
        }
        sql.append(" ORDER BY l.created_at DESC, l.operation_id DESC, l.step DESC LIMIT \(query.limit)")
        return try await database.query(sql, tenant: tenantId).map { row in
            let record = try Self.record(row)
            return (
                record,
                .init(at: try row.decode("position"), operation: record.operationId, step: record.step)
            )
        }
    }

    /// Every step of the operation, in the order they began, with what was kept of it.
    func operation(_ id: UUID, of tenantId: UUID) async throws -> [UsageRecord] {
        try await database.query(
            """
            SELECT l.*, c.prompt, c.completion FROM ai_completions c
            JOIN ai_usage_ledger l ON l.tenant_id = c.tenant_id AND l.created_at = c.created_at
                AND l.operation_id = c.operation_id AND l.step = c.step
            WHERE c.tenant_id = \(tenantId) AND c.operation_id = \(id) ORDER BY l.created_at, l.step
            """, tenant: tenantId
        ).map { row in
            var record = try Self.record(row)
            let attempts = try JSON.decode([StoredAttempt].self, from: row.decode("attempts", as: JSONText.self).bytes)
            record.detail = UsageRecordDetail(
                attempts: attempts.map(\.shown), checksJson: try row.decode("checks", as: JSONText?.self)?.text,
                experimentId: try row.decode("experiment_id"), experimentArm: try row.decode("experiment_arm"),
                promptSha256: Self.hexadecimal(try row.decode("prompt_sha256")),
                completionSha256: Self.hexadecimal(try row.decode("completion_sha256")), prompt: try row.decode("prompt"),
                completion: try row.decode("completion"))
            return record
        }
    }

    private static func record(_ row: Row) throws -> UsageRecord {
        UsageRecord(
            operationId: try row.decode("operation_id"), step: try row.decode("step"), flow: try row.decode("flow"),
            task: try row.decode("task"), scene: try row.decode("scene"), user: try row.decode("subject"),
            apiKeyId: try row.decode("api_key_id"), provider: try row.decode("provider"), model: try row.decode("model_name"),
            calls: try row.decode("calls"), promptTokens: try row.decode("prompt_tokens"),
            cachedPromptTokens: try row.decode("cached_prompt_tokens"), completionTokens: try row.decode("completion_tokens"),
            costNano: String(try row.decode("cost_nano", as: Int64.self)),
            spentNano: String(try row.decode("spent_nano", as: Int64.self)), currency: try row.decode("currency"),
            priceVersion: try row.decode("price_version"), estimated: try row.decode("is_estimated"),
            latencyMs: try row.decode("latency_ms"), promptVersion: try row.decode("prompt_version"),
            degraded: try row.decode("degraded"), degradedReason: try row.decode("degraded_reason"),
            createdAt: try row.decode("created_at"))
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    // MARK: Texts

    /// Takes away everything of the operation that somebody could read. A repeat of it is refused from now on: there is nothing to answer.
    ///
    /// - Returns: how many steps had text; `nil` if there is no such operation.
    func eraseTexts(ofOperation id: UUID, tenantId: UUID) async throws -> Int? {
        let results = try await database.pipeline(
            [
                "SELECT count(*) AS steps FROM ai_completions WHERE tenant_id = \(tenantId) AND operation_id = \(id)",
                """
                UPDATE ai_completions SET \(Self.erasing) WHERE tenant_id = \(tenantId) AND operation_id = \(id) AND \(Self.hasText)
                """,
            ], tenant: tenantId)
        return try results[0].only.decode("steps", as: Int.self) == 0 ? nil : results[1].affectedRows
    }

    /// The same for everything that was done for a user.
    func eraseTexts(ofUser user: String, tenantId: UUID) async throws -> Int {
        try await database.query(
            """
            UPDATE ai_completions c SET \(Self.erasing) FROM ai_usage_ledger l
            WHERE l.tenant_id = \(tenantId) AND l.subject = \(user) AND c.tenant_id = \(tenantId)
                AND c.operation_id = l.operation_id AND c.step = l.step AND \(Self.hasText)
            """, tenant: tenantId
        ).affectedRows
    }

    /// The same for everything that was done for the tenant, so many steps at a time.
    func eraseTexts(ofTenant tenantId: UUID, limit: Int) async throws -> Int {
        try await database.query(
            """
            WITH due AS (
                SELECT operation_id, step FROM ai_completions WHERE tenant_id = \(tenantId) AND \(Self.hasText) LIMIT \(limit) FOR UPDATE
            )
            UPDATE ai_completions c SET \(Self.erasing) FROM due d
            WHERE c.tenant_id = \(tenantId) AND c.operation_id = d.operation_id AND c.step = d.step
            """, tenant: tenantId
        ).affectedRows
    }

    private static let hasText: SQL = "(prompt IS NOT NULL OR completion IS NOT NULL OR answer IS NOT NULL)"
    private static let erasing: SQL = """
        erased_at = CASE WHEN answer IS NULL THEN erased_at ELSE app_now() END, answer = NULL, prompt = NULL, completion = NULL
        """

    // MARK: Settings

    /// What holds where a tenant has said nothing.
    static let usualRetentionDays = 30

    func settings(of tenantId: UUID) async throws -> AISettings {
        let row = try await database.query(
            "SELECT retention_days FROM ai_tenant_settings WHERE tenant_id = \(tenantId)", tenant: tenantId
        ).first
        return AISettings(retentionDays: try row?.decode("retention_days") ?? Self.usualRetentionDays)
    }

    func put(_ settings: AISettings, tenantId: UUID) async throws {
        let statement: SQL = """
            INSERT INTO ai_tenant_settings AS s (tenant_id, retention_days) VALUES (\(tenantId), \(settings.retentionDays)::int)
            ON CONFLICT (tenant_id) DO UPDATE
            SET retention_days = excluded.retention_days, version = s.version + 1, updated_at = app_now()
            """
        _ = try await database.pipeline([statement], ofLiving: tenantId)
    }
}

/// An attempt as the ledger's rows hold it, whichever version of the service wrote them.
private struct StoredAttempt: Decodable {
    let provider: String
    let askedModel: String
    let model: String
    let purpose: String
    let outcome: String
    let detail: String?
    let latencyMs: Int
    let promptTokens: Int
    let cachedPromptTokens: Int
    let completionTokens: Int
    let isEstimated: Bool
    let priceVersion: String?
    let costNano: Int64

    var shown: UsageAttempt {
        UsageAttempt(
            provider: provider, askedModel: askedModel, model: model, purpose: purpose, outcome: outcome, detail: detail,
            latencyMs: latencyMs, promptTokens: promptTokens, cachedPromptTokens: cachedPromptTokens,
            completionTokens: completionTokens, estimated: isEstimated, priceVersion: priceVersion, costNano: String(costNano))
    }
}
