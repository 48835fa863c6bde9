import ConcurrencySupport

/// A request's body as the route's handler takes it; see ``Request/incoming``.
public struct IncomingBody: Sendable {
    let intake: BodyIntake

    /// What has come since the last call, waiting for it where nothing has; `nil` at the body's proper end. The client is told to send, and
    /// to send on, by these calls.
    ///
    /// - Throws: ``ClientLeft`` where the body was cut off, `ContentTooLarge` where it is longer than the route takes, or
    ///   `CancellationError`.
    public func next() async throws -> [UInt8]? { try await intake.next() }
}

/// A bounded byte buffer between the connection, which must never wait, and one handler that takes from it: ``BodyPipe`` the other way
/// round.
final class BodyIntake: Sendable {
    static let capacity = 256 * 1024

    private enum End {
        case open
        case finished
        case failed(any Error)
        /// Nobody reads any more.
        case abandoned
    }

    private struct State {
        var buffer: [UInt8] = []
        var end = End.open
        var isWanted = false
        var wakeWriter: (@Sendable () -> Void)?
        var reader: OneShot<Void>?

        mutating func takeReader() -> OneShot<Void>? {
            defer { reader = nil }
            return reader
        }

        mutating func takeWriter() -> (@Sendable () -> Void)? {
            defer { wakeWriter = nil }
            return wakeWriter
        }
    }

    private let state: Lock<State>

    init() { state = Lock(State()) }

    /// A body that is there already.
    init(whole body: [UInt8]) { state = Lock(State(buffer: body, end: .finished)) }

    // MARK: The connection's side

    /// Whether the handler has asked for the body.
    ///
    /// - Parameter wake: called once, on any thread, when it does; kept only where the result is `false`.
    func isWanted(wake: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            if !state.isWanted { state.wakeWriter = wake }
            return state.isWanted
        }
    }

    /// - Parameter wake: called once, on any thread, when there is room again; kept only where the result is `false`.
    /// - Returns: whether there is room for more.
    func append(_ bytes: UnsafeRawBufferPointer, wake: @escaping @Sendable () -> Void) -> Bool {
        let (hasRoom, reader) = state.withLock { state -> (Bool, OneShot<Void>?) in
            guard case .open = state.end else { return (true, nil) }
            state.buffer.append(contentsOf: bytes)
            // The one who waits takes everything at once.
            if let reader = state.takeReader() { return (true, reader) }
            guard state.buffer.count >= Self.capacity else { return (true, nil) }
            state.wakeWriter = wake
            return (false, nil)
        }
        reader?.succeed()
        return hasRoom
    }

    func finish() { end(.finished) }

    func fail(_ error: any Error) { end(.failed(error)) }

    private func end(_ end: End) {
        let reader = state.withLock { state -> OneShot<Void>? in
            guard case .open = state.end else { return nil }
            state.end = end
            return state.takeReader()
        }
        reader?.succeed()
    }

    // MARK: The handler's side

    func next() async throws -> [UInt8]? {
        while true {
            try Task.checkCancellation()
            let arrival = OneShot<Void>()
            let (bytes, isOver, wake) = try state.withLock { state -> ([UInt8], Bool, (@Sendable () -> Void)?) in
                if case .failed(let error) = state.end { throw error }
                state.isWanted = true
                let bytes = state.buffer
                state.buffer = []
                var isOver = true
                if case .open = state.end {
                    isOver = false
                    if bytes.isEmpty { state.reader = arrival }
                }
                return (bytes, isOver, state.takeWriter())
            }
            wake?()
            if !bytes.isEmpty { return bytes }
            if isOver { return nil }
            try await arrival.value()
        }
    }

    /// The handler has answered.
    func abandon() {
        let wake = state.withLock { state in
            if case .open = state.end { state.end = .abandoned }
            state.buffer = []
            return state.takeWriter()
        }
        wake?()
    }
}
