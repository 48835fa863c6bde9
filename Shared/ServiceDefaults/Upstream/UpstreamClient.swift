import ConcurrencySupport
import FoundationEssentials
public import HTTPCalling
public import HTTPCore
public import Observability

/// Calls one of our services: signs the context, passes trace, request, operation and the remaining time on, and turns what goes wrong
/// into failures that the caller's client can be told.
///
///     let answer: TitleWritingAnswer = try await agentCenter.call(.post, "/v1/titles", body: request, as: principal, idempotent: true)
public struct UpstreamClient: Sendable {
    /// Sends a request. Live it is `HTTPClient.send`; tests put a handler in its place.
    public typealias Transport = @Sendable (ClientRequest) async throws -> ClientResponse

    /// Sends a request whose answer is read as it comes. Live it is `HTTPClient.stream`.
    public typealias StreamTransport = @Sendable (ClientRequest) async throws -> UpstreamStream

    public let callee: ServiceName
    private let baseURL: String
    private let transport: Transport
    private let streamTransport: StreamTransport
    private let signer: ContextSigner
    private let tracer: Tracer
    private let breaker: CircuitBreaker
    /// Of ``stream(_:_:body:as:headers:)``.
    private let streamBreaker: CircuitBreaker
    private let retry: RetryPolicy

    /// - Precondition: the arrow from the signer's service to `callee` is in the ``CallMap``.
    public init(
        callee: ServiceName, baseURL: String, transport: @escaping Transport, streamTransport: StreamTransport? = nil,
        signer: ContextSigner, tracer: Tracer,
        breaker: CircuitBreaker? = nil, retry: RetryPolicy = UpstreamClient.standardRetry
    ) {
        precondition(
            CallMap.allows(signer.service, toCall: callee), "\(signer.service.rawValue) does not call \(callee.rawValue)")
        self.callee = callee
        self.baseURL = baseURL
        self.transport = transport
        self.streamTransport = streamTransport ?? { UpstreamStream(try await transport($0)) }
        self.signer = signer
        self.tracer = tracer
        self.breaker = breaker ?? CircuitBreaker(name: callee.rawValue, configuration: Self.standardBreaker)
        self.retry = retry
        streamBreaker = CircuitBreaker(name: callee.rawValue, configuration: Self.streamBreaker)
    }

    public init(callee: ServiceName, baseURL: String, http: HTTPClient, signer: ContextSigner, tracer: Tracer) {
        self.init(
            callee: callee, baseURL: baseURL, transport: { try await http.send($0) },
            streamTransport: { UpstreamStream(try await http.stream($0)) }, signer: signer, tracer: tracer)
    }

    /// A service that is being restarted is back within a second or two.
    public static let standardRetry = RetryPolicy(
        maxAttempts: 5, baseDelay: .milliseconds(100), maxDelay: .seconds(1), retriedStatuses: [502, 503],
        maxRetryAfter: .seconds(2), unstartedHeader: NotStarted.header)

    /// Whether calls, or streams, are refused for now.
    var isCircuitOpen: Bool { breaker.state != .closed || streamBreaker.state != .closed }

    static let standardBreaker = CircuitBreaker.Configuration(
        window: 20, minimumCalls: 10, failureRatio: 0.5, openFor: .seconds(1), isFailure: { [502, 503, 504].contains($0.code) })

    /// Raw model calls: a 503 or 504 is the model's then, and says nothing about the service that passes it on.
    static let streamBreaker = CircuitBreaker.Configuration(
        window: 20, minimumCalls: 10, failureRatio: 0.5, openFor: .seconds(1), isFailure: { _ in false })

    // MARK: - Calls

    /// Sends a body and reads the answer.
    ///
    /// - Parameter idempotent: whether sending it twice has the effect of sending it once. True for reads, and for writes that the callee
    ///   recognises by the operation id. Others are repeated only when they provably did not start: see ``NotStarted``.
    /// - Throws: ``UpstreamProblem``, ``UpstreamUnavailable``, ``UpstreamTimeout``, `CancellationError`.
    public func call<Answer: Decodable>(
        _ method: HTTPMethod, _ path: String, body: some Encodable, as principal: Principal, idempotent: Bool,
        headers: HTTPHeaders = [:], returning: Answer.Type = Answer.self
    ) async throws -> Answer {
        try decode(try await success(method, path, try JSON.encode(body), principal, idempotent, headers))
    }

    /// Reads; without a body.
    public func call<Answer: Decodable>(
        _ method: HTTPMethod, _ path: String, as principal: Principal, idempotent: Bool = true, headers: HTTPHeaders = [:],
        returning: Answer.Type = Answer.self
    ) async throws -> Answer {
        try decode(try await success(method, path, nil, principal, idempotent, headers))
    }

