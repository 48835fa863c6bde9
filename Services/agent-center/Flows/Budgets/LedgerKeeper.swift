import ConcurrencySupport
import FoundationEssentials
import Lifecycle
import Observability

/// Keeps the ledger in order while everybody else works: ends reservations whose holder is gone, erases texts past the tenants'
/// retention, and makes the tables of the months to come. One replica at a time does each; the others find it done.
final class LedgerKeeper: Service {
    private static let sweepInterval = Duration.seconds(1)
    private static let erasureInterval = Duration.seconds(300)
    private static let partitionInterval = Duration.seconds(3_600)
    /// Months after this one whose tables stand ready.
    private static let monthsAhead = 3
    /// Rows in one transaction.
    private static let batch = 1_000

    private let store: LedgerKeeperStore
    private let swept: Counter
    private let erased: Counter
    private let logger: Logger
    private let silence = Lock(SilenceWatch())

    init(store: LedgerKeeperStore, metrics: MetricsRegistry, logger: Logger) {
        self.store = store
        self.logger = logger
        swept = metrics.counter(
            "agent_reservations_swept_total", help: "Reservations whose holder was gone; what the vendor did is unknown")
        erased = metrics.counter("agent_texts_erased_total", help: "Ledger rows whose text was erased past its retention")
    }

    func run() async throws {
        async let reservations: Void = repeating(
            every: Self.sweepInterval, logger: logger, failure: "reservations could not be swept", sweepWhereSilenceTells)
        async let tables: Void = repeating(
            every: Self.partitionInterval, logger: logger, failure: "the ledger's tables could not be made", makePartitions)
        await repeating(every: Self.erasureInterval, logger: logger, failure: "texts could not be erased", erase)
        _ = await (reservations, tables)
    }

    private func sweepWhereSilenceTells() async throws {
        let asked = ContinuousClock.now
        do {
            try await store.ping()
            silence.withLock { $0.note(.after(.now - asked), at: .now) }
            if silence.withLock({ $0.isTelling(at: .now) }) { try await sweep() }
        } catch {
            silence.withLock { $0.note(.none, at: .now) }
            throw error
        }
    }

    /// Ends reservations whose lease has ended or whose desk is silent; each leaves a row `unknown` (law 1: we know that we do not
    /// know), and gives back what it held.
    func sweep() async throws {
        try await store.alone(.sweep) {
            for lost in try await self.store.lostReservations(limit: Self.batch) {
                let count = try await self.store.sweep(lost)
                guard count > 0 else { continue }
                self.swept.increment(by: Double(count))
                self.logger.warning(
                    "reservations swept", ["tenant": lost.tenantId.text, "count": "\(count)"])
            }
            try await self.store.forgetDesks()
        }
    }

    func makePartitions() async throws { try await store.makePartitions(monthsAhead: Self.monthsAhead) }

    func erase() async throws {
        try await store.alone(.erasure) {
            for tenantId in try await self.store.tenants() {
                var count = Self.batch
                while count == Self.batch {
                    count = try await self.store.eraseDue(of: tenantId, limit: Self.batch)
                    if count > 0 { self.erased.increment(by: Double(count)) }
                }
            }
        }
    }
}

/// Reservations of one tenant that nobody settles any more.
struct LostReservations: Sendable {
    let tenantId: UUID
    let operations: [UUID]
    let steps: [String]
}
