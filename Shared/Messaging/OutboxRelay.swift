import ConcurrencySupport
public import Lifecycle
public import Observability
public import PostgresStore

/// Publishes what waits in the ``Outbox``, marks it after the confirm, and sweeps it after a day.
///
/// Run one per process; of those on one database only one works at a time. Nothing is lost when the process, the broker or the database
/// dies at any point; what was published and not yet marked is published again.
public final class OutboxRelay: Service {
    /// How many rows are published without waiting in between.
    private static let batchSize = 256
    /// A batch begins no sooner than this after the one before, so that under load there is something to publish together. The first
    /// event after a quiet time does not wait.
    private static let pace = Duration.milliseconds(50)
    private static let pollInterval = Duration.milliseconds(200)
    /// Published again after each new connection. A quorum queue that was younger than about a second when its broker died forgets what
    /// it had confirmed (design §9); nothing of that is older than this. Consumers know the rest by its ids.
    private static let replayWindow = Duration.seconds(5)
    private static let sweepInterval = Duration.seconds(60)

    private let store: OutboxStore
    private let publisher: Publisher
    private let logger: Logger
    private let retention: Duration
    private let bell = Bell()

    /// - Parameters:
    ///   - system: the database as the `system` role.
    ///   - retention: how long confirmed rows are kept.
    public init(system: Database, publisher: Publisher, logger: Logger, retention: Duration = .seconds(86_400)) {
        store = OutboxStore(database: system)
        self.publisher = publisher
        self.logger = logger
        self.retention = retention
    }

    /// Says that rows were committed. Without it they are found within 200 ms.
    public func wake() { bell.ring() }

    /// Relays until graceful shutdown, then finishes the batch that is under way. Start it after its publisher.
    public func run() async throws {
        await withGracefulShutdownHandler {
            await withTaskExecutorPreference(EventLoopGroup.shared.next()) { await work() }
        } onGracefulShutdown: { [bell] in
            bell.close()
        }
    }

    private func work() async {
        var isFailing = false
        var replayedGeneration = 0
        var nextSweep = ContinuousClock.now
        var wasWoken = true
        while !bell.isClosed, !Task.isCancelled {
            let next = ContinuousClock.now + Self.pace
            do {
                if publisher.isConnected {
                    while try await relayIfDue(wasWoken, &replayedGeneration), !bell.isClosed { wasWoken = true }
                }
                if ContinuousClock.now >= nextSweep {
                    nextSweep = .now + Self.sweepInterval
                    while try await store.sweep(olderThan: retention, limit: 1_000) == 1_000 {}
                }
                if isFailing { logger.info("The outbox relay works again") }
                isFailing = false
            } catch {
                // The database is away: the rows are safe there.
                if !isFailing { logger.warning("The outbox relay cannot work", ["reason": "\(error)"]) }
                isFailing = true
            }
            if wasWoken, next > .now { try? await Task.sleep(until: next) }
            wasWoken = await bell.wait(atMost: Self.pollInterval)
        }
    }

    /// - Returns: whether there may be more right away.
    private func relayIfDue(_ isKnown: Bool, _ replayedGeneration: inout Int) async throws -> Bool {
        let generation = publisher.generation
        let mustReplay = generation != replayedGeneration
        if !isKnown, !mustReplay, try await !store.hasDueRows() { return false }
        let relayed = try await relayBatch(mustReplay: mustReplay)
        guard let relayed else {
            publisher.broker.metrics.yielded.increment()
            return false
        }
        replayedGeneration = generation
        return relayed == Self.batchSize
    }

