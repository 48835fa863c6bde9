import ConcurrencySupport
import HTTPCore

/// The first line and the header fields of an answer.
struct ResponseHead: Sendable {
    var status: HTTPStatus
    var headers: HTTPHeaders
}

/// Where the loop puts what arrives for one transfer.
enum Delivery: Sendable {
    /// The loop gathers the body.
    case whole(OneShot<ClientResponse>)
    /// The body goes through a bounded buffer.
    case stream(head: OneShot<ResponseHead>, body: StreamBuffer)

    func fail(_ error: HTTPClientError) {
        switch self {
        case .whole(let answer): answer.fail(error)
        case .stream(let head, let buffer):
            buffer.finish(.failure(error))
            head.fail(error)
        }
    }
}

/// The bounded buffer between the loop's thread and the one task that reads a streamed body.
final class StreamBuffer: Sendable {
    static let limit = 64 * 1_024

    private struct State {
        var bytes: [UInt8] = []
        /// The loop was told to hold the transfer until the reader has caught up.
        var isPaused = false
        var end: Result<Void, HTTPClientError>?
        var waiter: OneShot<Void>?
    }

    enum Step {
        case chunk([UInt8], resume: Bool)
        case end
        case wait(OneShot<Void>)
    }

    private let state = Lock(State())

    /// Loop side. `false`: full, nothing was taken; hold the transfer until ``take()`` says to resume.
    func offer(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let (taken, waiter) = state.withLock { state -> (Bool, OneShot<Void>?) in
            guard state.bytes.count < Self.limit else {
                state.isPaused = true
                return (false, nil)
            }
            state.bytes.append(contentsOf: bytes)
            defer { state.waiter = nil }
            return (true, state.waiter)
        }
        waiter?.succeed()
        return taken
    }

    /// Loop side: nothing more comes.
    func finish(_ end: Result<Void, HTTPClientError>) {
        let waiter = state.withLock { state -> OneShot<Void>? in
            if state.end == nil { state.end = end }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.succeed()
    }

    var isFinished: Bool { state.withLock { $0.end != nil } }

    /// Reader side. What has arrived is handed out before the end, or the error that ended it.
    func take() throws(HTTPClientError) -> Step {
        let result = state.withLock { state -> Result<Step, HTTPClientError> in
            if !state.bytes.isEmpty {
                let bytes = state.bytes
                let resume = state.isPaused
                state.bytes = []
                state.isPaused = false
                return .success(.chunk(bytes, resume: resume))
            }
            switch state.end {
            case .success: return .success(.end)
            case .failure(let error): return .failure(error)
            case nil:
                let waiter = OneShot<Void>()
                state.waiter = waiter
                return .success(.wait(waiter))
            }
        }
        return try result.get()
    }
}

/// The reader's hold on a transfer: when the last copy goes away unfinished, the transfer is removed.
final class StreamHandle: Sendable {
    private let id: UInt64
    private let loop: LoopClient
    private let buffer: StreamBuffer

    init(id: UInt64, loop: LoopClient, buffer: StreamBuffer) {
        self.id = id
        self.loop = loop
        self.buffer = buffer
    }

    deinit { if !buffer.isFinished { loop.cancel(id) } }

    func next() async throws -> [UInt8]? {
        while true {
            switch try buffer.take() {
            case .chunk(let bytes, let resume):
                if resume { loop.resume(id) }
                return bytes
            case .end:
                return nil
            case .wait(let arrival):
                // A cancelled reader is woken by the loop, after the transfer was removed.
                let (id, loop) = (id, loop)
                try await arrival.value(onCancel: { loop.cancel(id) })
            }
        }
    }
}
