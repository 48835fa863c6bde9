import CCurl
import ConcurrencySupport
import Glibc

/// One curl multi handle, driven by an event loop: its sockets hang on the loop's epoll, its timer is one of the loop's.
///
/// Unchecked: confined to the loop's thread, as curl's handles and callbacks are; ``LoopClient`` sees to it.
final class TransferEngine: @unchecked Sendable {
    private static let globalInit: CURLcode = curl_global_init(ccurl_global_default)

    let loop: EventLoop
    private let configuration: HTTPClient.Configuration
    /// Made with the first transfer, gone with the shutdown.
    private var multi: UnsafeMutableRawPointer?
    private var isShutDown = false
    private var transfers: [UInt64: Transfer] = [:]
    private var timers = TimerHeap()
    private var idleHandles = EasyHandlePool()
    private var sockets: [curl_socket_t: CurlSocket] = [:]
    /// When curl wants to be called without an event.
    private var curlDue: Int64?
    private var alarm: LoopTimer?
    private var alarmDue = Int64.max
    /// Monotonic nanoseconds, read once per event.
    private(set) var now: Int64 = 0

    init(loop: EventLoop, configuration: HTTPClient.Configuration) {
        self.loop = loop
        self.configuration = configuration
    }

    private func makeMulti() -> UnsafeMutableRawPointer {
        precondition(Self.globalInit == CURLE_OK, "curl_global_init failed")
        guard let multi = curl_multi_init() else { preconditionFailure("curl_multi_init: out of memory") }
        let unowned = Unmanaged.passUnretained(self).toOpaque()
        ccurl_multi_set_socket(multi, interestChanged, unowned)
        ccurl_multi_set_timer(multi, timerChanged, unowned)
        ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.maxConnectionsPerHost)
        ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, configuration.maxIdleConnections)
        ccurl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
        self.multi = multi
        return multi
    }

    private func makeHandle() -> EasyHandle {
        let easy = EasyHandle()
        let age = Int(max(1, configuration.idleConnectionLifetime.components.seconds))
        easy.applyConstants(maxConnectionAge: age)
        let unowned = Unmanaged.passUnretained(self).toOpaque()
        ccurl_set_sockets(easy.pointer, openSocket, closeSocket, unowned)
        return easy
    }

    // MARK: Commands

    func start(_ id: UInt64, _ request: ClientRequest, _ delivery: Delivery) {
        guard !isShutDown else { return delivery.fail(HTTPClient.closed) }
        now = Self.clock()
        let shape = EasyHandle.Shape(of: request)
        let easy = idleHandles.take(shape) ?? makeHandle()
        let transfer = Transfer(id: id, request: request, delivery: delivery, easy: easy, engine: self)
        transfers[id] = transfer
        transfer.configure(shape)
        transfer.due = transfer.nextDue
        timers.schedule(transfer)
        let code = curl_multi_add_handle(multi ?? makeMulti(), easy.pointer)
        transfer.isAdded = code == CURLM_OK
        if transfer.isAdded {
            // Curl asks to be called soon. Called now it sends now, where a connection is at hand.
            curlDue = nil
            act(ccurl_socket_timeout, 0)
        } else {
            end(transfer, .failure(transfer.failure(.malformed, "curl_multi_add_handle: \(code.rawValue)")))
        }
    }

    func cancel(_ id: UInt64) {
        guard let transfer = transfers[id] else { return }
        now = Self.clock()
        end(transfer, .failure(transfer.failure(.cancelled, "the caller left")))
        // Another one may have waited for the connection.
        settle()
    }

    func resume(_ id: UInt64) {
        guard let transfer = transfers[id], transfer.isPaused else { return }
        now = Self.clock()
        transfer.isPaused = false
        transfer.touch()
        reschedule(transfer)
        // Delivers at once what curl kept back; that may fill the buffer again.
        curl_easy_pause(transfer.easy.pointer, CURLPAUSE_CONT)
        settle()
    }

    func shutdown() {
        isShutDown = true
        for transfer in Array(transfers.values) {
            end(transfer, .failure(transfer.failure(.closed, "the client was shut down")))
        }
        idleHandles.removeAll()
        if let multi { curl_multi_cleanup(multi) }
        multi = nil
        if let alarm { loop.cancel(alarm) }
        alarm = nil
    }

    // MARK: Events

    private func act(_ socket: curl_socket_t, _ mask: Int32) {
        guard let multi else { return }
        var running: Int32 = 0
        curl_multi_socket_action(multi, socket, mask, &running)
        settle()
    }

    /// Ends what curl has finished, and sets the alarm for what is due next.
    private func settle() {
        var left: Int32 = 0
        while let multi, let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle,
                let pointer = ccurl_get_private(easy)
            else { continue }
            let code = message.pointee.data.result
            let transfer = Unmanaged<Transfer>.fromOpaque(pointer).takeUnretainedValue()
            end(transfer, transfer.result(of: code))
        }
        setAlarm()
    }

    /// Takes the transfer out of curl, which closes its connection unless the answer is complete, and only then tells the caller.
    private func end(_ transfer: Transfer, _ result: Result<Void, HTTPClientError>) {
        transfers[transfer.id] = nil
        timers.remove(transfer)
        if transfer.isAdded, let multi { curl_multi_remove_handle(multi, transfer.easy.pointer) }
        transfer.release()
        idleHandles.put(transfer.easy)
        transfer.deliver(result)
    }

    fileprivate func socketIsReady(_ socket: curl_socket_t, _ mask: Int32) {
        now = Self.clock()
        act(socket, mask)
    }

    // MARK: Time

    /// To be called when a transfer's next due time may have come nearer.
    func reschedule(_ transfer: Transfer) {
        let due = transfer.nextDue
        guard due < transfer.due else { return }
        transfer.due = due
        timers.schedule(transfer)
    }

    fileprivate func setCurlTimer(milliseconds: Int) {
        curlDue = milliseconds < 0 ? nil : Self.clock() + Int64(milliseconds) * 1_000_000
    }

    private func setAlarm() {
        let due = min(curlDue ?? .max, timers.first?.due ?? .max)
        // An alarm that comes too early does no harm; moving it each time would.
        guard due < alarmDue, !isShutDown else { return }
        if let alarm { loop.cancel(alarm) }
        alarmDue = due
        alarm = loop.schedule(at: .now + .nanoseconds(max(0, due - Self.clock()))) { [self] in alarmRings() }
    }

    private func alarmRings() {
        (alarm, alarmDue) = (nil, .max)
        now = Self.clock()
        while let transfer = timers.first, transfer.due <= now {
            let due = transfer.nextDue
            if due > now {
                // Something has arrived meanwhile.
                transfer.due = due
                timers.schedule(transfer)
            } else if transfer.takesLastLook() {
                // Where it is the loop that was held up, the answer lies in the socket: the poll before the next ring finds it.
                transfer.due = now + 1
                timers.schedule(transfer)
            } else {
                end(transfer, .failure(transfer.timeoutFailure))
            }
        }
        if let due = curlDue, due <= now {
            curlDue = nil
            act(ccurl_socket_timeout, 0)
        } else {
            settle()
        }
    }

    private static func clock() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    // MARK: Sockets

    fileprivate func socketOpened(_ socket: curl_socket_t) {
        sockets[socket] = CurlSocket(socket, engine: self, isKept: true)
    }

    fileprivate func socketCloses(_ socket: curl_socket_t) {
        sockets.removeValue(forKey: socket)?.unwatch()
    }

    fileprivate func want(_ socket: curl_socket_t, _ interest: Readiness) {
        if let known = sockets[socket] {
            known.want(interest)
            if interest.isEmpty, !known.isKept { sockets[socket] = nil }
        } else if !interest.isEmpty {
            // Curl's own, e.g. the resolver's: it closes them without a word, after it has lost interest in them.
            let unknown = CurlSocket(socket, engine: self, isKept: false)
            sockets[socket] = unknown
            unknown.want(interest)
        }
    }
}

