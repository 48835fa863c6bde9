import DTO
import FoundationEssentials
import Messaging
import PostgresStore

/// The SQL of materials. A change and its event are one transaction.
struct MaterialStore: Sendable {
    let database: Database
    /// As in ``ContentsStore``.
    let onCommit: @Sendable () -> Void

    // MARK: Writing

    /// Writes a material, or answers the one that the operation has written before, as it is now.
    func insertOnce(_ new: NewMaterial, by author: Author) async throws -> Material {
        let id = UUID.version7()
        let material = try await database.transaction(tenant: author.tenantId) { transaction -> Material in
            let now: Date = try await transaction.query("SELECT app_now() AS now").only.decode("now")
            let inserted = try await transaction.execute(
                """
                INSERT INTO materials
                    (tenant_id, id, kind, title, body, stages, industries, products, objections, audience, customer_facing,
                     expires_at, created_by, updated_by, created_at, updated_at, operation_id, rank)
                VALUES
                    (\(author.tenantId), \(id), \(new.kind.rawValue), \(new.title), \(new.text), \(new.stages ?? []),
                     \(new.industries ?? []), \(new.products ?? []), \(new.objections ?? []), \(new.audience ?? []),
                     \(new.customerFacing ?? false), \(new.expiresAt), \(author.subject), \(author.subject), \(now), \(now),
                     \(author.operationId), \(MaterialRanking.rank(MaterialRanking.Counts(), activeAt: now)))
                ON CONFLICT ON CONSTRAINT materials_operation DO NOTHING
                """)
            guard inserted == 1 else {
                return try await Self.find(
                    "m.tenant_id = \(author.tenantId) AND m.operation_id = \(author.operationId)", in: transaction
                ).only.material()
            }
            try await Self.attach(new.assetIds ?? [], to: id, by: author, in: transaction)
            let material = try await Self.find("m.tenant_id = \(author.tenantId) AND m.id = \(id)", in: transaction).only
                .material()
            try await Self.tell(of: MaterialChange(after: material, action: .created), by: author, in: transaction)
            return material
        }
        onCommit()
        return material
    }

    /// Changes a material under its row's lock. A repeat of the operation that changed it last changes nothing.
    ///
    /// - Parameters:
    ///   - isInBin: looks there, and only there.
    ///   - apply: what becomes of it; `nil` where nothing changes.
    /// - Returns: `nil` where there is no such material for `viewer`.
    func change(
        _ id: UUID, for viewer: MaterialViewer, by author: Author, isInBin: Bool,
        _ apply: @escaping @Sendable (_ before: Material, _ now: Date) throws -> MaterialChange?
    ) async throws -> Material? {
        let tenantId = viewer.tenantId
        let material = try await database.transaction(tenant: tenantId) { transaction -> Material? in
            let rows = try await transaction.query(
                """
                SELECT m.last_operation_id, m.sent, m.opened, m.won, app_now() AS now FROM materials m
                WHERE \(Self.isThere(id, for: viewer, isInBin: isInBin)) FOR NO KEY UPDATE
                """)
            guard let row = rows.first else { return nil }
            let found: SQL = "m.tenant_id = \(tenantId) AND m.id = \(id)"
            let before = try await Self.find(found, in: transaction).only.material()
            if let operation = author.operationId, try row.decode("last_operation_id", as: UUID?.self) == operation {
                return before
            }
            guard let change = try apply(before, try row.decode("now")) else { return before }
            try await Self.write(change.after, over: before, row, by: author, in: transaction)
            let after = try await Self.find(found, in: transaction).only.material()
            try await Self.tell(of: MaterialChange(after: after, action: change.action), by: author, in: transaction)
            return after
        }
        if material != nil { onCommit() }
        return material
    }

    private static func write(
        _ after: Material, over before: Material, _ row: Row, by author: Author, in transaction: Transaction
    ) async throws {
        let now: Date = try row.decode("now")
        let rank = try MaterialRanking.rank(row.counts(), activeAt: now)
        try transaction.enqueue(
            """
            UPDATE materials SET title = \(after.title), body = \(after.text), stages = \(after.stages),
                industries = \(after.industries), products = \(after.products), objections = \(after.objections),
                audience = \(after.audience), customer_facing = \(after.customerFacing), status = \(after.status.rawValue),
                review_note = \(after.reviewNote), reviewed_by = \(after.reviewedBy), reviewed_at = \(after.reviewedAt),
                expires_at = \(after.expiresAt), deleted_at = \(after.deletedAt), version = version + 1,
                updated_by = \(author.subject), updated_at = \(now), last_operation_id = \(author.operationId), rank = \(rank)
            WHERE tenant_id = \(author.tenantId) AND id = \(before.id)
            """)
        guard after.assetIds != before.assetIds else { return }
        try transaction.enqueue(
            "DELETE FROM material_assets WHERE tenant_id = \(author.tenantId) AND material_id = \(before.id)")
        try await attach(after.assetIds, to: before.id, besides: before.assetIds, by: author, in: transaction)
    }

