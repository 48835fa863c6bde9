import DTO
import Messaging
import PostgresStore
import ServiceDefaults

/// The SQL of contents' counts.
struct ContentPerformanceStore: Sendable {
    let database: Database

    /// The event's id is claimed in the transaction of its effect. What is about a content that is not there any more has none.
    func apply(_ measured: ContentPerformanceMeasured, from event: CloudEvent) async throws {
        let (tenantId, contentId) = (event.tenantId, measured.contentId)
        try await database.transaction(tenant: tenantId) { transaction in
            guard try await Inbox.claim(event, consumer: QueueDeclaration.contentPerformance.name, in: transaction) else {
                return
            }
            // One after the other for one content.
            let content = try await transaction.query(
                "SELECT FROM contents WHERE tenant_id = \(tenantId) AND id = \(contentId) FOR UPDATE")
            guard !content.isEmpty, try await transaction.execute(Self.replaceOlder(measured, event)) == 1 else { return }
            let sums = try await transaction.query(
                """
                SELECT sum(plays)::bigint AS plays, sum(likes)::bigint AS likes, sum(comments)::bigint AS comments,
                       sum(shares)::bigint AS shares
                FROM content_performance WHERE tenant_id = \(tenantId) AND content_id = \(contentId)
                """
            ).only
            let points = PerformanceScore(
                plays: try sums.decode("plays"), likes: try sums.decode("likes"), comments: try sums.decode("comments"),
                shares: try sums.decode("shares")
            ).points
            try transaction.enqueue(
                """
                INSERT INTO content_points (tenant_id, content_id, points) VALUES (\(tenantId), \(contentId), \(points))
                ON CONFLICT (tenant_id, content_id) DO UPDATE SET points = EXCLUDED.points
                """)
            // What the index has yet to take in finds the points there.
            let changed = try await transaction.execute(
                """
                UPDATE search_documents SET performance = \(points)
                WHERE tenant_id = \(tenantId) AND id = \(contentId) AND performance <> \(points)
                """)
            if changed > 0 { try transaction.enqueue("SELECT search_flush()") }
        }
    }

    /// Does nothing where a newer measurement stands, so the end does not depend on the order in which they came.
    private static func replaceOlder(_ measured: ContentPerformanceMeasured, _ event: CloudEvent) -> SQL {
        """
        INSERT INTO content_performance AS present
            (tenant_id, content_id, account_id, platform, version, event_id, plays, likes, comments, shares, measured_at)
        VALUES (\(event.tenantId), \(measured.contentId), \(measured.accountId), \(measured.platform), \(event.version), \(event.id),
            \(measured.plays), \(measured.likes), \(measured.comments), \(measured.shares), \(event.time))
        ON CONFLICT (tenant_id, content_id, account_id, platform) DO UPDATE SET
            version = EXCLUDED.version, event_id = EXCLUDED.event_id, plays = EXCLUDED.plays, likes = EXCLUDED.likes,
            comments = EXCLUDED.comments, shares = EXCLUDED.shares, measured_at = EXCLUDED.measured_at
        WHERE (present.version, present.event_id) < (EXCLUDED.version, EXCLUDED.event_id)
        """
    }
}
