import CCurl
import ConcurrencySupport
import Glibc

/// The event loop: epoll beneath `curl_multi_socket_action`. Every property and every curl callback lives on its thread.
final class LoopThread {
    private static let globalInit: CURLcode = curl_global_init(ccurl_global_default)

    private let loop: CurlLoop
    private let multi: UnsafeMutableRawPointer
    private let epoll: Int32
    private let maxConnectionAge: Int
    private var transfers: [UInt64: Transfer] = [:]
    private var timers = TimerHeap()
    private var idleHandles: [EasyHandle] = []
    /// When curl wants to be called without an event.
    private var curlDue: Int64?
    /// Monotonic nanoseconds, read once per round.
    private(set) var now = LoopThread.clock()

    init(loop: CurlLoop, configuration: HTTPClient.Configuration) {
        precondition(Self.globalInit == CURLE_OK, "curl_global_init failed")
        guard let multi = curl_multi_init() else { preconditionFailure("curl_multi_init: out of memory") }
        self.loop = loop
        self.multi = multi
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        precondition(epoll >= 0, "epoll_create1: errno \(errno)")
        maxConnectionAge = Int(max(1, configuration.idleConnectionLifetime.components.seconds))
        let unowned = Unmanaged.passUnretained(self).toOpaque()
        ccurl_multi_set_socket(multi, socketChanged, unowned)
        ccurl_multi_set_timer(multi, timerChanged, unowned)
        ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.maxConnectionsPerHost)
        ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, configuration.maxIdleConnections)
        ccurl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
        watch(loop.wakeDescriptor, events: EPOLLIN.rawValue)
    }

    deinit {
        idleHandles.removeAll()
        curl_multi_cleanup(multi)
        close(epoll)
    }

    // MARK: The loop

    func run() {
        while true {
            now = Self.clock()
            let (commands, stop) = loop.takeCommands()
            for command in commands { handle(command) }
            if stop { return failAll() }
            if let due = curlDue, due <= now {
                curlDue = nil
                act(ccurl_socket_timeout, 0)
            }
            finishCompleted()
            fireTimers()
            waitForEvents()
        }
    }

    private func waitForEvents() {
        let due = min(curlDue ?? .max, timers.first?.due ?? .max)
        var timeout: Int32 = -1
        if due != .max {
            let nanoseconds = max(0, due - now)
            timeout = Int32(min(nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 == 0 ? 0 : 1), 3_600_000))
        }
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 64) { events in
            let count = epoll_wait(epoll, events.baseAddress, 64, timeout)
            guard count > 0 else { return }
            now = Self.clock()
            for event in events.prefix(Int(count)) {
                if event.data.fd == loop.wakeDescriptor {
                    var value: UInt64 = 0
                    _ = read(loop.wakeDescriptor, &value, 8)
                    continue
                }
                var mask: Int32 = 0
                if event.events & EPOLLIN.rawValue != 0 { mask |= CURL_CSELECT_IN }
                if event.events & EPOLLOUT.rawValue != 0 { mask |= CURL_CSELECT_OUT }
                if event.events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { mask |= CURL_CSELECT_ERR }
                act(event.data.fd, mask)
            }
        }
    }

    private func act(_ socket: curl_socket_t, _ mask: Int32) {
        var running: Int32 = 0
        curl_multi_socket_action(multi, socket, mask, &running)
    }

    private func finishCompleted() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle,
                let pointer = ccurl_get_private(easy)
            else { continue }
            let code = message.pointee.data.result
            let transfer = Unmanaged<Transfer>.fromOpaque(pointer).takeUnretainedValue()
            end(transfer, transfer.result(of: code))
        }
    }

    // MARK: Commands

    private func handle(_ command: CurlLoop.Command) {
        switch command {
        case .start(let id, let request, let delivery):
            let easy = idleHandles.popLast() ?? EasyHandle()
            let transfer = Transfer(id: id, request: request, delivery: delivery, easy: easy, loop: self)
            transfers[id] = transfer
            transfer.configure(maxConnectionAge: maxConnectionAge)
            transfer.due = transfer.nextDue
            timers.schedule(transfer)
            let code = curl_multi_add_handle(multi, easy.pointer)
            transfer.isAdded = code == CURLM_OK
            if !transfer.isAdded {
                end(transfer, .failure(transfer.failure(.malformed, "curl_multi_add_handle: \(code.rawValue)")))
            }
        case .cancel(let id):
            guard let transfer = transfers[id] else { return }
            end(transfer, .failure(transfer.failure(.cancelled, "the caller left")))
        case .resume(let id):
            guard let transfer = transfers[id], transfer.isPaused else { return }
            transfer.isPaused = false
            transfer.touch()
            reschedule(transfer)
            // Delivers at once what curl kept back; that may fill the buffer again.
            curl_easy_pause(transfer.easy.pointer, CURLPAUSE_CONT)
        }
    }

    /// Takes the transfer out of curl, which closes its connection unless the answer is complete, and only then tells the caller.
    private func end(_ transfer: Transfer, _ result: Result<Void, HTTPClientError>) {
        transfers[transfer.id] = nil
        timers.remove(transfer)
        if transfer.isAdded { curl_multi_remove_handle(multi, transfer.easy.pointer) }
        transfer.release()
        if idleHandles.count < 64 {
            transfer.easy.reset()
            idleHandles.append(transfer.easy)
        }
        transfer.deliver(result)
    }

    private func failAll() {
        for transfer in Array(transfers.values) {
            end(transfer, .failure(transfer.failure(.closed, "the client was shut down")))
        }
    }

    // MARK: Timers

    /// To be called when a transfer's next due time may have come nearer.
    func reschedule(_ transfer: Transfer) {
        let due = transfer.nextDue
        guard due < transfer.due else { return }
        transfer.due = due
        timers.schedule(transfer)
    }

    private func fireTimers() {
        while let transfer = timers.first, transfer.due <= now {
            let due = transfer.nextDue
            if due > now {
                // Something has arrived meanwhile; moving the timer each time would have been dearer.
                transfer.due = due
                timers.schedule(transfer)
            } else {
                end(transfer, .failure(transfer.timeoutFailure))
            }
        }
    }

    func setCurlTimer(milliseconds: Int) {
        curlDue = milliseconds < 0 ? nil : Self.clock() + Int64(milliseconds) * 1_000_000
    }

    static func clock() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    // MARK: Sockets

    func watch(_ socket: Int32, events: UInt32) {
        var event = epoll_event()
        event.events = events
        event.data.fd = socket
        // A descriptor number may have been closed and used again without a word: the kernel knows which of the two it is.
        if epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event) != 0 { epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) }
    }

    func unwatch(_ socket: Int32) {
        var event = epoll_event()
        epoll_ctl(epoll, EPOLL_CTL_DEL, socket, &event)
    }
}

private func socketChanged(
    _ easy: UnsafeMutableRawPointer?, _ socket: curl_socket_t, _ what: Int32, _ loop: UnsafeMutableRawPointer?,
    _ socketData: UnsafeMutableRawPointer?
) -> Int32 {
    guard let loop else { return 0 }
    let thread = Unmanaged<LoopThread>.fromOpaque(loop).takeUnretainedValue()
    switch what {
    case CURL_POLL_IN: thread.watch(socket, events: EPOLLIN.rawValue)
    case CURL_POLL_OUT: thread.watch(socket, events: EPOLLOUT.rawValue)
    case CURL_POLL_INOUT: thread.watch(socket, events: EPOLLIN.rawValue | EPOLLOUT.rawValue)
    case CURL_POLL_REMOVE: thread.unwatch(socket)
    default: break
    }
    return 0
}

private func timerChanged(_ multi: UnsafeMutableRawPointer?, _ milliseconds: Int, _ loop: UnsafeMutableRawPointer?) -> Int32 {
    guard let loop else { return 0 }
    Unmanaged<LoopThread>.fromOpaque(loop).takeUnretainedValue().setCurlTimer(milliseconds: milliseconds)
    return 0
}
