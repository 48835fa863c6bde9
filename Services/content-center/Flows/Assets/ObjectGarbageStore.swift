import FoundationEssentials
import PostgresStore

/// The list of objects that nobody owns: what was deleted, and what is about to be kept (`asset_garbage`).
///
/// Bytes and rows cannot become true together. So an object is announced here before its bytes are kept, due some time later, and taken off
/// the list in the transaction that gives it an owner. Whoever dies between the two leaves a row by which the sweeper finds the bytes.
enum ObjectGarbage {
    /// Longer than anybody takes from the announcement to the owner's row, however slow the store.
    static let patience = Duration.seconds(24 * 3_600)
    /// What is due so soon may be under removal by the time that its owner's row is there.
    static let margin = Duration.seconds(60)

    /// Nobody gave them an owner in time: they may be gone.
    struct Overdue: Error {}

    /// To be committed before any of the bytes are kept.
    ///
    /// - Parameter job: that makes them.
    static func announce(_ objects: [UUID], by job: UUID? = nil, of tenantId: UUID) -> SQL {
        """
        INSERT INTO asset_garbage (tenant_id, object_id, job_id, due_at)
        SELECT \(tenantId), object, \(job), app_now() + make_interval(secs => \(Int(patience.components.seconds))::int)
        FROM unnest(\(objects)) object
        ON CONFLICT DO NOTHING
        """
    }

    /// They have an owner from this transaction on.
    ///
    /// - Throws: ``Overdue``
    static func claim(_ objects: [UUID], of tenantId: UUID, in transaction: Transaction) async throws {
        let claimed = try await transaction.execute(
            """
            DELETE FROM asset_garbage WHERE tenant_id = \(tenantId) AND object_id = ANY(\(objects))
                AND due_at > app_now() + make_interval(secs => \(Int(margin.components.seconds))::int)
            """)
        guard claimed == objects.count else { throw Overdue() }
    }

    /// It may be removed now.
    static func add(_ object: UUID, of tenantId: UUID) -> SQL {
        """
        INSERT INTO asset_garbage (tenant_id, object_id) VALUES (\(tenantId), \(object))
        ON CONFLICT (tenant_id, object_id) DO UPDATE SET due_at = app_now()
        """
    }
}
