public import ConcurrencySupport
import HTTPCore
public import Lifecycle
public import Observability

import struct Synchronization.Atomic

/// Calls other services and vendors over HTTP/1.1 with kept-alive connections.
///
/// A transfer runs on the caller's own ``EventLoop``, with that loop's connections: nothing is handed to another thread. Callers from
/// elsewhere share one of the loops. Limits hold per loop.
///
/// Every method throws ``HTTPClientError`` and nothing else. What cannot be sent is refused before any waiting. A cancelled task waits
/// until its transfer is really gone: the other side sees its connection close. No redirects, no proxy, no cookies.
public final class HTTPClient: Service {
    public struct Configuration: Sendable {
        /// More requests to one host at a time wait for a connection, within their connect time-out.
        public var maxConnectionsPerHost: Int
        /// How many unused connections are kept altogether.
        public var maxIdleConnections: Int
        /// An unused connection older than this is not used again; keep it below the other side's idle time-out. Whole seconds.
        public var idleConnectionLifetime: Duration

        public init(
            maxConnectionsPerHost: Int = 256, maxIdleConnections: Int = 256, idleConnectionLifetime: Duration = .seconds(20)
        ) {
            self.maxConnectionsPerHost = maxConnectionsPerHost
            self.maxIdleConnections = maxIdleConnections
            self.idleConnectionLifetime = idleConnectionLifetime
        }
    }

    private let clients: [LoopClient]
    /// Whose loop serves callers that run on none.
    private let home: LoopClient
    private let ids = Atomic<UInt64>(0)
    private let attempts: Histogram?

    /// - Parameter metrics: gets `http_client_attempt_duration_seconds` by outcome: `2xx`…`5xx`, or the error's kind. For a stream the
    ///   time until its head.
    public init(
        configuration: Configuration = Configuration(), loops: EventLoopGroup = .shared, metrics: MetricsRegistry? = nil
    ) {
        let homeLoop = loops.next()
        let home = LoopClient(loop: homeLoop, configuration: configuration)
        self.home = home
        clients = loops.loops.map { $0 === homeLoop ? home : LoopClient(loop: $0, configuration: configuration) }
        attempts = metrics?.histogram(
            "http_client_attempt_duration_seconds", help: "Attempts to call another service.", labels: ["outcome"])
    }

    deinit { for client in clients { client.stop() } }

    /// Stays until graceful shutdown begins, then shuts down: put it before its users in the service group, which ends them first.
    public func run() async throws {
        try? await gracefulShutdown()
        await shutdown()
    }

    /// Fails what is under way with kind `closed` and closes all connections. Later calls fail at once.
    public func shutdown() async {
        let ends = clients.map { client in
            let ended = OneShot<Void>()
            client.stop(ended: ended)
            return ended
        }
        // Not interrupted by cancellation: it is a matter of microseconds, and who returns earlier leaves connections behind.
        for ended in ends { try? await ended.value(onCancel: {}) }
    }

    /// Sends the request, as often as its ``RetryPolicy`` says, and returns the whole answer.
    public func send(_ request: ClientRequest) async throws -> ClientResponse {
        try await attempt(request, head: { ($0.status, $0.headers) }, once: sendOnce)
    }

    /// Returns as soon as the head is there. Repeats, if any, happen before that, never after.
    public func stream(_ request: ClientRequest) async throws -> StreamingResponse {
        try await attempt(request, head: { ($0.status, $0.headers) }, once: streamOnce)
    }

    // MARK: One attempt

    private var local: LoopClient {
        guard let loop = EventLoop.current else { return home }
        return clients.first { $0.loop === loop } ?? home
    }

    private func makeId() -> UInt64 { ids.wrappingAdd(1, ordering: .relaxed).newValue }

    private func sendOnce(_ request: ClientRequest) async throws -> ClientResponse {
        let (id, answer, client) = (makeId(), OneShot<ClientResponse>(), local)
        guard client.start(id, request, .whole(answer)) else { throw Self.closed }
        return try await answer.value(onCancel: { client.cancel(id) })
    }

