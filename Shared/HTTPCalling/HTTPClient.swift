import ConcurrencySupport
import HTTPCore
public import Lifecycle
public import Observability

/// Calls other services and vendors over HTTP/1.1 with kept-alive connections. One thread runs all transfers, from the first one on.
///
/// Every method throws ``HTTPClientError`` and nothing else. What cannot be sent is refused before any waiting. A cancelled task waits until its transfer is really gone: the other side
/// sees its connection close. No redirects, no proxy, no cookies.
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

    private let loop: CurlLoop

    private let attempts: Histogram?

    /// - Parameter metrics: gets `http_client_attempt_duration_seconds` by outcome: `2xx`…`5xx`, or the error's kind. For a stream the
    ///   time until its head.
    public init(configuration: Configuration = Configuration(), metrics: MetricsRegistry? = nil) {
        loop = CurlLoop(configuration: configuration)
        attempts = metrics?.histogram(
            "http_client_attempt_duration_seconds", help: "Attempts to call another service.", labels: ["outcome"])
    }

    deinit { loop.stop() }

    /// Stays until graceful shutdown begins, then shuts down: put it before its users in the service group, which ends them first.
    public func run() async throws {
        try? await gracefulShutdown()
        await shutdown()
    }

    /// Fails what is under way with kind `closed`, closes all connections and ends the thread. Later calls fail at once.
    public func shutdown() async {
        let ended = OneShot<Void>()
        loop.stop(ended: ended)
        // Not interrupted by cancellation: it is a matter of microseconds, and who returns earlier leaves a thread behind.
        try? await ended.value(onCancel: {})
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

    private func sendOnce(_ request: ClientRequest) async throws -> ClientResponse {
        let (id, answer) = (loop.makeId(), OneShot<ClientResponse>())
        guard loop.post(.start(id, request, .whole(answer))) else { throw Self.closed }
        return try await answer.value(onCancel: { [loop] in loop.post(.cancel(id)) })
    }

    private func streamOnce(_ request: ClientRequest) async throws -> StreamingResponse {
        let (id, head, buffer) = (loop.makeId(), OneShot<ResponseHead>(), StreamBuffer())
        guard loop.post(.start(id, request, .stream(head: head, body: buffer))) else { throw Self.closed }
        let handle = StreamHandle(id: id, loop: loop, buffer: buffer)
        let answer = try await head.value(onCancel: { [loop] in loop.post(.cancel(id)) })
        return StreamingResponse(status: answer.status, headers: answer.headers, body: ResponseBody(handle: handle))
    }

    private static var closed: HTTPClientError {
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
                mayHaveStarted = true
                let (status, headers) = head(answer)
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
                try await Task.sleep(for: delay)
            } catch {
                throw HTTPClientError(
                    .cancelled, requestMayHaveStarted: mayHaveStarted, message: "cancelled between two attempts")
            }
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
            attempts?.observe(.now - start, ["\(status.code / 100)xx"])
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