    /// - Returns: how many rows were confirmed; `nil` when another relay is at work.
    private func relayBatch(mustReplay: Bool) async throws -> Int? {
        try await store.database.transaction { [self] transaction in
            if mustReplay {
                guard try await store.lock(in: transaction) else { return nil }
                let count = try await store.replayLatest(Self.replayWindow, in: transaction)
                if count > 0 { logger.info("Publishing the latest events again after a reconnect", ["count": count]) }
            }
            // What is to be published again is more than this batch, and nobody takes its confirmation back a second time.
            guard let rows = try await store.lockedDueRows(limit: Self.batchSize, needsDisk: mustReplay, in: transaction)
            else { return nil }
            guard !rows.isEmpty else { return 0 }
            let outcome = RelayOutcome(rows, results: await publish(rows))
            try store.markConfirmed(outcome.confirmed, in: transaction)
            for (failure, ids) in outcome.postponed { try store.postpone(ids, because: failure, in: transaction) }
            if let example = outcome.example {
                logger.warning(
                    "Some events were not published", ["count": rows.count - outcome.confirmed.count, "example": example])
            }
            publisher.broker.metrics.relayed.increment(by: Double(outcome.confirmed.count))
            publisher.broker.metrics.outboxFailing.set(Double(rows.count - outcome.confirmed.count))
            return outcome.confirmed.count
        }
    }

    private func publish(_ rows: [OutboxRow]) async -> [Result<Void, any Error>] {
        var results = [Result<Void, any Error>](repeating: .failure(PublishFailure.stopped), count: rows.count)
        var sent: [[Int]] = []
        var messages: [OutgoingMessage] = []
        for parcel in EventBatch.pack(rows, atMost: publisher.broker.configuration.eventsTogether) {
            do {
                guard let message = try OutboxRow.message(of: parcel.map { rows[$0] }) else { continue }
                messages.append(message)
                sent.append(parcel)
            } catch {
                for place in parcel { results[place] = .failure(error) }
            }
        }
        for (parcel, result) in zip(sent, await publisher.publish(messages)) {
            for place in parcel { results[place] = result }
        }
        return results
    }
}

/// What a batch's results mean for its rows.
struct RelayOutcome {
    private(set) var confirmed: [Int64] = []
    /// Rows to try again later, by failure.
    private(set) var postponed: [String: [Int64]] = [:]
    private(set) var example: String?

    init(_ rows: [OutboxRow], results: [Result<Void, any Error>]) {
        var failedSubjects: Set<String> = []
        for (row, result) in zip(rows, results) {
            switch result {
            case .success:
                // Confirmed, but an earlier event of its subject was not: it goes out once more after that one, so that the last thing
                // said about a subject is the latest.
                if let subject = row.subject, failedSubjects.contains(subject) { continue }
                confirmed.append(row.id)
            case .failure(let error):
                example = example ?? "\(row.type): \(error)"
                let failure = error as? PublishFailure
                if let subject = row.subject, failure?.label != "unroutable" { failedSubjects.insert(subject) }
                switch failure {
                case .brokerUnavailable, .stopped, .overloaded: break  // as soon as the broker is back
                case .unconfirmed, .unroutable, .refused: postponed[failure?.label ?? "", default: []].append(row.id)
                case nil where error is CancellationError: break
                case nil: postponed["malformed", default: []].append(row.id)
                }
            }
        }
    }
}

/// Wakes one waiter, now or the next time it comes.
final class Bell: Sendable {
    private struct State {
        var isRung = false
        var isClosed = false
        var waiter: OneShot<Bool>?
    }

    private let state = Lock(State())

    var isClosed: Bool { state.withLock { $0.isClosed } }

    func ring() {
        let waiter = state.withLock { state -> OneShot<Bool>? in
            state.isRung = state.waiter == nil
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.succeed(true)
    }

    /// Lets every later wait return at once.
    func close() {
        state.withLock { $0.isClosed = true }
        ring()
    }

    /// - Returns: whether it was rung.
    func wait(atMost limit: Duration) async -> Bool {
        let rung = OneShot<Bool>()
        let isReady = state.withLock { state -> Bool in
            guard !state.isRung, !state.isClosed else {
                state.isRung = false
                return true
            }
            state.waiter = rung
            return false
        }
        if isReady { return true }
        let alarm = Alarm.set(at: .after(limit)) { rung.succeed(false) }
        defer { alarm.cancel() }
        let wasRung = (try? await rung.value()) ?? false
        if !wasRung { state.withLock { if $0.waiter === rung { $0.waiter = nil } } }
        return wasRung
    }
}