    private func streamOnce(_ request: ClientRequest) async throws -> StreamingResponse {
        let (id, head, buffer, client) = (makeId(), OneShot<ResponseHead>(), StreamBuffer(), local)
        guard client.start(id, request, .stream(head: head, body: buffer)) else { throw Self.closed }
        let handle = StreamHandle(id: id, loop: client, buffer: buffer)
        let answer = try await head.value(onCancel: { client.cancel(id) })
        return StreamingResponse(status: answer.status, headers: answer.headers, body: ResponseBody(handle: handle))
    }

    static var closed: HTTPClientError {
        HTTPClientError(.closed, requestMayHaveStarted: false, message: "the client was shut down")
    }

    // MARK: Repeats

    private func attempt<Answer>(
        _ original: ClientRequest, head: (Answer) -> (HTTPStatus, HTTPHeaders), once: (ClientRequest) async throws -> Answer
    ) async throws -> Answer {
        try original.check()
        var request = original
        if let outer = CallContext.current?.deadline { request.deadline = min(request.deadline, Deadline(outer)) }
        var number = 0
        var mayHaveStarted = false
        while true {
            number += 1
            let outcome: RetryPolicy.Outcome
            let result: Result<Answer, HTTPClientError>
            do throws(HTTPClientError) {
                let answer = try await guardedAttempt(request, head: head, once: once)
                let (status, headers) = head(answer)
                mayHaveStarted = mayHaveStarted || !request.retry.saysUnstarted(headers)
                (outcome, result) = (.answer(status, headers), .success(answer))
            } catch {
                mayHaveStarted = mayHaveStarted || error.requestMayHaveStarted
                (outcome, result) = (.failure(error), .failure(error))
            }
            guard
                let delay = request.retry.delay(
                    afterAttempt: number, outcome: outcome, isIdempotent: request.isIdempotent,
                    remaining: request.deadline.remaining)
            else {
                return try result.mapError { error in
                    HTTPClientError(error.kind, requestMayHaveStarted: mayHaveStarted, message: error.message)
                }.get()
            }
            do {
                try await Deadline.after(delay).sleep()
            } catch {
                throw HTTPClientError(
                    .cancelled, requestMayHaveStarted: mayHaveStarted, message: "cancelled between two attempts")
            }
        }
    }

    private static func label(of status: HTTPStatus) -> String {
        switch status.code / 100 {
        case 2: "2xx"
        case 4: "4xx"
        case 5: "5xx"
        case let hundreds: "\(hundreds)xx"
        }
    }

    private func guardedAttempt<Answer>(
        _ request: ClientRequest, head: (Answer) -> (HTTPStatus, HTTPHeaders), once: (ClientRequest) async throws -> Answer
    ) async throws(HTTPClientError) -> Answer {
        if Task.isCancelled {
            throw HTTPClientError(.cancelled, requestMayHaveStarted: false, message: "cancelled before the start")
        }
        if request.deadline.isPast {
            throw HTTPClientError(.timeout(.total), requestMayHaveStarted: false, message: "the deadline has passed")
        }
        let permit = try request.breaker?.acquire()
        let start = ContinuousClock.now
        do {
            let answer = try await once(request)
            let status = head(answer).0
            attempts?.observe(.now - start, [Self.label(of: status)])
            permit?.report(request.breaker?.outcome(of: status) ?? .success)
            return answer
        } catch {
            // Everything the loop and the buffer throw is of this type.
            let failure =
                error as? HTTPClientError ?? HTTPClientError(.cancelled, requestMayHaveStarted: true, message: "\(error)")
            attempts?.observe(.now - start, [failure.kind.label])
            permit?.report(request.breaker?.outcome(of: failure) ?? .unknown)
            throw failure
        }
    }
}
