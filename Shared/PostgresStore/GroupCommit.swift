import ConcurrencySupport
import Observability

/// Writes of one kind that wait at the same time, written together: one transaction for all of them instead of one for each.
///
/// The first write starts at once; those that come while it is under way wait, and are the next batch. So nobody waits for others where
/// there are none, and the more there are, the less each costs. What has another key (another tenant) has a line of its own.
///
/// Each caller has its own outcome. Where a batch fails, nothing of it is written and each of its members is written alone, so that only
/// those fail that are to blame; except where nobody knows whether the batch was written, or where the next attempt would fail likewise
/// (no connection, no time): then all its members have that error.
///
/// A caller that is cancelled leaves at once. Its write is left out if its batch has not begun, and else runs to the batch's end, written or
/// not; a batch that everybody has left is cancelled.
public final class GroupCommit<Key: Hashable & Sendable, Item: Sendable, Value: Sendable>: Sendable {
    /// Writes all or nothing, in one transaction.
    ///
    /// - Returns: a value for each item, in their order.
    public typealias Write = @Sendable (Key, [Item]) async throws -> [Value]

    /// A write and the caller that waits for it.
    private struct Member: Sendable {
        let item: Item
        let size: Int
        let deadline: ContinuousClock.Instant?
        let seat: Seat
    }

    private let mostItems: Int
    private let mostBytes: Int
    private let size: @Sendable (Item) -> Int
    private let write: Write
    /// What no batch has yet, by key; those keys are there that have a batch under way.
    private let lines = Lock<[Key: [Member]]>([:])

    /// - Parameters:
    ///   - mostItems: how many a batch has at most.
    ///   - mostBytes: how large a batch may be; what is larger is written alone.
    ///   - size: what an item counts for, in bytes.
    public init(
        mostItems: Int = 128, mostBytes: Int = 1 << 20, size: @escaping @Sendable (Item) -> Int, write: @escaping Write
    ) {
        self.mostItems = mostItems
        self.mostBytes = mostBytes
        self.size = size
        self.write = write
    }

    /// Writes one item, with whatever else waits.
    ///
    /// - Throws: what `write` threw for a batch with this item in it, or `CancellationError`.
    public func write(_ item: Item, of key: Key) async throws -> Value {
        try Task.checkCancellation()
        let member = Member(item: item, size: size(item), deadline: CallContext.current?.deadline, seat: Seat())
        let isFirst = lines.withLock { lines in
            let isFirst = lines[key] == nil
            lines[key, default: []].append(member)
            return isFirst
        }
        // Detached: the line serves others too, and knows nothing of this call.
        if isFirst { Task.detached(executorPreference: EventLoopGroup.shared.preferred) { await self.work(through: key) } }
        return try await member.seat.outcome.value { member.seat.leave() }
    }

    /// How many writes have no batch yet.
    package func waiting(of key: Key) -> Int { lines.withLock { $0[key]?.count ?? 0 } }

    private func work(through key: Key) async {
        while let batch = next(of: key) { await run(batch, of: key) }
    }

    /// - Returns: `nil` where nothing waits; the line has ended then.
    private func next(of key: Key) -> [Member]? {
        lines.withLock { lines -> [Member]? in
            guard var line = lines[key] else { return nil }
            var (batch, bytes, taken) = ([Member](), 0, 0)
            for member in line {
                if !batch.isEmpty, batch.count == mostItems || bytes + member.size > mostBytes { break }
                taken += 1
                // Whoever has left in the meantime is left out.
                guard !member.seat.outcome.isCompleted else { continue }
                batch.append(member)
                bytes += member.size
            }
            line.removeFirst(taken)
            guard !batch.isEmpty else {
                lines[key] = nil
                return nil
            }
            lines[key] = line
            return batch
        }
    }

    private func run(_ batch: [Member], of key: Key) async {
        let table = Table(seats: batch.count)
        let deadlines = batch.compactMap(\.deadline)
        // As long as anybody has.
        let deadline = deadlines.count == batch.count ? deadlines.max() : nil
        let task = Task(executorPreference: EventLoop.current) { [write] in
            var context = CallContext(requestId: "group-commit")
            context.deadline = deadline
            return try await CallContext.$current.withValue(context) { try await write(key, batch.map(\.item)) }
        }
        table.set { task.cancel() }
        for member in batch { member.seat.sit(at: table) }
        switch await task.result {
        case .success(let values):
            precondition(values.count == batch.count, "a value for each item")
            for (member, value) in zip(batch, values) { member.seat.outcome.succeed(value) }
        case .failure(let error) where batch.count > 1 && Self.isOfOne(error):
            for member in batch where !member.seat.outcome.isCompleted { await run([member], of: key) }
        case .failure(let error):
            for member in batch { member.seat.outcome.fail(error) }
        }
    }

    /// Whether a batch surely was not written, for a reason that some of its members may not have.
    private static func isOfOne(_ error: any Error) -> Bool {
        switch error {
        case is PoolTimeout, is DatabaseClosed, is DeadlineExceeded, is CancellationError: false
        case let error as PostgresError: !error.isConnectionLoss && !error.isOutcomeUnknown && !error.isQueryCancelled
        default: true
        }
    }

    /// Where a caller waits.
    private final class Seat: Sendable {
        let outcome = OneShot<Value>()
        private let place = Lock<(table: Table?, isLeft: Bool)>((nil, false))

        func sit(at table: Table) {
            let isLeft = place.withLock { place in
                place.table = table
                return place.isLeft
            }
            if isLeft { table.leave() }
        }

        func leave() {
            guard outcome.fail(CancellationError()) else { return }
            let table = place.withLock { place in
                place.isLeft = true
                return place.table
            }
            table?.leave()
        }
    }

    /// Those who wait for one batch.
    private final class Table: Sendable {
        private struct State {
            var seats: Int
            var onEmpty: (@Sendable () -> Void)?
        }

        private let state: Lock<State>

        init(seats: Int) { state = Lock(State(seats: seats)) }

        /// Says what to do once everybody has left.
        func set(onEmpty: @escaping @Sendable () -> Void) { state.withLock { $0.onEmpty = onEmpty } }

        func leave() {
            let isEmpty = state.withLock { state in
                state.seats -= 1
                return state.seats <= 0 ? state.onEmpty : nil
            }
            isEmpty?()
        }
    }
}
