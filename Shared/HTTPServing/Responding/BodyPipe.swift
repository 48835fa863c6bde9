import ConcurrencySupport

/// A bounded byte buffer between a handler that writes asynchronously and one reader that must never wait.
///
/// The reader takes what is there; where nothing is, it leaves a wake-up call. Writers append whole pieces, then wait until the buffer
/// is half empty again, so that at most `capacity` and one piece are held.
final class BodyPipe: Sendable {
    static let capacity = 64 * 1024

    enum Reading: Equatable {
        case bytes(Int)
        /// Nothing now; the wake-up call will come.
        case wait
        case end
        /// The writer failed: the answer must be seen to be cut off.
        case failed
    }

    private enum End {
        case open
        case finished
        case failed
        case readerLeft
    }

    private struct State {
        var buffer: [UInt8] = []
        var start = 0
        var end = End.open
        var wakeReader: (@Sendable () -> Void)?
        var writers: [OneShot<Void>] = []

        var unread: Int { buffer.count - start }

        mutating func takeWriters() -> [OneShot<Void>] {
            defer { writers = [] }
            return writers
        }
    }

    private let state = Lock(State())

    func write(_ bytes: [UInt8]) async throws {
        try Task.checkCancellation()
        let room = OneShot<Void>()
        let (wake, isFull) = try state.withLock { state -> ((@Sendable () -> Void)?, Bool) in
            guard state.end == .open else { throw ClientLeft() }
            state.buffer.append(contentsOf: bytes)
            let isFull = state.unread > Self.capacity
            if isFull { state.writers.append(room) }
            defer { state.wakeReader = nil }
            return (state.wakeReader, isFull)
        }
        wake?()
        if isFull { try await room.value() }
    }

    /// The writer has written everything, or failed.
    func finish(successfully: Bool) {
        let wake = state.withLock { state -> (@Sendable () -> Void)? in
            guard state.end == .open else { return nil }
            state.end = successfully ? .finished : .failed
            defer { state.wakeReader = nil }
            return state.wakeReader
        }
        wake?()
    }

    /// The reader is gone: what waits to write fails with ``ClientLeft``.
    func abandon() {
        let writers = state.withLock { state in
            state.end = .readerLeft
            state.buffer = []
            state.start = 0
            state.wakeReader = nil
            return state.takeWriters()
        }
        for writer in writers { writer.fail(ClientLeft()) }
    }

    /// Copies what is there, at most `destination.count` bytes.
    ///
    /// - Parameter wake: called once, on any thread, when it is worth reading again; kept only where the result is ``Reading/wait``.
    func read(into destination: UnsafeMutableRawBufferPointer, wake: @escaping @Sendable () -> Void) -> Reading {
        let (reading, writers) = state.withLock { state -> (Reading, [OneShot<Void>]) in
            let count = min(state.unread, destination.count)
            guard count > 0 else {
                switch state.end {
                case .open:
                    state.wakeReader = wake
                    return (.wait, [])
                case .finished: return (.end, [])
                case .failed, .readerLeft: return (.failed, [])
                }
            }
            state.buffer.withUnsafeBytes {
                destination.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[state.start..<state.start + count]))
            }
            state.start += count
            if state.start == state.buffer.count {
                // An idle stream holds no memory to speak of.
                state.buffer.removeAll(keepingCapacity: state.buffer.capacity <= 1_024)
                state.start = 0
            } else if state.start >= Self.capacity {
                state.buffer.removeFirst(state.start)
                state.start = 0
            }
            return (.bytes(count), state.unread <= Self.capacity / 2 ? state.takeWriters() : [])
        }
        for writer in writers { writer.succeed() }
        return reading
    }
}
