import DTO
import FoundationEssentials
import HTTPCore
import PostgresStore

/// The SQL of prompts, versions and labels. Whatever changes what calls get counts the tenant's revision up in its own transaction.
struct PromptStore: Sendable {
    let app: Database
    /// Learns which tenants have changed something.
    let system: Database

    static let mostPrompts = 500
    static let mostLabels = 20

    struct Version: Sendable {
        let number: Int
        let text: String
        let note: String
        let createdBy: String
        let createdAt: Date

        init(_ row: Row) throws {
            number = try row.decode("number")
            text = try row.decode("text")
            note = try row.decode("note")
            createdBy = try row.decode("created_by")
            createdAt = try row.decode("created_at")
        }
    }

    // MARK: For calls

    func changes(after revision: Int64) async throws -> [(tenantId: UUID, revision: Int64)] {
        try await system.query(
            "SELECT tenant_id, revision FROM prompt_tenants WHERE revision > \(revision) ORDER BY revision"
        ).map { (try $0.decode("tenant_id"), try $0.decode("revision")) }
    }

    /// The revision is read first: what is newer than it will be read again.
    func prompts(of tenantId: UUID) async throws -> TenantPrompts.Stored {
        let rows = try await app.pipeline(
            [
                "SELECT revision FROM prompt_tenants WHERE tenant_id = \(tenantId)",
                "SELECT name, label, version FROM prompt_labels WHERE tenant_id = \(tenantId) AND version IS NOT NULL",
                """
                SELECT a.*, e.prompt, e.salt FROM prompt_experiments e
                JOIN prompt_experiment_arms a ON a.tenant_id = e.tenant_id AND a.experiment_id = e.id
                WHERE e.tenant_id = \(tenantId) AND e.state = 'running' ORDER BY e.id, a.position
                """,
                """
                SELECT v.name, v.number, v.text FROM prompt_versions v WHERE v.tenant_id = \(tenantId) AND (v.name, v.number) IN (
                    SELECT name, version FROM prompt_labels WHERE tenant_id = \(tenantId)
                    UNION SELECT e.prompt, a.version FROM prompt_experiments e
                    JOIN prompt_experiment_arms a ON a.tenant_id = e.tenant_id AND a.experiment_id = e.id
                    WHERE e.tenant_id = \(tenantId) AND e.state = 'running')
                """,
            ], tenant: tenantId)
        var stored = TenantPrompts.Stored()
        stored.revision = try rows[0].first?.decode("revision") ?? 0
        for row in rows[1] {
            stored.labels[try row.decode("name"), default: [:]][try row.decode("label")] = try row.decode("version", as: Int.self)
        }
        for row in rows[2] {
            let (prompt, id): (String, UUID) = (try row.decode("prompt"), try row.decode("experiment_id"))
            let salt: String = try row.decode("salt")
            stored.experiments[prompt, default: ExperimentPlan(id: id, salt: salt, arms: [])].arms.append(
                .init(
                    name: try row.decode("name"), version: try row.decode("version"), weight: try row.decode("weight"),
                    isControl: try row.decode("is_control"), isStopped: try row.decode("stopped_at", as: Date?.self) != nil))
        }
        stored.versions = try rows[3].map {
            .init(name: try $0.decode("name"), number: try $0.decode("number"), text: try $0.decode("text"))
        }
        return stored
    }

    /// Revisions become visible in their order: the one row is locked until the change is committed.
    static func changed(_ tenantId: UUID) -> SQL {
        """
        WITH next AS (UPDATE prompt_revision SET revision = revision + 1 RETURNING revision)
        INSERT INTO prompt_tenants AS t (tenant_id, revision) SELECT \(tenantId), revision FROM next
        ON CONFLICT (tenant_id) DO UPDATE SET revision = excluded.revision RETURNING t.revision
        """
    }

    // MARK: Versions

    func names(of tenantId: UUID) async throws -> [String] {
        try await app.query("SELECT name FROM prompts WHERE tenant_id = \(tenantId)", tenant: tenantId)
            .map { try $0.decode("name") }
    }

    /// The newest version of each of the tenant's prompts.
    func newest(of names: [String], tenantId: UUID) async throws -> [String: Version] {
        let rows = try await app.query(
            """
            SELECT v.* FROM prompts p JOIN prompt_versions v
                ON v.tenant_id = p.tenant_id AND v.name = p.name AND v.number = p.last_version
            WHERE p.tenant_id = \(tenantId) AND p.name = ANY (\(names))
            """, tenant: tenantId)
        return Dictionary(try rows.map { (try $0.decode("name", as: String.self), try Version($0)) }) { first, _ in first }
    }

