import Cryptography
import DTO
import FoundationEssentials
import HTTPCore
import Jobs
import Messaging
import Observability
import PostgresStore

/// The SQL of those who do the jobs, and what is told of them.
struct MediaWorkStore: Sendable {
    let database: Database
    let uploads: AssetUploadStore
    /// Wakes the outbox relay after a commit.
    let onCommit: @Sendable () -> Void

    /// How often what was made may be shorter than it should be. A tool that failed without a word does better the next time; a source that
    /// says that it is longer than it is does not.
    private static let mostCuts = 3

    /// What the worker runs.
    func handler(_ work: MediaWork) -> JobWorker.Handler { handler { try await work.perform($0) } }

    func handler(_ perform: @escaping @Sendable (MediaAttempt) async throws -> Void) -> JobWorker.Handler {
        { context in
            let attempt = MediaAttempt(context: context, store: self)
            do {
                try await perform(attempt)
                return nil
            } catch let failure as MediaFailure {
                try await attempt.fail(failure)
                throw PermanentJobFailure(failure.rawValue)
            } catch let cut as OutputCut where context.attempt >= Self.mostCuts {
                try await attempt.fail(.outputCut)
                throw PermanentJobFailure("\(cut)")
            } catch let trouble as MediaTrouble where context.attempt >= MediaTrouble.mostAttempts {
                try await attempt.fail(trouble.failure)
                throw PermanentJobFailure("\(trouble)")
            } catch let refusal as FFmpegRefusal {
                try await attempt.fail(.failed)
                throw PermanentJobFailure("\(refusal)")
            }
        }
    }

    // MARK: Events

    /// Writes what a job's end means for others, in the transaction that ends it.
    static func tell(of end: JobEnd, in transaction: Transaction) async throws {
        try forget(end.id, of: end.tenant, in: transaction)
        if end.kind == AssetPreviews.kind { return }
        if end.state == .failed {
            try transaction.enqueue(
                """
                UPDATE media_jobs SET failure = coalesce(failure, \(MediaFailure.noAttemptEnded.rawValue))
                WHERE tenant_id = \(end.tenant) AND id = \(end.id)
                """)
        }
        try await tell(of: end.id, end.tenant, as: MediaJobStatus(end.state), in: transaction)
    }

    /// - Parameter progress: of a running job; of one that has ended what it has come to.
    static func tell(
        of id: UUID, _ tenantId: UUID, as status: MediaJobStatus, progress: Int? = nil, in transaction: Transaction
    ) async throws {
        let row = try await transaction.query(
            """
            SELECT m.type, m.asset_id, m.content_id, m.failure, j.progress, j.fence, app_now() AS at,
                (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', o.kind, 'name', o.name, 'assetId', o.asset_id)
                    ORDER BY o.position), '[]'::jsonb) FROM media_outputs o
                    WHERE o.tenant_id = m.tenant_id AND o.job_id = m.id) AS outputs
            FROM media_jobs m JOIN jobs j ON j.tenant_id = m.tenant_id AND j.id = m.id
            WHERE m.tenant_id = \(tenantId) AND m.id = \(id)
            """
        ).only
        let percent = try progress ?? row.decode("progress", as: Int.self)
        let moved = MediaJobMoved(
            jobId: id, type: try row.decodeCase("type"), status: status, progress: percent, assetId: try row.decode("asset_id"),
            contentId: try row.decode("content_id"),
            outputs: try JSON.decode([MediaOutputReference].self, from: row.decode("outputs", as: JSONText.self).bytes),
            code: status == .failed ? try row.decode("failure", as: String?.self) : nil)
        let type =
            switch status {
            case .queued, .running: MediaJobMoved.progressedType
            case .succeeded: MediaJobMoved.succeededType
            case .failed: MediaJobMoved.failedType
            case .canceled: MediaJobMoved.canceledType
            }
        // Grows within an attempt and from one to the next; the end is the greatest.
        let isOver = status != .queued && status != .running
        let version = try row.decode("fence", as: Int64.self) * 1_000 + (isOver ? 999 : Int64(percent))
        let event = CloudEvent(
            id: UUID.version7(), source: "content-center", type: type, subject: id.text,
            time: try row.decode("at"), tenantId: tenantId, version: version, data: try JSON.encode(moved))
        try await Outbox.append([event], in: transaction)
    }