/// One socket and what it is watched for.
///
/// Curl wants a socket watched for each transfer and not watched between two. A kept connection's stays on the epoll all the same: two
/// system calls fewer per request. If anything comes on it meanwhile (its end, mostly), it is taken off.
///
/// Unchecked: confined to the loop's thread.
private final class CurlSocket: ReadinessHandler, @unchecked Sendable {
    let isKept: Bool
    private let socket: curl_socket_t
    /// It owns this object, and is kept by what waits in the loop.
    private unowned let engine: TransferEngine
    private var wanted: Readiness = []
    private var watched: Readiness = []

    init(_ socket: curl_socket_t, engine: TransferEngine, isKept: Bool) {
        self.socket = socket
        self.engine = engine
        self.isKept = isKept
    }

    func want(_ interest: Readiness) {
        wanted = interest
        guard !interest.isEmpty else { return isKept ? () : unwatch() }
        guard interest != watched else { return }
        // Cannot fail on an open descriptor but for want of memory; then the transfer's time runs out.
        if watched.isEmpty {
            try? engine.loop.watch(socket, for: interest, handler: self)
        } else {
            try? engine.loop.rewatch(socket, for: interest)
        }
        watched = interest
    }

    func unwatch() {
        guard !watched.isEmpty else { return }
        engine.loop.unwatch(socket)
        watched = []
    }