    func versions(of name: String, before: Int?, limit: Int, tenantId: UUID) async throws -> [PromptVersionSummary] {
        try await app.query(
            """
            SELECT number, note, created_by, created_at FROM prompt_versions
            WHERE tenant_id = \(tenantId) AND name = \(name) AND number < \(before ?? Int(Int32.max))
            ORDER BY number DESC LIMIT \(limit)
            """, tenant: tenantId
        ).map {
            PromptVersionSummary(
                version: try $0.decode("number"), note: try $0.decode("note"), createdBy: try $0.decode("created_by"),
                createdAt: try $0.decode("created_at"))
        }
    }

    func version(_ number: Int, of name: String, tenantId: UUID) async throws -> Version? {
        try await app.query(
            "SELECT * FROM prompt_versions WHERE tenant_id = \(tenantId) AND name = \(name) AND number = \(number)",
            tenant: tenantId
        ).first.map(Version.init)
    }

    func add(_ text: String, note: String, to name: String, by author: Prompts.Author) async throws -> Version {
        do {
            return try await app.transaction(ofLiving: author.tenantId) { transaction in
                let same = try await transaction.query(
                    """
                    SELECT * FROM prompt_versions WHERE tenant_id = \(author.tenantId) AND operation_id = \(author.operationId)
                    """)
                if let row = same.first { return try Version(row) }
                let number: Int = try await transaction.query(
                    """
                    INSERT INTO prompts AS p (tenant_id, name, last_version) VALUES (\(author.tenantId), \(name), 1)
                    ON CONFLICT (tenant_id, name) DO UPDATE SET last_version = p.last_version + 1 RETURNING last_version
                    """
                ).only.decode("last_version")
                if number == 1 {
                    let count: Int = try await transaction.query(
                        "SELECT count(*) AS count FROM prompts WHERE tenant_id = \(author.tenantId)"
                    ).only.decode("count")
                    guard count <= Self.mostPrompts else { throw PromptsError.tooManyPrompts(limit: Self.mostPrompts) }
                }
                return try Version(
                    try await transaction.query(
                        """
                        INSERT INTO prompt_versions (tenant_id, name, number, text, note, created_by, operation_id)
                        VALUES (\(author.tenantId), \(name), \(number), \(text), \(note), \(author.subject), \(author.operationId))
                        RETURNING *
                        """
                    ).only)
            }
        } catch let error as PostgresError where error.isUniqueViolation {
            // The same operation, at the same time.
            let row = try await app.query(
                "SELECT * FROM prompt_versions WHERE tenant_id = \(author.tenantId) AND operation_id = \(author.operationId)",
                tenant: author.tenantId
            ).first
            guard let row else { throw error }
            return try Version(row)
        }
    }

    // MARK: Labels

    /// By prompt, in the order of their names.
    func labels(of names: [String], tenantId: UUID) async throws -> [String: [PromptLabel]] {
        let rows = try await app.query(
            """
            SELECT * FROM prompt_labels WHERE tenant_id = \(tenantId) AND name = ANY (\(names)) AND version IS NOT NULL
            ORDER BY name, label
            """, tenant: tenantId)
        var labels: [String: [PromptLabel]] = [:]
        for row in rows { labels[try row.decode("name"), default: []].append(try Self.label(row)) }
        return labels
    }

    private static func label(_ row: Row) throws -> PromptLabel {
        PromptLabel(
            label: try row.decode("label"), version: try row.decode("version", as: Int?.self) ?? 0,
            revision: try row.decode("revision"), updatedBy: try row.decode("updated_by"),
            updatedAt: try row.decode("updated_at"))
    }

    enum Target: Sendable {
        case to(Int)
        /// To what it was before; `base` is what it was before anybody moved it.
        case back(base: Int?)
        case away

        var kind: String {
            switch self {
            case .to: "moved"
            case .back: "rolled_back"
            case .away: "deleted"
            }
        }
    }