    /// - Parameter before: what it had already, whether or not its editor sees that elsewhere.
    /// - Throws: ``MaterialError/unknownAssets(_:)``.
    private static func attach(
        _ assets: [UUID], to id: UUID, besides before: [UUID] = [], by author: Author, in transaction: Transaction
    ) async throws {
        let tenantId = author.tenantId
        guard !assets.isEmpty else { return }
        // Nobody deletes them before the commit.
        let known = try await transaction.query(
            """
            SELECT id FROM content_assets
            WHERE tenant_id = \(tenantId) AND id = ANY(\(assets)) AND state = 'ready'
                AND (id = ANY(\(before)) OR (\(AssetsStore.isVisible(to: author.viewer)))) FOR KEY SHARE
            """
        ).map { try $0.decode("id", as: UUID.self) }
        let unknown = assets.indices.filter { !known.contains(assets[$0]) }
        guard unknown.isEmpty else { throw MaterialError.unknownAssets(unknown) }
        try transaction.enqueue(
            """
            INSERT INTO material_assets (tenant_id, material_id, position, asset_id)
            SELECT \(tenantId), \(id), n, asset FROM unnest(\(assets)) WITH ORDINALITY AS a (asset, n)
            """)
    }

    private static func tell(of change: MaterialChange, by author: Author, in transaction: Transaction) async throws {
        try await Outbox.append([MaterialEvent.changed(change).cloudEvent(by: author)], in: transaction)
    }

    /// Counts an outcome, unless the same event has told of it before.
    ///
    /// - Returns: `nil` where there is no such material for `viewer`.
    /// - Throws: ``MaterialError/wrongStatus(_:)``.
    func record(
        _ outcome: NewMaterialOutcome, of id: UUID, for viewer: MaterialViewer, by author: Author
    ) async throws -> MaterialOutcomes? {
        let tenantId = viewer.tenantId
        let event = outcome.eventId ?? author.operationId ?? UUID.version7()
        return try await database.transaction(tenant: tenantId) { transaction in
            let rows = try await transaction.query(
                """
                SELECT m.status, m.sent, m.opened, m.won, m.last_won_at, m.updated_at, app_now() AS now FROM materials m
                WHERE \(Self.isThere(id, for: viewer)) FOR NO KEY UPDATE
                """)
            guard let row = rows.first else { return nil }
            var counts = try row.counts()
            let status: MaterialStatus = try row.decodeCase("status")
            guard MaterialApproval.mayHaveBeenSent(status, counts) else { throw MaterialError.wrongStatus(status) }
            let inserted = try await transaction.execute(
                """
                INSERT INTO material_outcomes
                    (tenant_id, material_id, outcome, event_id, customer_ref, conversation_ref, recorded_by)
                VALUES (\(tenantId), \(id), \(outcome.outcome.rawValue), \(event), \(outcome.customerRef),
                        \(outcome.conversationRef), \(author.subject))
                ON CONFLICT DO NOTHING
                """)
            guard inserted == 1 else { return try row.outcomes() }
            let now: Date = try row.decode("now")
            var lastWonAt = try row.decode("last_won_at", as: Date?.self)
            switch outcome.outcome {
            case .sent: counts.sent += 1
            case .opened: counts.opened += 1
            case .won:
                counts.won += 1
                lastWonAt = now
            }
            let activeAt = max(try row.decode("updated_at"), lastWonAt ?? .distantPast)
            try transaction.enqueue(
                """
                UPDATE materials SET sent = \(counts.sent)::bigint, opened = \(counts.opened)::bigint, won = \(counts.won)::bigint,
                    last_won_at = \(lastWonAt), rank = \(MaterialRanking.rank(counts, activeAt: activeAt))
                WHERE tenant_id = \(tenantId) AND id = \(id)
                """)
            return MaterialOutcomes(
                sent: counts.sent, opened: counts.opened, won: counts.won,
                score: MaterialRanking.score(counts, activeAt: activeAt, now: now), lastWonAt: lastWonAt)
        }
    }

    // MARK: Reading