    func isReady(_ readiness: Readiness, on loop: EventLoop) {
        guard !wanted.isEmpty else { return unwatch() }
        var mask: Int32 = 0
        if readiness.contains(.readable) { mask |= CURL_CSELECT_IN }
        if readiness.contains(.writable) { mask |= CURL_CSELECT_OUT }
        if !readiness.isDisjoint(with: [.error, .hangUp]) { mask |= CURL_CSELECT_ERR }
        engine.socketIsReady(socket, mask)
    }
}

// MARK: Called by curl

private func interestChanged(
    _ easy: UnsafeMutableRawPointer?, _ socket: curl_socket_t, _ what: Int32, _ engine: UnsafeMutableRawPointer?,
    _ socketData: UnsafeMutableRawPointer?
) -> Int32 {
    guard let engine else { return 0 }
    let interest: Readiness =
        switch what {
        case CURL_POLL_IN: .readable
        case CURL_POLL_OUT: .writable
        case CURL_POLL_INOUT: [.readable, .writable]
        default: []
        }
    Unmanaged<TransferEngine>.fromOpaque(engine).takeUnretainedValue().want(socket, interest)
    return 0
}

private func timerChanged(_ multi: UnsafeMutableRawPointer?, _ milliseconds: Int, _ engine: UnsafeMutableRawPointer?) -> Int32 {
    guard let engine else { return 0 }
    Unmanaged<TransferEngine>.fromOpaque(engine).takeUnretainedValue().setCurlTimer(milliseconds: milliseconds)
    return 0
}

private func openSocket(
    _ engine: UnsafeMutableRawPointer?, _ purpose: curlsocktype, _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    guard let engine, let address else { return ccurl_socket_bad }
    let type = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(address.pointee.family, type, address.pointee.protocol)
    guard descriptor >= 0 else { return ccurl_socket_bad }
    Unmanaged<TransferEngine>.fromOpaque(engine).takeUnretainedValue().socketOpened(descriptor)
    return descriptor
}

private func closeSocket(_ engine: UnsafeMutableRawPointer?, _ descriptor: curl_socket_t) -> Int32 {
    guard let engine else { return close(descriptor) }
    Unmanaged<TransferEngine>.fromOpaque(engine).takeUnretainedValue().socketCloses(descriptor)
    return close(descriptor)
}
