import ConcurrencySupport
import FoundationEssentials
import Lifecycle
import Observability

/// Wakes the open streams of a tenant when it has new events: at once for events stored by this process, and within half a second for
/// those stored by another replica, by one small query while anybody is listening.
final class EventStreamHub: Service {
    private struct Listener {
        let tenant: UUID
        var pending = false
        var waiter: OneShot<Void>?
    }

    private struct State {
        var listeners: [UUID: Listener] = [:]
        var heads: [UUID: Int64] = [:]
    }

    private let state = Lock(State())
    private let store: EventStreamStore
    private let logger: Logger

    init(store: EventStreamStore, logger: Logger) {
        self.store = store
        self.logger = logger
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

    func addListener(tenant: UUID) -> UUID {
        let id = UUID()
        state.withLock { $0.listeners[id] = Listener(tenant: tenant) }
        return id
    }

    func removeListener(_ id: UUID) {
        let waiter = state.withLock { $0.listeners.removeValue(forKey: id)?.waiter }
        waiter?.succeed()
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