    func entry(_ id: UUID, for viewer: MaterialViewer) async throws -> MaterialEntry? {
        try await database.query(
            "SELECT \(unescaped: Self.columns) FROM materials m WHERE \(Self.isThere(id, for: viewer))", tenant: viewer.tenantId
        ).first.map { try $0.entry() }
    }

    /// By id the newest first, or by rank the best first. A rank may move between two pages.
    func list(_ filter: MaterialFilter, for viewer: MaterialViewer) async throws -> [RankedMaterial] {
        var sql: SQL = "SELECT \(unescaped: Self.columns) FROM materials m WHERE \(Self.isVisible(to: viewer))"
        sql.append(filter.isDeleted ? " AND m.deleted_at IS NOT NULL" : " AND m.deleted_at IS NULL")
        for word in filter.words { sql.append(Self.says(word)) }
        if let kind = filter.kind { sql.append(" AND m.kind = \(kind.rawValue)") }
        if let status = filter.status { sql.append(" AND m.status = \(status.rawValue)") }
        if let stage = filter.stage { sql.append(" AND \(stage) = ANY(m.stages)") }
        if let industry = filter.industry { sql.append(" AND \(industry) = ANY(m.industries)") }
        if let product = filter.product { sql.append(" AND \(product) = ANY(m.products)") }
        if let objection = filter.objection { sql.append(" AND \(objection) = ANY(m.objections)") }
        if let customerFacing = filter.customerFacing { sql.append(" AND m.customer_facing = \(customerFacing)") }
        if let isExpired = filter.isExpired { sql.append(" AND coalesce(m.expires_at <= app_now(), false) = \(isExpired)") }
        switch (filter.order, filter.after) {
        case (.newest, let after?): sql.append(" AND m.id < \(after.id)")
        case (.ranking, let after?): sql.append(" AND (m.rank, m.id) < (\(after.rank ?? 0), \(after.id))")
        case (_, nil): break
        }
        sql.append(filter.order == .newest ? " ORDER BY m.id DESC" : " ORDER BY m.rank DESC, m.id DESC")
        sql.append(" LIMIT \(filter.limit)")
        return try await database.query(sql, tenant: viewer.tenantId).map {
            RankedMaterial(entry: try $0.entry(), rank: try $0.decode("rank"))
        }
    }

    /// What is approved, has not ended and fits: what says more of what is asked for first, then by rank, and last what has a file whose
    /// rights have ended. What is made for something else
    /// does not fit; what is made for nothing in particular does.
    func offered(_ wish: MaterialWish, for viewer: MaterialViewer) async throws -> [MaterialEntry] {
        let wishes: [(column: String, value: String)] = [
            ("stages", wish.stage), ("industries", wish.industry), ("products", wish.product), ("objections", wish.objection),
        ].compactMap { column, value in value.map { (column, $0) } }
        var sql: SQL = """
            SELECT \(unescaped: Self.columns) FROM materials m
            WHERE \(Self.isVisible(to: viewer)) AND m.deleted_at IS NULL AND \(unescaped: Self.isOffered)
            """
        for (column, value) in wishes {
            sql.append(" AND (m.\(unescaped: column) = '{}' OR \(value) = ANY(m.\(unescaped: column)))")
        }
        if let kind = wish.kind { sql.append(" AND m.kind = \(kind.rawValue)") }
        if let conversation = wish.conversationRef {
            sql.append(
                """
                 AND NOT EXISTS (SELECT FROM material_outcomes o WHERE o.tenant_id = m.tenant_id AND o.material_id = m.id
                    AND o.conversation_ref = \(conversation))
                """)
        }
        let fits = wishes.map { column, value -> SQL in "(\(value) = ANY(m.\(unescaped: column)))::integer" }
        let fit = fits.isEmpty ? "0::bigint" : SQL.joined(fits, separator: " + ")
        sql.append(" ORDER BY \(unescaped: Self.hasExpiredFile), \(fit) DESC, m.rank DESC, m.id DESC")
        sql.append(" LIMIT \(wish.limit)")
        return try await database.query(sql, tenant: viewer.tenantId).map { try $0.entry() }
    }

