import ConcurrencySupport
import FoundationEssentials
import Lifecycle
import Observability

/// Wakes the open streams of a tenant when it has new events: at once for events stored by this process, and within half a second for
/// those stored by another replica, by one small query while anybody is listening.
final class EventStreamHub: Service {
    /// How many streams may be open at once in this process: each holds a connection for as long as its client likes.
    struct Limits: Sendable {
        let perTenant: Int
        /// One person or program.
        let perSubject: Int

        static func standard(scale: Int = 1) -> Limits { Limits(perTenant: 100 * scale, perSubject: 10 * scale) }
    }

    private struct Listener {
        let tenant: UUID
        let subject: String
        var pending = false
        var waiter: OneShot<Void>?
    }

    private struct State {
        var listeners: [UUID: Listener] = [:]
        var heads: [UUID: Int64] = [:]
    }

    private let state = Lock(State())
    private let store: EventStreamStore
    private let reads: EventStreamReads
    private let limits: Limits
    private let logger: Logger
    private let open: Gauge
    private let refused: Counter

    /// - Parameter sharedFor: how long what one stream has read is good for another that stands at the same event, unless a wake-up comes.
    init(
        store: EventStreamStore, limits: Limits = .standard(), sharedFor: Duration = .seconds(5), logger: Logger,
        metrics: MetricsRegistry = MetricsRegistry()
    ) {
        self.store = store
        let queries = metrics.counter(
            "gateway_event_stream_reads_total", help: "Queries for events of open streams; streams at the same event share one")
        reads = EventStreamReads(goodFor: sharedFor) { tenant, seq in
            queries.increment()
            return try await store.events(tenant: tenant, after: seq, limit: Self.page)
        }
        self.limits = limits
        self.logger = logger
        open = metrics.gauge("gateway_event_streams", help: "Open event streams")
        refused = metrics.counter(
            "gateway_event_streams_refused_total", help: "Event streams refused, by whose limit was reached", labels: ["limit"])
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(500))
                let tenants = self.state.withLock { Array(Set($0.listeners.values.map(\.tenant))) }
                guard !tenants.isEmpty, !Task.isCancelled else { continue }
                do {
                    for (tenant, head) in try await self.store.heads(tenants: tenants) {
                        self.headMoved(tenant: tenant, to: head)
                    }
                } catch {
                    self.logger.warning("stream heads could not be read", ["error": "\(error)"])
                }
            }
        }
        // Streams end with the server, not before it: they are told by the end of their wait.
        wakeAll()
    }

    private func headMoved(tenant: UUID, to head: Int64) {
        let moved = state.withLock { state in
            defer { state.heads[tenant] = head }
            return state.heads[tenant].map { $0 < head } ?? true
        }
        if moved { wake(tenant: tenant) }
    }

    /// Called after an event of the tenant was stored.
    func wake(tenant: UUID) {
        reads.forget(tenant: tenant)
        resume { $0.tenant == tenant }
    }

    private func wakeAll() { resume { _ in true } }

    private func resume(where matches: (Listener) -> Bool) {
        let waiters = state.withLock { state -> [OneShot<Void>] in
            var waiters: [OneShot<Void>] = []
            for (id, listener) in state.listeners where matches(listener) {
                state.listeners[id]?.pending = true
                if let waiter = listener.waiter { waiters.append(waiter) }
                state.listeners[id]?.waiter = nil
            }
            return waiters
        }
        for waiter in waiters { waiter.succeed() }
    }

    /// So many events are read at a time.
    private static let page = 100

    /// The next events of a stream that stands at `seq`.
    func events(tenant: UUID, after seq: Int64) async throws -> [EventStream.StoredEvent] {
        try await reads.events(tenant: tenant, after: seq)
    }

    /// How many streams are open.
    var count: Int { state.withLock { $0.listeners.count } }
    /// How many of them have nothing to send.
    var waiting: Int { state.withLock { $0.listeners.values.count { $0.waiter != nil } } }

    /// - Throws: ``TooManyStreams`` where one more would be too many.
    func admit(tenant: UUID, subject: String) throws {
        try throwing(state.withLock { refusal(of: Listener(tenant: tenant, subject: subject), among: $0) })
    }

    /// Registers somebody who listens, for as long as `body` runs.
    func listening(tenant: UUID, subject: String, _ body: (_ listener: UUID) async throws -> Void) async throws {
        let (id, listener) = (UUID(), Listener(tenant: tenant, subject: subject))
        // Once more: many may have been admitted at the same moment.
        try throwing(
            state.withLock { state -> TooManyStreams? in
                if let refusal = refusal(of: listener, among: state) { return refusal }
                state.listeners[id] = listener
                return nil
            })
        open.add(1)
        defer {
            open.add(-1)
            let (waiter, isLast) = state.withLock { state in
                let waiter = state.listeners.removeValue(forKey: id)?.waiter
                return (waiter, !state.listeners.values.contains { $0.tenant == tenant })
            }
            waiter?.succeed()
            if isLast { reads.forget(tenant: tenant) }
        }
        try await body(id)
    }

    private func refusal(of new: Listener, among state: State) -> TooManyStreams? {
        let ofTenant = state.listeners.values.filter { $0.tenant == new.tenant }
        if ofTenant.count(where: { $0.subject == new.subject }) >= limits.perSubject { return .ofSubject }
        return ofTenant.count >= limits.perTenant ? .ofTenant : nil
    }

    private func throwing(_ refusal: TooManyStreams?) throws {
        guard let refusal else { return }
        refused.increment(by: 1, [refusal.rawValue])
        throw refusal
    }

    /// Returns when the tenant may have something new, or after `timeout`.
    func wait(_ id: UUID, timeout: Duration) async throws {
        let signal = OneShot<Void>()
        let ready = state.withLock { state -> Bool in
            guard var listener = state.listeners[id] else { return true }
            defer { state.listeners[id] = listener }
            if listener.pending {
                listener.pending = false
                return true
            }
            listener.waiter = signal
            return false
        }
        if ready { return }
        let timer = Task {
            try? await Task.sleep(for: timeout)
            signal.succeed()
        }
        defer { timer.cancel() }
        try await signal.value()
        state.withLock { $0.listeners[id]?.pending = false }
    }
}
