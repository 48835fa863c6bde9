import ConcurrencySupport
import FoundationEssentials
import HTTPCore

/// Sends the steps of many calls in few round trips. Each tenant has a lane: while one batch is under way the next collects; where
/// nothing is under way a step goes at once.
final class UsageLanes: Sendable {
    struct Batch: Sendable {
        var receipts: [(receipt: UsageReceipt, result: OneShot<String?>)] = []
        var claims: [(claim: UsageClaim, result: OneShot<UsageAdmission>)] = []

        var count: Int { receipts.count + claims.count }

        func fail(_ error: any Error) {
            for item in receipts { item.result.fail(error) }
            for item in claims { item.result.fail(error) }
        }

        /// Takes the first ones away, receipts before claims: they free money. Of two copies the second stays, to find what became of the
        /// first.
        mutating func takeFirst(_ limit: Int) -> Batch {
            Batch(
                receipts: Self.take(limit, from: &receipts) { $0.receipt.call.ledgerKey },
                claims: Self.take(limit, from: &claims) { $0.claim.call.ledgerKey })
        }

        private static func take<Item>(_ limit: Int, from waiting: inout [Item], key: (Item) -> LedgerKey) -> [Item] {
            let first = waiting.prefix(limit)
            if Set(first.map(key)).count == first.count {
                waiting.removeFirst(first.count)
                return Array(first)
            }
            var keys: Set<LedgerKey> = []
            var (taken, left): ([Item], [Item]) = ([], [])
            for item in waiting {
                if taken.count < limit, keys.insert(key(item)).inserted { taken.append(item) } else { left.append(item) }
            }
            waiting = left
            return taken
        }
    }

    /// Rows of each kind in one round trip: enough to share its cost, and few enough to be quick.
    private static let batchSize = 256
    /// What was paid for is written down even if the database is away for a moment.
    private static let patience = Duration.seconds(4)
    private static let patienceWithClaims = Duration.seconds(1)

    private let store: any UsageStore
    /// A tenant has an entry while a batch of its is under way.
    private let lanes = Lock<[UUID: Batch]>([:])

    init(store: any UsageStore) { self.store = store }

    /// Not cancellable: a claim that was granted has a holder, who gives it back.
    func begin(_ claim: UsageClaim) async throws -> UsageAdmission {
        let result = OneShot<UsageAdmission>()
        join(claim.call.tenantId) { $0.claims.append((claim, result)) }
        return try await result.value {}
    }

    /// Not cancellable, and not bound by the caller's deadline.
    func finish(_ receipt: UsageReceipt) async throws -> String? {
        let result = OneShot<String?>()
        join(receipt.call.tenantId) { $0.receipts.append((receipt, result)) }
        return try await result.value {}
    }

    private func join(_ tenantId: UUID, _ add: (inout Batch) -> Void) {
        let isFirst = lanes.withLock { lanes in
            let isFirst = lanes[tenantId] == nil
            add(&lanes[tenantId, default: Batch()])
            return isFirst
        }
        // Detached: the batch serves many callers and has nobody's deadline. On the caller's loop: it is awake.
        if isFirst { Task.detached(executorPreference: EventLoop.current) { await self.drive(tenantId) } }
    }

    private func drive(_ tenantId: UUID) async {
        while let batch = lanes.withLock({ lanes -> Batch? in
            let batch = lanes[tenantId]?.takeFirst(Self.batchSize)
            guard let batch, batch.count > 0 else {
                lanes[tenantId] = nil
                return nil
            }
            return batch
        }) {
            await send(batch)
        }
    }

    private func send(_ batch: Batch) async {
        let limit = ContinuousClock.now + (batch.receipts.isEmpty ? Self.patienceWithClaims : Self.patience)
        while true {
            do {
                let (answers, admissions) = try await store.exchange(batch.receipts.map(\.receipt), batch.claims.map(\.claim))
                guard answers.count == batch.receipts.count, admissions.count == batch.claims.count else {
                    throw InternalFailure()
                }
                for (item, answer) in zip(batch.receipts, answers) { item.result.succeed(answer) }
                for (item, admission) in zip(batch.claims, admissions) { item.result.succeed(admission) }
                return
            } catch {
                switch UsageStoreFault(error) {
                case .away where .now < limit:
                    try? await Task.sleep(for: .milliseconds(50))
                case .conflict where .now < limit:
                    await Task.yield()
                case .conflict where batch.count > 1, .refused where batch.count > 1:
                    // One of them is at fault: it alone shall fail.
                    for item in batch.receipts { await send(Batch(receipts: [item])) }
                    for item in batch.claims { await send(Batch(claims: [item])) }
                    return
                case .away, .conflict, .refused, .other:
                    return batch.fail(error)
                }
            }
        }
    }
}