    private static let columns = """
        m.id, m.kind, m.title, m.body, m.stages, m.industries, m.products, m.objections, m.audience, m.customer_facing, m.status,
        m.review_note, m.reviewed_by, m.reviewed_at, m.expires_at, m.version, m.created_by, m.updated_by, m.created_at, m.updated_at,
        m.deleted_at, m.sent, m.opened, m.won, m.last_won_at, m.rank, app_now() AS now,
        (SELECT \(LibraryAsset.rightsStateColumn) FROM material_assets a
            JOIN content_assets ON content_assets.tenant_id = a.tenant_id AND content_assets.id = a.asset_id
            WHERE a.tenant_id = m.tenant_id AND a.material_id = m.id
            ORDER BY array_position(ARRAY['expired', 'upcoming', 'expiring', 'unstated', 'valid'], \(LibraryAsset.rightsStateColumn))
            LIMIT 1) AS rights_state,
        ARRAY(SELECT a.asset_id FROM material_assets a WHERE a.tenant_id = m.tenant_id AND a.material_id = m.id ORDER BY a.position)
            AS asset_ids
        """

    /// What has the word in its title, its text or a label, in whatever case and width. A page's rows come in the list's order, and each is
    /// looked at until there are enough: a tenant has thousands of materials, not millions.
    private static func says(_ word: String) -> SQL {
        """
         AND position(lower(normalize(\(word)::text, NFKC)) IN lower(normalize(concat_ws(E'\\n', m.title, m.body,
            array_to_string(m.stages || m.industries || m.products || m.objections, E'\\n')), NFKC))) > 0
        """
    }

    private static func find(_ condition: SQL, in transaction: Transaction) async throws -> RowSet {
        try await transaction.query("SELECT \(unescaped: columns) FROM materials m WHERE \(condition)")
    }

    private static func isThere(_ id: UUID, for viewer: MaterialViewer, isInBin: Bool = false) -> SQL {
        "m.id = \(id) AND \(isVisible(to: viewer)) AND m.deleted_at \(unescaped: isInBin ? "IS NOT NULL" : "IS NULL")"
    }

    private static func isVisible(to viewer: MaterialViewer) -> SQL {
        var sql: SQL = "m.tenant_id = \(viewer.tenantId)"
        if viewer.seesCustomerFacingOnly {
            sql.append(
                """
                 AND m.customer_facing AND \(unescaped: isOffered) AND NOT \(unescaped: hasExpiredFile)
                AND (m.audience = '{}' OR m.audience && \(viewer.roles))
                """)
        } else if !viewer.seesAllAudiences {
            sql.append(" AND (m.audience = '{}' OR m.audience && \(viewer.roles) OR m.created_by = \(viewer.subject))")
        }
        return sql
    }

    /// A condition on `materials m`.
    static let isOffered = "m.status = 'approved' AND (m.expires_at IS NULL OR m.expires_at > app_now())"

    /// A condition on `materials m`: it has a file that may not be used any more.
    private static let hasExpiredFile = """
        EXISTS (SELECT FROM material_assets h
            JOIN content_assets f ON f.tenant_id = h.tenant_id AND f.id = h.asset_id AND f.rights_expires_at <= app_now()
            WHERE h.tenant_id = m.tenant_id AND h.material_id = m.id)
        """
}

extension Row {
    fileprivate func counts() throws -> MaterialRanking.Counts {
        MaterialRanking.Counts(sent: try decode("sent"), opened: try decode("opened"), won: try decode("won"))
    }

    fileprivate func outcomes() throws -> MaterialOutcomes {
        let (counts, lastWonAt) = (try counts(), try decode("last_won_at", as: Date?.self))
        let activeAt = max(try decode("updated_at"), lastWonAt ?? .distantPast)
        return MaterialOutcomes(
            sent: counts.sent, opened: counts.opened, won: counts.won,
            score: MaterialRanking.score(counts, activeAt: activeAt, now: try decode("now")), lastWonAt: lastWonAt)
    }

    fileprivate func entry() throws -> MaterialEntry { MaterialEntry(material: try material(), outcomes: try outcomes()) }

    fileprivate func material() throws -> Material {
        var material = Material(
            id: try decode("id"), kind: try decodeCase("kind"), title: try decode("title"), text: try decode("body"),
            assetIds: try decode("asset_ids"), stages: try decode("stages"), industries: try decode("industries"),
            products: try decode("products"), objections: try decode("objections"), audience: try decode("audience"),
            customerFacing: try decode("customer_facing"), status: try decodeCase("status"),
            reviewNote: try decode("review_note"), reviewedBy: try decode("reviewed_by"), reviewedAt: try decode("reviewed_at"),
            expiresAt: try decode("expires_at"), version: try decode("version"), createdBy: try decode("created_by"),
            updatedBy: try decode("updated_by"), createdAt: try decode("created_at"), updatedAt: try decode("updated_at"),
            deletedAt: try decode("deleted_at"))
        material.rightsState = try decodeOptionalCase("rights_state")
        return material
    }
}