    /// Seconds after a job's end in which a worker that has lost it may still be at its last call.
    private static let longestGoodbye = 3_600

    /// What the job has announced and has no owner by its end gets none.
    static func forget(_ job: UUID, of tenantId: UUID, in transaction: Transaction) throws {
        try transaction.enqueue(
            """
            UPDATE asset_garbage SET due_at = least(due_at, app_now() + make_interval(secs => \(longestGoodbye)::int))
            WHERE tenant_id = \(tenantId) AND job_id = \(job)
            """)
    }

    // MARK: Outputs

    /// - Returns: the objects that are not needed, since the tenant has the same bytes already.
    fileprivate func insert(_ outputs: [MadeOutput], of job: UUID, _ tenantId: UUID, in transaction: Transaction) async throws
        -> [UUID]
    {
        var (garbage, addsBytes) = ([UUID](), false)
        let order = try await transaction.query("SELECT payload FROM jobs WHERE tenant_id = \(tenantId) AND id = \(job)").only
        let subject = try JSON.decode(MediaOrder.self, from: order.decode("payload", as: JSONText.self).bytes).subject
        let rights = try await Self.rights(of: job, tenantId, in: transaction)
        for (position, output) in outputs.enumerated() {
            // Where the one with the same bytes goes at this moment, the next attempt keeps its own.
            guard
                let object = try await AssetsStore.own(
                    output.object, sha256: output.sha256, size: output.size, of: tenantId, in: transaction)
            else { throw ObjectGone() }
            let asset = UUID.version7()
            try transaction.enqueue(
                """
                INSERT INTO content_assets
                    (tenant_id, id, origin, state, filename, media_type, size, sha256, created_by, object_id, rights_holder,
                     rights_license, rights_source, rights_valid_from, rights_expires_at, rights_territories, rights_note)
                VALUES (\(tenantId), \(asset), 'media', 'ready', \(output.filename), \(output.plan.type.rawValue), \(output.size),
                    \(output.sha256), \(subject), \(object), \(rights?.holder), \(rights?.license), \(rights?.source),
                    \(rights?.validFrom), \(rights?.expiresAt), \(rights?.territories ?? []), \(rights?.note))
                """)
            try transaction.enqueue(
                """
                INSERT INTO media_outputs (tenant_id, job_id, kind, name, position, asset_id, details)
                VALUES (\(tenantId), \(job), \(output.plan.kind.rawValue), \(output.plan.name), \(position), \(asset),
                    \(JSONText(encoding: output.details)))
                """)
            if object == output.object { addsBytes = true } else { garbage.append(output.object) }
        }
        let usage = try await uploads.usage(of: tenantId, in: transaction)
        if addsBytes, usage.bytes > usage.limitBytes { throw MediaFailure.quota }
        return garbage
    }

    /// What holds for everything that the job makes, by what holds now for everything that it has read.
    private static func rights(of job: UUID, _ tenantId: UUID, in transaction: Transaction) async throws -> AssetRights? {
        let sources = try await transaction.query(
            """
            SELECT a.rights_holder, a.rights_license, a.rights_source, a.rights_valid_from, a.rights_expires_at,
                a.rights_territories, a.rights_note
            FROM media_sources(\(tenantId), \(job)) AS source (id)
            JOIN content_assets a ON a.tenant_id = \(tenantId) AND a.id = source.id
            ORDER BY a.id
            """)
        return JoinedRights.of(try sources.compactMap { try AssetRights($0) })
    }
}

/// One attempt at a job, as its work sees it: everything that it writes, it writes only while the job is its own.
struct MediaAttempt: Sendable {
    private static let outputsStep = "outputs"

    let context: JobContext
    fileprivate let store: MediaWorkStore

