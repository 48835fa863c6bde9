import ConcurrencySupport
import Glibc

import struct Synchronization.Atomic

/// A signal that ends a process.
public enum UnixSignal: Int32, Sendable, CaseIterable {
    /// SIGINT: Ctrl-C.
    case interrupt = 2
    /// SIGTERM: what `kill` and container runtimes send.
    case terminate = 15

    /// What a shell reports for a process that this signal ended: 130 or 143.
    public var exitCode: Int32 { 128 + rawValue }
}

/// Turns signals into calls on a thread of its own, whatever the cooperative pool is doing.
///
/// The handler itself only writes the signal's number into a pipe, which is all a handler may safely do.
final class SignalListener: Sendable {
    static let shared = SignalListener()

    private struct State {
        var nextId = 0
        var subscribers: [Int: Subscriber] = [:]
        var threadIsRunning = false
        /// What each signal did before the first subscriber came.
        var previousActions: [UnixSignal: sigaction] = [:]
    }

    private struct Subscriber {
        let signals: Set<UnixSignal>
        let receive: @Sendable (UnixSignal) -> Void
    }

    private let state = Lock(State())

    /// - Returns: what to pass to ``unsubscribe(_:)``.
    func subscribe(to signals: Set<UnixSignal>, _ receive: @escaping @Sendable (UnixSignal) -> Void) -> Int {
        state.withLock { state in
            if !state.threadIsRunning {
                var ends: [Int32] = [-1, -1]
                let status = pipe(&ends)
                precondition(status == 0, "pipe failed: \(errno)")
                for end in ends {
                    _ = fcntl(end, F_SETFD, FD_CLOEXEC)
                    _ = fcntl(end, F_SETFL, O_NONBLOCK)
                }
                signalPipe.store(ends[1], ordering: .sequentiallyConsistent)
                let input = ends[0]
                OwnThread.start(name: "signals") { self.read(from: input) }
                state.threadIsRunning = true
            }
            for signal in signals where state.previousActions[signal] == nil {
                var action = sigaction()
                action.__sigaction_handler.sa_handler = forwardSignal
                action.sa_flags = SA_RESTART
                var previous = sigaction()
                sigaction(signal.rawValue, &action, &previous)
                state.previousActions[signal] = previous
            }
            state.nextId += 1
            state.subscribers[state.nextId] = Subscriber(signals: signals, receive: receive)
            return state.nextId
        }
    }

    /// Signals that nobody waits for any more do again what they did before.
    func unsubscribe(_ id: Int) {
        state.withLock { state in
            state.subscribers[id] = nil
            for (signal, action) in state.previousActions
            where !state.subscribers.values.contains(where: { $0.signals.contains(signal) }) {
                var previous = action
                sigaction(signal.rawValue, &previous, nil)
                state.previousActions[signal] = nil
            }
        }
    }

    private func read(from input: Int32) {
        while true {
            var request = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
            _ = poll(&request, 1, -1)
            var number: UInt8 = 0
            guard Glibc.read(input, &number, 1) == 1, let signal = UnixSignal(rawValue: Int32(number)) else { continue }
            let receivers = state.withLock { $0.subscribers.values.filter { $0.signals.contains(signal) }.map(\.receive) }
            for receive in receivers { receive(signal) }
        }
    }
}

/// The writing end for ``forwardSignal(_:)``: a handler can reach nothing but globals.
private let signalPipe = Atomic<Int32>(-1)

private func forwardSignal(_ number: Int32) {
    let savedError = errno
    var byte = UInt8(truncatingIfNeeded: number)
    _ = write(signalPipe.load(ordering: .sequentiallyConsistent), &byte, 1)
    errno = savedError
}
