import CPostgres
import ConcurrencySupport
import Glibc

import struct Synchronization.Atomic

/// What the loop tells the owner of a socket. Called on the loop's thread: must not block.
protocol SocketHandler: AnyObject, Sendable {
    func socketIsReady()
}

/// Somebody with deadlines. Called on the loop's thread: must not block.
protocol Ticking: AnyObject, Sendable {
    /// - Returns: when to call next; `nil` for not before ``EventLoop/tick(by:)`` asks for it.
    func tick(now: ContinuousClock.Instant) -> ContinuousClock.Instant?
}

/// One thread per process that waits for the sockets of all connections, and for deadlines at a resolution of some milliseconds.
///
/// Work is sent by whoever has it; the loop only receives. So a query costs one wake-up of this thread and one of the waiting task,
/// and answers that come together are read together.
final class EventLoop: Sendable {
    static let shared = EventLoop()

    private struct State {
        var sockets: [UInt64: any SocketHandler] = [:]
        var tickers: [ObjectIdentifier: any Ticking] = [:]
        var nextToken: UInt64 = 1
    }

    private let epoll: Int32
    private let bell: Int32
    private let state = Lock(State())
    /// When the loop wakes by itself, in nanoseconds since `origin`.
    private let wakesAt = Atomic<Int64>(.max)
    private let origin = ContinuousClock.now

    private init() {
        epoll = event_queue_create()
        bell = event_bell_create()
        precondition(epoll >= 0 && bell >= 0, "no descriptors for an event loop: errno \(errno)")
        var event = epoll_event(events: event_readable, data: epoll_data_t(u64: 0))
        epoll_ctl(epoll, EPOLL_CTL_ADD, bell, &event)
        OwnThread.start(name: "postgres-loop") { self.run() }
    }

    // MARK: Sockets

    func register(_ handler: any SocketHandler) -> UInt64 {
        state.withLock { state in
            let token = state.nextToken
            state.nextToken += 1
            state.sockets[token] = handler
            return token
        }
    }

    func unregister(_ token: UInt64) {
        _ = state.withLock { $0.sockets.removeValue(forKey: token) }
    }

    /// Watches a descriptor, or changes what it is watched for.
    func watch(_ descriptor: Int32, token: UInt64, writable: Bool) {
        let interest = event_readable | (writable ? event_writable : 0)
        var event = epoll_event(events: interest, data: epoll_data_t(u64: token))
        if epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event) != 0, errno == ENOENT {
            epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)
        }
    }

    /// Must come before the descriptor is closed.
    func unwatch(_ descriptor: Int32) {
        var event = epoll_event()
        epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &event)
    }

    // MARK: Deadlines

    func add(_ ticker: any Ticking) {
        state.withLock { $0.tickers[ObjectIdentifier(ticker)] = ticker }
    }

    func remove(_ ticker: any Ticking) {
        _ = state.withLock { $0.tickers.removeValue(forKey: ObjectIdentifier(ticker)) }
    }

    /// Makes sure that tickers are called not later than `instant`. Cheap when that is so already.
    func tick(by instant: ContinuousClock.Instant) {
        let due = nanoseconds(instant)
        guard due < wakesAt.load(ordering: .acquiring) else { return }
        if due < wakesAt.min(due, ordering: .acquiringAndReleasing).oldValue { ring() }
    }

    private func nanoseconds(_ instant: ContinuousClock.Instant) -> Int64 {
        let (seconds, attoseconds) = origin.duration(to: instant).components
        return seconds > 1_000_000_000 ? .max : seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    private func ring() {
        var one: UInt64 = 1
        _ = write(bell, &one, 8)
    }

    // MARK: The thread

    private func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        var ready: [any SocketHandler] = []
        while true {
            let now = nanoseconds(.now)
            let due = wakesAt.load(ordering: .acquiring)
            let timeout = due == .max ? -1 : Int32(clamping: max(0, due - now + 999_999) / 1_000_000)
            let count = Int(epoll_wait(epoll, &events, Int32(events.count), timeout))
            if count > 0 {
                state.withLock { state in
                    for index in 0..<count {
                        if let handler = state.sockets[events[index].data.u64] { ready.append(handler) }
                    }
                }
                if events[0..<count].contains(where: { $0.data.u64 == 0 }) { silenceBell() }
                for handler in ready { handler.socketIsReady() }
                ready.removeAll(keepingCapacity: true)
            }
            if nanoseconds(.now) >= wakesAt.load(ordering: .acquiring) { tick() }
        }
    }

    private func silenceBell() {
        var count: UInt64 = 0
        _ = read(bell, &count, 8)
    }

    private func tick() {
        // Whoever asks for a tick from here on is heard: it finds `.max`, or what others asked for meanwhile.
        wakesAt.store(.max, ordering: .releasing)
        let now = ContinuousClock.now
        let next = state.withLock { Array($0.tickers.values) }.compactMap { $0.tick(now: now) }.min()
        if let next { _ = wakesAt.min(nanoseconds(next), ordering: .acquiringAndReleasing) }
    }
}
