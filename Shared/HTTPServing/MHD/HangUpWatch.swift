import CMicrohttpd
import ConcurrencySupport
import Glibc

import struct Synchronization.Atomic

/// Tells connections that their client closed: libmicrohttpd does not look at a suspended connection at all.
///
/// A second epoll, edge-triggered on `EPOLLRDHUP`: one system call per connection, none per request. A client that only shuts its
/// sending side counts as gone, as it does for nginx and Go.
final class HangUpWatch: Sendable {
    private struct State {
        /// By ``Connection/id``, because descriptors are reused.
        var connections: [UInt64: Connection] = [:]
        var isStopped = false
    }

    private let state = Lock(State())
    private let epoll: Int32
    private let wakeUp: Int32
    private static let stopId: UInt64 = 0

    /// - Throws: ``ListenError`` without descriptors.
    init() throws {
        epoll = cmhd_watch_create()
        wakeUp = cmhd_event_create()
        guard epoll >= 0, wakeUp >= 0 else { throw ListenError(host: "", port: 0, code: errno) }
        _ = cmhd_watch_readable(epoll, wakeUp, Self.stopId)
        OwnThread.start(name: "hang-ups") { self.runThread() }
    }

    /// The descriptor leaves the epoll by itself when it is closed.
    func add(_ connection: Connection, descriptor: Int32) {
        state.withLock { $0.connections[connection.id] = connection }
        _ = cmhd_watch_hang_up(epoll, descriptor, connection.id)
    }

    func remove(_ connection: Connection) { state.withLock { _ = $0.connections.removeValue(forKey: connection.id) } }

    var connectionCount: Int { state.withLock { $0.connections.count } }

    /// Ends the thread, which closes the descriptors.
    func stop() {
        var one: UInt64 = 1
        state.withLock { $0.isStopped = true }
        write(wakeUp, &one, MemoryLayout<UInt64>.size)
    }

    private func runThread() {
        var ids = [UInt64](repeating: 0, count: 64)
        while !state.withLock({ $0.isStopped }) {
            let count = cmhd_watch_wait(epoll, &ids, Int32(ids.count))
            guard count > 0 else { continue }
            let gone = state.withLock { state in ids.prefix(Int(count)).compactMap { state.connections[$0] } }
            for connection in gone { connection.peerLeft() }
        }
        close(epoll)
        close(wakeUp)
    }
}

/// One TCP connection, for as long as the library knows it.
final class Connection: Sendable {
    private struct State {
        var isPeerGone = false
        var exchange: Exchange?
    }

    private static let lastId = Atomic<UInt64>(0)

    let id = lastId.wrappingAdd(1, ordering: .relaxed).newValue
    let peerAddress: String
    private let state = Lock(State())

    init(peerAddress: String) { self.peerAddress = peerAddress }

    /// The exchange that must hear of a hang-up from now on; it hears at once of one that was before.
    func attach(_ exchange: Exchange) {
        let isPeerGone = state.withLock { state in
            state.exchange = exchange
            return state.isPeerGone
        }
        if isPeerGone { exchange.peerLeft() }
    }

    func detach() { state.withLock { $0.exchange = nil } }

    func peerLeft() {
        let exchange = state.withLock { state in
            state.isPeerGone = true
            return state.exchange
        }
        exchange?.peerLeft()
    }
}
