import CMicrohttpd
import ConcurrencySupport
import HTTPCore

/// The library's connection. Only its loop's thread calls the library with it; the pointer is good for as long as the exchange has not
/// been completed.
struct ConnectionHandle: @unchecked Sendable {
    let raw: OpaquePointer
}

/// One request and its answer: the library's callbacks on one side, the handler's task on the other.
///
/// Every change goes: lock → decide, get an action → unlock → act. A connection is resumed exactly once per suspension: whoever moves
/// the state away from suspended does it.
final class Exchange: Sendable {
    enum Phase {
        /// Head and body are coming.
        case receiving
        /// The handler works and takes the body as it comes.
        case taking
        /// The handler works. The connection is about to be suspended, or is.
        case running(isSuspended: Bool)
        case ready(Response)
        /// Head and body are on their way out.
        case answering
        /// To be closed without an answer: nobody is there to read it.
        case closing
        case over
    }

    /// Where a streamed body stands, the request's or the answer's.
    private enum Flow {
        case moving
        /// Nothing to send, or no room for more: the connection is about to be suspended.
        case suspending
        /// Something came before the suspension had happened.
        case woken
        case suspended
    }

    private struct State {
        var phase = Phase.receiving
        var flow = Flow.moving
        var intake: BodyIntake?
        var pipe: BodyPipe?
        var isEventStream = false
        var work: Task<Void, Never>?
        var hasBegun = false
        var isPeerGone = false
    }

    private enum Action {
        case none
        case resume
    }

    let target: String
    let daemon: Daemon
    private let connection: ConnectionHandle
    private let state = Lock(State())

    init(target: String, connection: OpaquePointer, daemon: Daemon) {
        self.target = target
        self.daemon = daemon
        self.connection = ConnectionHandle(raw: connection)
    }

    private func perform(_ action: Action) {
        if case .resume = action { daemon.resume(connection) }
    }

    // MARK: The library's side, on its loop

    var phase: Phase { state.withLock { $0.phase } }

    /// Before the task starts.
    func beginRunning() {
        state.withLock { state in
            state.phase = .running(isSuspended: false)
            state.hasBegun = true
        }
    }

    /// Before the task starts that takes the body as it comes.
    func beginTaking(_ intake: BodyIntake) {
        state.withLock { state in
            state.phase = .taking
            state.intake = intake
            state.hasBegun = true
        }
    }

    /// The task has its first steps behind it.
    func setWork(_ work: Task<Void, Never>) { state.withLock { $0.work = work } }

    /// The body is there; from here on it is like any other request.
    func endTaking() {
        state.withLock { state in
            guard case .taking = state.phase else { return }
            state.phase = .running(isSuspended: false)
        }
    }

    /// Suspends the connection unless the answer is there already.
    func suspendUnlessReady() {
        let mustSuspend = state.withLock { state in
            if case .running = state.phase { return true }
            return false
        }
        guard mustSuspend else { return }
        MHD_suspend_connection(connection.raw)
        perform(
            state.withLock { state in
                guard case .running = state.phase else { return .resume }
                state.phase = .running(isSuspended: true)
                return .none
            })
    }

    /// Takes the answer in order to queue it.
    func takeAnswer() -> Response? {
        state.withLock { state in
            guard case .ready(let response) = state.phase else { return nil }
            state.phase = .answering
            return response
        }
    }

    /// The library is done with this request: nothing may touch the connection any more.
    ///
    /// - Returns: whether it was ever in work.
    func complete() -> Bool {
        let (work, intake, pipe, hasBegun) = state.withLock { state in
            state.phase = .over
            state.flow = .moving
            defer {
                state.work = nil
                state.intake = nil
                state.pipe = nil
            }
            return (state.work, state.intake, state.pipe, state.hasBegun)
        }
        intake?.fail(ClientLeft())
        pipe?.abandon()
        work?.cancel()
        return hasBegun
    }

