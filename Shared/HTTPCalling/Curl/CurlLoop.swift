import CCurl
import ConcurrencySupport
import Glibc

/// The way into the one thread that owns every libcurl handle: commands go through a locked inbox, an eventfd wakes the thread.
///
/// The thread starts with the first transfer. It keeps this object alive until it ends.
final class CurlLoop: Sendable {
    enum Command: Sendable {
        case start(UInt64, ClientRequest, Delivery)
        case cancel(UInt64)
        /// The reader of a held stream has caught up.
        case resume(UInt64)
    }

    private enum Phase {
        case idle, running, stopping, stopped
    }

    private struct Inbox {
        var phase = Phase.idle
        var commands: [Command] = []
        /// The thread has been woken and will look at `commands`.
        var isSignalled = false
        var nextId: UInt64 = 1
        var waitingForEnd: [OneShot<Void>] = []
    }

    let wakeDescriptor: Int32
    private let configuration: HTTPClient.Configuration
    private let inbox = Lock(Inbox())

    init(configuration: HTTPClient.Configuration) {
        self.configuration = configuration
        wakeDescriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        precondition(wakeDescriptor >= 0, "eventfd: errno \(errno)")
    }

    deinit { close(wakeDescriptor) }

    func makeId() -> UInt64 {
        inbox.withLock { inbox in
            defer { inbox.nextId += 1 }
            return inbox.nextId
        }
    }

    /// - Returns: `false` if the loop has been stopped; then nothing was started.
    @discardableResult
    func post(_ command: Command) -> Bool {
        let (accepted, start, signal) = inbox.withLock { inbox -> (Bool, Bool, Bool) in
            switch inbox.phase {
            case .idle:
                guard case .start = command else { return (true, false, false) }
                inbox.commands.append(command)
                inbox.phase = .running
                inbox.isSignalled = true
                return (true, true, false)
            case .running:
                inbox.commands.append(command)
                defer { inbox.isSignalled = true }
                return (true, false, !inbox.isSignalled)
            case .stopping, .stopped:
                return (false, false, false)
            }
        }
        if start { startThread() }
        if signal { wake() }
        return accepted
    }

    /// Fails what is under way and ends the thread; `ended` is completed after that.
    func stop(ended: OneShot<Void>? = nil) {
        let (done, signal) = inbox.withLock { inbox -> (Bool, Bool) in
            switch inbox.phase {
            case .idle, .stopped:
                inbox.phase = .stopped
                return (true, false)
            case .running, .stopping:
                inbox.phase = .stopping
                if let ended { inbox.waitingForEnd.append(ended) }
                return (false, true)
            }
        }
        if done { ended?.succeed() }
        if signal { wake() }
    }

    /// Thread side: what to do, and whether to end after it.
    func takeCommands() -> (commands: [Command], stop: Bool) {
        inbox.withLock { inbox in
            inbox.isSignalled = false
            let commands = inbox.commands
            inbox.commands.removeAll(keepingCapacity: commands.count < 1_024)
            return (commands, inbox.phase == .stopping)
        }
    }

    private func startThread() {
        OwnThread.start(name: "http-calling") {
            var signals = sigset_t()
            sigfillset(&signals)
            // OpenSSL may raise SIGPIPE, and SIGTERM is for the thread that waits for it.
            pthread_sigmask(SIG_BLOCK, &signals, nil)
            LoopThread(loop: self, configuration: self.configuration).run()
            let waiting = self.inbox.withLock { inbox in
                inbox.phase = .stopped
                return inbox.waitingForEnd
            }
            for ended in waiting { ended.succeed() }
        }
    }

    private func wake() {
        var one: UInt64 = 1
        _ = write(wakeDescriptor, &one, 8)
    }
}
