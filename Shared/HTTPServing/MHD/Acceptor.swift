import CMicrohttpd
import ConcurrencySupport
import Glibc
import Synchronization

/// Takes connections from the listening socket and deals them out to the loops, each to the one that has fewest.
///
/// Neither a socket per loop nor one socket in every loop's epoll would do: by the hash of `SO_REUSEPORT`, or by who wakes first, a
/// handful of busy connections often ends on one loop while the others idle.
final class Acceptor: ReadinessHandler {
    private struct State {
        var isWatching = false
        var isStopped = false
    }

    private let listening: Int32
    private let loop: EventLoop
    private let daemons: [Daemon]
    private let limit: Int
    private let state: LoopBound<State>
    /// There was no room; the next connection that closes says so.
    private let isFull = Atomic<Bool>(false)

    /// The listening socket is closed by ``stop()``.
    init(listening: Int32, daemons: [Daemon], limit: Int) {
        self.listening = listening
        self.daemons = daemons
        self.limit = limit
        loop = daemons[0].loop
        state = LoopBound(State(), on: loop)
    }

    func start() { loop.execute { self.watch() } }

    var connectionCount: Int { daemons.reduce(0) { $0 + $1.connectionCount } }

    /// Stops accepting; new connections are refused by the kernel. What was accepted is with the daemons, or on its way to them ahead
    /// of whatever they are told after this.
    func stop() async {
        let done = OneShot<Void>()
        loop.execute { [self] in
            if !state.value.isStopped {
                state.value.isStopped = true
                unwatch()
                close(listening)
            }
            done.succeed()
        }
        try? await done.value(onCancel: {})
    }

    /// From any thread: a connection was closed.
    func connectionClosed() {
        guard isFull.exchange(false, ordering: .sequentiallyConsistent) else { return }
        loop.execute { self.watch() }
    }

    private func watch() {
        guard !state.value.isStopped, !state.value.isWatching else { return }
        state.value.isWatching = (try? loop.watch(listening, for: .readable, handler: self)) != nil
        if !state.value.isWatching { watchLater() }
    }

    private func unwatch() {
        loop.unwatch(listening)
        state.value.isWatching = false
    }

    /// Without descriptors or memory, a moment's patience is all there is.
    private func watchLater() { _ = loop.schedule(at: .now + .milliseconds(50)) { self.watch() } }

    func isReady(_ readiness: Readiness, on loop: EventLoop) {
        // A turn's worth; the rest is still there in the next.
        for _ in 0..<64 {
            guard connectionCount < limit else { return waitForRoom() }
            var address = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let descriptor = cmhd_accept(listening, &address, &length)
            guard descriptor >= 0 else {
                if errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM {
                    unwatch()
                    watchLater()
                }
                return
            }
            quietest().add(descriptor, address, length)
        }
    }

    private func waitForRoom() {
        unwatch()
        isFull.store(true, ordering: .sequentiallyConsistent)
        // One may have closed before it could see the mark.
        if connectionCount < limit { connectionClosed() }
    }

    /// The acceptor's own loop where there is nothing to choose: that costs no hand-over.
    private func quietest() -> Daemon {
        var least = daemons[0]
        for daemon in daemons.dropFirst() where daemon.connectionCount < least.connectionCount { least = daemon }
        return least
    }
}