    // MARK: Streamed bodies, on the library's loop

    func beginStream(_ pipe: BodyPipe, isEventStream: Bool) {
        state.withLock { state in
            state.pipe = pipe
            state.isEventStream = isEventStream
        }
    }

    func setStreamWork(_ work: Task<Void, Never>) {
        let (isLate, pipe) = state.withLock { state in
            state.work = work
            return (state.isPeerGone, state.pipe)
        }
        guard isLate else { return }
        work.cancel()
        pipe?.abandon()
    }

    func streamWillRead() { state.withLock { $0.flow = .suspending } }

    /// As above, before a piece of the request's body is taken.
    ///
    /// - Returns: `false` where the connection is suspended already: the library hands out what it has read so far all the same.
    func streamWillTake() -> Bool {
        state.withLock { state in
            if case .suspended = state.flow { return false }
            state.flow = .suspending
            return true
        }
    }

    /// It is not to be suspended after all.
    func streamMoves() { state.withLock { $0.flow = .moving } }

    func suspendStream() {
        MHD_suspend_connection(connection.raw)
        perform(
            state.withLock { state in
                if case .suspending = state.flow, !state.isPeerGone {
                    state.flow = .suspended
                    return .none
                }
                state.flow = .moving
                return .resume
            })
    }

    /// From any thread: the pipe has something again, or has ended; or the handler wants more of the request's body.
    func streamIsReadable() {
        perform(
            state.withLock { Self.wake(&$0) })
    }

    private static func wake(_ state: inout State) -> Action {
        switch state.flow {
        case .suspending:
            state.flow = .woken
            return .none
        case .suspended:
            state.flow = .moving
            return .resume
        case .moving, .woken: return .none
        }
    }

    // MARK: The other sides, from any thread

    /// The handler has answered. Does nothing where nobody waits any more.
    func finish(with response: Response) {
        let (action, intake) = state.withLock { state -> (Action, BodyIntake?) in
            switch state.phase {
            case .running(let isSuspended):
                state.phase = .ready(response)
                return (isSuspended ? .resume : .none, nil)
            case .taking:
                state.phase = .ready(response)
                return (Self.wake(&state), state.intake)
            default: return (.none, nil)
            }
        }
        intake?.abandon()
        perform(action)
    }

    /// The client hung up: cancels the handler and gives the connection back to the library, which closes it.
    func peerLeft() {
        let (action, work, intake, pipe) = state.withLock { state -> (Action, Task<Void, Never>?, BodyIntake?, BodyPipe?) in
            state.isPeerGone = true
            var action = Action.none
            if case .running(let isSuspended) = state.phase {
                state.phase = .closing
                action = isSuspended ? .resume : .none
            } else {
                if case .taking = state.phase { state.phase = .closing }
                if case .suspended = state.flow {
                    state.flow = .moving
                    action = .resume
                }
            }
            return (action, state.work, state.intake, state.pipe)
        }
        // Cancelled first: the task's view must not be that of a client who reads on.
        work?.cancel()
        intake?.fail(ClientLeft())
        pipe?.abandon()
        perform(action)
    }

    /// Event streams have no end of their own; when the server drains, they end properly and clients come back elsewhere.
    func endEventStream() {
        let work = state.withLock { $0.isEventStream ? $0.work : nil }
        work?.cancel()
    }

    /// The drain's time is up. A body that is still coming leaves no place for an answer: the connection is closed.
    func abort(with response: Response) {
        let (action, work, intake, pipe) = state.withLock { state -> (Action, Task<Void, Never>?, BodyIntake?, BodyPipe?) in
            var action = Action.none
            if case .taking = state.phase {
                state.phase = .closing
                action = Self.wake(&state)
            }
            return (action, state.work, state.intake, state.pipe)
        }
        perform(action)
        finish(with: response)
        intake?.fail(ClientLeft())
        pipe?.finish(successfully: false)
        work?.cancel()
    }
}
