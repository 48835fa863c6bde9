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
                stream.body.succeed(body)
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
    fileprivate let isUnderWay = OneShot<Void>()
    fileprivate let body = OneShot<BodyWriter>()
    private let writer = Lock<BodyWriter?>(nil)

    /// Whether the head is on its way: what goes wrong from now on can only be told in the body.
    public var hasBegun: Bool { isUnderWay.isCompleted }

    /// The first call brings the head on its way; it and all later ones wait while the client reads too slowly.
    ///
    /// - Throws: ``ClientLeft`` or `CancellationError`.
    public func write(_ bytes: [UInt8]) async throws {
        if let writer = writer.withLock({ $0 }) { return try await writer.write(bytes) }
        isUnderWay.succeed()
        let writer = try await body.value()
        self.writer.withLock { $0 = writer }
        try await writer.write(bytes)
    }

    public func send(_ event: ServerSentEvent) async throws { try await write(event.encode()) }
}

/// Work that ends with its last holder: an answer that nobody sends.
private final class StreamWork: Sendable {
    let task: Task<Void, any Error>

    init(task: Task<Void, any Error>) { self.task = task }

    deinit { task.cancel() }
}