    /// Any answer whatever its status, its body untouched: for relaying. Throws only where there is no answer.
    ///
    /// - Parameters:
    ///   - path: already percent-encoded, with its query.
    ///   - headers: beside those that every internal call has.
    public func send(
        _ method: HTTPMethod, _ path: String, body: [UInt8]? = nil, as principal: Principal, idempotent: Bool,
        headers: HTTPHeaders = [:]
    ) async throws -> ClientResponse {
        try await tracer.withSpan(
            "\(method) \(callee.rawValue)", kind: .client,
            attributes: ["http.request.method": method.rawValue, "url.path": path, "server.address": callee.rawValue]
        ) { span in
            let request = try makeRequest(method, path, body, principal, idempotent, headers)
            do {
                let response = try await transport(request)
                span.set("http.response.status_code", response.status.code)
                if response.status.code >= 500 { span.fail("HTTP \(response.status)") }
                return response
            } catch let error as HTTPClientError {
                throw failure(for: error)
            } catch is DeadlineExceeded {
                throw UpstreamTimeout(callee: callee)
            }
        }
    }

    /// As ``send(_:_:body:as:idempotent:headers:)``, but returns with the head of the answer. Nothing is sent twice once it has started.
    public func stream(
        _ method: HTTPMethod, _ path: String, body: [UInt8]? = nil, as principal: Principal, headers: HTTPHeaders = [:]
    ) async throws -> UpstreamStream {
        try await tracer.withSpan(
            "\(method) \(callee.rawValue)", kind: .client,
            attributes: ["http.request.method": method.rawValue, "url.path": path, "server.address": callee.rawValue]
        ) { span in
            var request = try makeRequest(method, path, body, principal, false, headers)
            // It is read as it comes, and holds nobody's memory.
            request.maxResponseBytes = .max
            request.breaker = streamBreaker
            do {
                let stream = try await streamTransport(request)
                span.set("http.response.status_code", stream.status.code)
                return stream
            } catch let error as HTTPClientError {
                throw failure(for: error)
            } catch is DeadlineExceeded {
                throw UpstreamTimeout(callee: callee)
            }
        }
    }

    /// Whether the other process answers, for `/readyz`. Says nothing of its own dependencies, so that checks do not cascade.
    public func ping() async throws {
        let response = try await transport(ClientRequest(.get, baseURL + "/healthz", deadline: .after(.seconds(1))))
        guard response.status.isSuccess else { throw UpstreamUnavailable(callee: callee, reason: "HTTP \(response.status)") }
    }

    // MARK: - Parts

    private func success(
        _ method: HTTPMethod, _ path: String, _ body: [UInt8]?, _ principal: Principal, _ idempotent: Bool, _ headers: HTTPHeaders
    ) async throws -> ClientResponse {
        let response = try await send(method, path, body: body, as: principal, idempotent: idempotent, headers: headers)
        guard response.status.isSuccess else {
            throw UpstreamProblem(
                callee: callee, status: response.status, body: try? JSON.decode(ProblemBody.self, from: response.body),
                retryAfter: response.headers["Retry-After"])
        }
        return response
    }

    private func decode<Answer: Decodable>(_ response: ClientResponse) throws -> Answer {
        do {
            return try JSON.decode(Answer.self, from: response.body)
        } catch {
            // Ours to mend, and not the client's fault: 502.
            throw UpstreamProblem(callee: callee, status: .badGateway, body: nil)
        }
    }

    private func makeRequest(
        _ method: HTTPMethod, _ path: String, _ body: [UInt8]?, _ principal: Principal, _ idempotent: Bool, _ extra: HTTPHeaders
    ) throws -> ClientRequest {
        let context = CallContext.current
        let remaining = context?.deadline.map { Deadline($0).remaining } ?? Self.longestCall
        guard remaining > .zero else { throw UpstreamTimeout(callee: callee) }
        let margin = Self.margin(of: remaining)

        var headers = HTTPHeaders()
        headers.reserveCapacity(12)
        headers.add("Authorization", try signer.authorization(for: principal, to: callee))
        headers.add("X-Deadline-Ms", String(max(1, (remaining - margin).milliseconds)))
        headers.add("Accept-Language", CallerLanguage.current.rawValue)
        if let context {
            headers.add("traceparent", context.trace.traceparent)
            headers.add("X-Request-Id", context.requestId)
            if let id = context.operationId { headers.add("X-Operation-Id", id.text) }
        }
        if body != nil { headers.add("Content-Type", "application/json") }
        for (name, value) in extra { headers[name] = value }
        return ClientRequest(
            method, baseURL + path, headers: headers, body: body.map { .bytes($0) } ?? .none,
            // Half a margin later than the callee's own, so that its 504 arrives before ours.
            deadline: .after(remaining - margin / 2),
            timeouts: .init(connect: .seconds(2), firstByte: remaining, idle: remaining),
            isIdempotent: idempotent, retry: retry, breaker: breaker)
    }

    private static let longestCall = Duration.seconds(30)

    /// What a hop keeps for itself: 2 s of 30 (design §4), and never more than a tenth of a short budget.
    static func margin(of remaining: Duration) -> Duration { min(.seconds(2), remaining / 10) }

    private func failure(for error: HTTPClientError) -> any Error {
        switch error.kind {
        case .cancelled: CancellationError()
        case .timeout(.connect): UpstreamUnavailable(callee: callee, reason: error.message)
        case .timeout: UpstreamTimeout(callee: callee)
        case .connect, .reset, .circuitOpen, .tls, .closed: UpstreamUnavailable(callee: callee, reason: error.message)
        case .malformed, .responseTooLarge: UpstreamProblem(callee: callee, status: .badGateway, body: nil)
        }
    }
}
