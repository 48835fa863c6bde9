import DTO
import FoundationEssentials
import Messaging
import Observability
import PostgresStore

/// The SQL of first versions. Drafts of a tenant that are saved at the same time are one transaction.
struct DraftsStore: Sendable {
    /// A content that is to be, and how to tell of it.
    private struct Draft: Sendable {
        let id = UUID.version7()
        let content: NewContent
        let body: JSONText
        let author: Author
        let events: @Sendable (Content) -> [ContentEvent]
        let context = CallContext.current

        /// Nobody repeats what has no operation.
        var step: String? { author.operationId.map { _ in content.step } }

        func written(at moment: Date) -> Content {
            Content(
                id: id, status: .draft, groupId: content.groupId, version: 1, title: content.title, body: content.body,
                source: content.source, author: author.subject, createdAt: moment, updatedAt: moment)
        }

        /// Events name the request that they come from, not the batch.
        func told(of content: Content) throws -> [CloudEvent] {
            try CallContext.$current.withValue(context) { try events(content).map { try $0.cloudEvent(by: author) } }
        }
    }

    private let together: GroupCommit<UUID, Draft, Content?>

    /// - Parameter onCommit: wakes the outbox relay.
    init(database: Database, onCommit: @escaping @Sendable () -> Void) {
        together = GroupCommit(size: { $0.body.text.utf8.count }) { tenantId, drafts in
            let written = try await database.transaction(tenant: tenantId) { transaction in
                let rows = try await transaction.query(Self.insert(drafts, of: tenantId))
                let moments = try rows.reduce(into: [UUID: Date]()) { $0[try $1.decode("id")] = try $1.decode("created_at") }
                let contents = drafts.map { draft in moments[draft.id].map(draft.written) }
                let events = try zip(drafts, contents).flatMap { draft, content in try content.map(draft.told) ?? [] }
                try await Outbox.append(events, in: transaction)
                return contents
            }
            onCommit()
            return written
        }
    }

    /// Writes a content with version 1.
    ///
    /// - Returns: `nil` where the operation's step has written a version before: nothing is written then.
    func save(
        _ draft: NewContent, by author: Author, emitting events: @escaping @Sendable (Content) -> [ContentEvent]
    ) async throws -> Content? {
        let draft = Draft(content: draft, body: try JSONText(encoding: draft.body), author: author, events: events)
        return try await together.write(draft, of: author.tenantId)
    }

    /// How many drafts wait for those that are being written.
    func waiting(of tenantId: UUID) -> Int { together.waiting(of: tenantId) }

    /// The versions come first: what they do not take, because their operation's step has been there already, is no content either. (A
    /// foreign key is looked at when the statement ends.)
    private static func insert(_ drafts: [Draft], of tenantId: UUID) -> SQL {
        """
        WITH new AS MATERIALIZED (
            SELECT n.*, moment.at
            FROM unnest(
                \(drafts.map(\.id))::uuid[], \(drafts.map(\.content.kind.rawValue))::text[],
                \(drafts.map(\.content.body.completeness.rawValue))::text[], \(drafts.map(\.content.groupId))::uuid[],
                \(drafts.map(\.content.title))::text[], \(drafts.map(\.body.text))::text[],
                \(drafts.map(\.content.source.kind.rawValue))::text[], \(drafts.map(\.content.source.name))::text[],
                \(drafts.map(\.content.source.promptVersion))::text[], \(drafts.map(\.author.subject))::text[],
                \(drafts.map(\.author.operationId))::uuid[], \(drafts.map(\.step))::text[]
            ) AS n (id, kind, completeness, group_id, title, body, source_kind, source_name, prompt_version, author,
                    operation_id, step)
            CROSS JOIN (SELECT app_now() AS at OFFSET 0) AS moment
        ), written AS (
            INSERT INTO content_versions
                (tenant_id, content_id, version, title, body, source_kind, source_name, prompt_version, author, operation_id,
                 step, created_at)
            SELECT \(tenantId), id, 1, title, body::jsonb, source_kind, source_name, prompt_version, author, operation_id, step, at
            FROM new
            ON CONFLICT ON CONSTRAINT content_versions_operation DO NOTHING
            RETURNING content_id
        )
        INSERT INTO contents (tenant_id, id, kind, status, completeness, group_id, version, title, created_at, updated_at)
        SELECT \(tenantId), id, kind, \(ContentStatus.draft.rawValue), completeness, group_id, 1, title, at, at
        FROM new JOIN written ON written.content_id = new.id
        RETURNING id, created_at
        """
    }
}