    init(context: JobContext, store: MediaWorkStore) {
        self.context = context
        self.store = store
    }

    var id: UUID { context.id }
    var tenantId: UUID { context.tenant }
    var fence: Int64 { context.fence }

    func order() throws -> MediaOrder { try JSON.decode(MediaOrder.self, from: context.payload.bytes) }

    /// An earlier attempt has kept everything, and died before it could say that it was done.
    var isDone: Bool { get throws { try context.result(of: Self.outputsStep, as: [UUID].self) != nil } }

    func keep(facts: MediaFacts) async throws {
        let text = try JSONText(encoding: facts)
        try await context.whileHeld { transaction in
            try transaction.enqueue(
                "UPDATE media_jobs SET facts = \(text) WHERE tenant_id = \(context.tenant) AND id = \(context.id)")
        }
    }

    func fail(_ failure: MediaFailure) async throws {
        try await context.whileHeld { transaction in
            try transaction.enqueue(
                "UPDATE media_jobs SET failure = \(failure.rawValue) WHERE tenant_id = \(context.tenant) AND id = \(context.id)")
        }
    }

    /// Runs `body`, which reports percents; what it reports is shown, and told of at every tenth.
    func reporting(_ body: @escaping @Sendable (@escaping @Sendable (Int) -> Void) async throws -> Void) async throws {
        let (percents, reports) = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { reports.finish() }
                try await body { reports.yield($0) }
            }
            group.addTask {
                var (shown, told) = (-1, -1)
                for await percent in percents where percent > shown {
                    do {
                        try await context.progress(percent)
                        shown = percent
                        guard percent / 10 > told else { continue }
                        told = percent / 10
                        try await context.whileHeld {
                            try await MediaWorkStore.tell(of: context.id, context.tenant, as: .running, progress: percent, in: $0)
                        }
                        store.onCommit()
                    } catch let error as JobLeaseLost {
                        throw error
                    } catch {
                        // Only shown: hours of work do not end for it, and the lease is watched elsewhere.
                        try Task.checkCancellation()
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Says which objects are about to be kept, before any of them is: if nobody lives to own them, they are collected.
    func announce(_ objects: [UUID]) async throws {
        guard !objects.isEmpty else { return }
        try await context.whileHeld {
            try $0.enqueue(ObjectGarbage.announce(objects, by: context.id, of: context.tenant))
        }
    }

    /// Assets of the tenant, exactly once.
    ///
    /// - Returns: the objects that are not needed.
    func keep(outputs: [MadeOutput]) async throws -> [UUID] {
        try await context.transactionalStep(Self.outputsStep) { transaction in
            try await store.insert(outputs, of: context.id, context.tenant, in: transaction)
        }
    }

    func isKept(_ object: UUID) async throws -> Bool {
        try await store.database.query(
            "SELECT 1 FROM asset_objects WHERE tenant_id = \(context.tenant) AND id = \(object)", tenant: context.tenant
        ).count == 1
    }

    func collect(_ object: UUID, from objects: any ObjectStore) async throws {
        try await objects.remove(object)
        try await store.uploads.forgetGarbage(object, of: context.tenant)
    }

    /// The object of an output: another one in every attempt, so that none that was thought dead writes over what a later one has kept.
    func object(for output: PlannedOutput) -> UUID { Self.object(context.id, context.fence, output) }

    /// What attempts before this one may have left in the store. It stays listed until none of them can still be at work.
    func leftovers() async throws -> [UUID] {
        try await store.database.query(
            "SELECT object_id FROM asset_garbage WHERE tenant_id = \(context.tenant) AND job_id = \(context.id)",
            tenant: context.tenant
        ).map { try $0.decode("object_id") }
    }

    private static func object(_ job: UUID, _ fence: Int64, _ output: PlannedOutput) -> UUID {
        var bytes = Array(
            SHA256.hash(Array("\(job.uuidString) \(fence) \(output.kind.rawValue) \(output.name)".utf8)).prefix(16))
        // RFC 9562 §5.8: made in a way of our own.
        bytes[6] = bytes[6] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        return bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }
}
