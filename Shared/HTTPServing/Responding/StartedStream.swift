import ConcurrencySupport
public import HTTPCore

extension Response {
    /// A streamed answer whose head depends on how its work begins: the work runs at once, and the answer is there when it has written
    /// for the first time. What it throws before that is thrown here, and can still become a status.
    ///
    /// The work is cancelled when the client leaves, before the head as after it, and always runs to its own end.
    ///
    /// - Parameter produce: if it returns without having written, the body is empty.
    public static func started(
        _ status: HTTPStatus = .ok, headers: HTTPHeaders = [:],
        _ produce: @escaping @Sendable (StartedStream) async throws -> Void
    ) async throws -> Response {
        let stream = StartedStream()
        let work = StreamWork(
            stream: stream,
            task: Task(executorPreference: EventLoop.current) {
                defer { stream.isUnderWay.succeed() }
                do {
                    try await produce(stream)
                } catch {
                    stream.isUnderWay.fail(error)
                    throw error
                }
            })
        try await stream.isUnderWay.value(onCancel: { work.task.cancel() })
        return Response(
            status, headers: headers,
            body: .stream { body in
                stream.settle(.success(body))
                try await withTaskCancellationHandler {
                    try await work.task.value
                } onCancel: {
                    work.task.cancel()
                }
            })
    }
}

/// The writing end of an answer that has begun before its head was sent.
public final class StartedStream: Sendable {
    private struct State {
        /// Where the bytes go, once the head is out or will never be.
        var body: Result<BodyWriter, any Error>?
        /// Each writer waits for itself: one that is cancelled takes nothing from those after it.
        var waiting: [OneShot<BodyWriter>] = []
    }

    fileprivate let isUnderWay = OneShot<Void>()
    private let state = Lock(State())

    /// Whether the head is on its way: what goes wrong from now on can only be told in the body.
    public var hasBegun: Bool { isUnderWay.isCompleted }

    /// The first call brings the head on its way, unless its task is cancelled by then; it and all later ones wait while the client reads
    /// too slowly.
    ///
    /// - Throws: ``ClientLeft``, or `CancellationError` where the calling task is cancelled, which leaves the stream to others.
    public func write(_ bytes: [UInt8]) async throws {
        try Task.checkCancellation()
        isUnderWay.succeed()
        if let body = state.withLock({ $0.body }) { return try await body.get().write(bytes) }
        let turn = OneShot<BodyWriter>()
        state.withLock { state in
            if let body = state.body { turn.complete(with: body) } else { state.waiting.append(turn) }
        }
        try await turn.value().write(bytes)
    }

    public func send(_ event: ServerSentEvent) async throws { try await write(event.encode()) }

    /// Tells all writers where the bytes go. The first call counts.
    fileprivate func settle(_ body: Result<BodyWriter, any Error>) {
        let waiting = state.withLock { state -> [OneShot<BodyWriter>] in
            if state.body == nil { state.body = body }
            defer { state.waiting = [] }
            return state.waiting
        }
        for turn in waiting { turn.complete(with: body) }
    }
}

/// Work that ends with its last holder: an answer that nobody sends.
private final class StreamWork: Sendable {
    let task: Task<Void, any Error>
    private let stream: StartedStream

    init(stream: StartedStream, task: Task<Void, any Error>) {
        self.stream = stream
        self.task = task
    }

    deinit {
        // Also for writers that are not cancelled with the work.
        stream.settle(.failure(ClientLeft()))
        task.cancel()
    }
}