    /// - Returns: the label as it stands now, and the tenant's revision from which that holds.
    func move(
        _ target: Target, _ label: String, of name: String, expecting expectation: Prompts.Expectation, by author: Prompts.Author
    ) async throws -> (label: PromptLabel, revision: Int64) {
        let tenantId = author.tenantId
        return try await app.transaction(ofLiving: tenantId) { transaction in
            try transaction.enqueue(
                """
                INSERT INTO prompt_labels (tenant_id, name, label, revision, updated_by)
                VALUES (\(tenantId), \(name), \(label), 0, \(author.subject)) ON CONFLICT DO NOTHING
                """)
            let now = try await transaction.query(
                """
                SELECT l.version, l.revision, m.parent, m.operation_id, below.to_version AS before,
                    below.parent AS grandparent FROM prompt_labels l
                LEFT JOIN prompt_label_moves m
                    ON m.tenant_id = l.tenant_id AND m.name = l.name AND m.label = l.label AND m.revision = l.revision
                LEFT JOIN prompt_label_moves below
                    ON below.tenant_id = l.tenant_id AND below.name = l.name AND below.label = l.label AND below.revision = m.parent
                WHERE l.tenant_id = \(tenantId) AND l.name = \(name) AND l.label = \(label) FOR UPDATE OF l
                """
            ).only
            let (version, revision): (Int?, Int) = (try now.decode("version"), try now.decode("revision"))
            // The last move was this operation's: its repeat finds it done.
            let isRepeat = try now.decode("operation_id", as: UUID?.self) == author.operationId
            if !isRepeat {
                if case .away = target, version == nil { throw NotFound() }
                if case .to = target, revision == 0 { try await Self.requireRoom(name, tenantId, transaction) }
                let step = try Self.step(target, now, version: version, revision: revision, expectation)
                if case .to(let number) = target, number > 0 {
                    let known = try await transaction.query(
                        "SELECT 1 FROM prompt_versions WHERE tenant_id = \(tenantId) AND name = \(name) AND number = \(number)")
                    guard !known.isEmpty else { throw PromptsError.unknownVersion }
                }
                // To where it stands already is no move: a rollback from there would change nothing.
                if case .to = target, step.version == version {
                    return try await Self.outcome(label, of: name, tenantId, transaction)
                }
                try transaction.enqueue(
                    """
                    INSERT INTO prompt_label_moves
                        (tenant_id, name, label, revision, kind, from_version, to_version, parent, moved_by, operation_id)
                    VALUES (\(tenantId), \(name), \(label), \(revision + 1), \(target.kind), \(version), \(step.version),
                        \(step.parent), \(author.subject), \(author.operationId))
                    """)
                try transaction.enqueue(
                    """
                    UPDATE prompt_labels SET version = \(step.version), revision = revision + 1, updated_by = \(author.subject),
                        updated_at = app_now()
                    WHERE tenant_id = \(tenantId) AND name = \(name) AND label = \(label)
                    """)
            }
            return try await Self.outcome(label, of: name, tenantId, transaction)
        }
    }

    private static func outcome(
        _ label: String, of name: String, _ tenantId: UUID, _ transaction: Transaction
    ) async throws -> (label: PromptLabel, revision: Int64) {
        let row = try await transaction.query(
            "SELECT * FROM prompt_labels WHERE tenant_id = \(tenantId) AND name = \(name) AND label = \(label)"
        ).only
        let changed = try await transaction.query(changed(tenantId)).only
        return (try self.label(row), try changed.decode("revision"))
    }

    /// Where the label goes, and the move whose place a rollback from there would go back to (0: before anybody moved it).
    private static func step(
        _ target: Target, _ now: Row, version: Int?, revision: Int, _ expectation: Prompts.Expectation
    ) throws -> (version: Int?, parent: Int?) {
        if let revisions = expectation.revisions, !revisions.contains(revision) { throw PromptsError.labelMoved }
        if let expected = expectation.version, expected != version ?? 0 { throw PromptsError.labelMoved }
        switch target {
        case .to(let number):
            if expectation.revisions == nil, expectation.version == nil, version != nil { throw PromptsError.expectationMissing }
            return (number, revision)
        case .away: return (nil, revision)
        case .back(let first):
            guard revision > 0, let parent = try now.decode("parent", as: Int?.self) else { throw PromptsError.nothingBefore }
            if parent > 0 { return (try now.decode("before"), try now.decode("grandparent")) }
            guard let first else { throw PromptsError.nothingBefore }
            return (first, nil)
        }
    }

    private static func requireRoom(_ name: String, _ tenantId: UUID, _ transaction: Transaction) async throws {
        let count: Int = try await transaction.query(
            "SELECT count(*) AS count FROM prompt_labels WHERE tenant_id = \(tenantId) AND name = \(name)"
        ).only.decode("count")
        guard count <= mostLabels else { throw PromptsError.tooManyLabels(limit: mostLabels) }
    }

    func moves(
        of label: String, _ name: String, before: Int?, limit: Int, tenantId: UUID
    ) async throws -> [PromptLabelMove] {
        try await app.query(
            """
            SELECT * FROM prompt_label_moves
            WHERE tenant_id = \(tenantId) AND name = \(name) AND label = \(label) AND revision < \(before ?? Int(Int32.max))
            ORDER BY revision DESC LIMIT \(limit)
            """, tenant: tenantId
        ).map { row in
            PromptLabelMove(
                revision: try row.decode("revision"), kind: try row.decode("kind"), from: try row.decode("from_version"),
                to: try row.decode("to_version"), movedBy: try row.decode("moved_by"), movedAt: try row.decode("moved_at"))
        }
    }

    func runningExperiment(of name: String, tenantId: UUID) async throws -> UUID? {
        try await app.query(
            "SELECT id FROM prompt_experiments WHERE tenant_id = \(tenantId) AND prompt = \(name) AND state = 'running'",
            tenant: tenantId
        ).first?.decode("id")
    }
}
