import ConcurrencySupport
import Foundation
import HTTPCalling
import HTTPCore
import HTTPServing
import Observability
import ServiceDefaults
import TestSupport
import Testing

private struct Note: Codable, Equatable {
    var text: String
}

@Suite struct UpstreamClientTests {
    private let principal = TestContext.principal()

    private func client(_ transport: @escaping UpstreamClient.Transport) -> UpstreamClient {
        UpstreamClient(
            callee: .contentCenter, baseURL: "http://content", transport: transport,
            signer: ContextSigner(service: .gatewayBFF, key: TestContext.key(of: .gatewayBFF)),
            tracer: Tracer(service: "gateway-bff"))
    }

    private func client(answering status: HTTPStatus, _ body: some Encodable & Sendable, headers: HTTPHeaders = [:])
        -> UpstreamClient
    {
        client { _ in ClientResponse(status: status, headers: headers, body: try JSON.encode(body)) }
    }

    private func problem(of client: UpstreamClient) async throws -> ProblemDescription {
        let error = await #expect(throws: (any Error).self) {
            _ = try await client.call(.get, "/v1/notes", as: principal, returning: Note.self)
        }
        return try #require(error as? any HTTPFailure).problem
    }

    // MARK: - What is sent

    @Test func sendsEverythingThatTravelsBeside() async throws {
        let seen = Locked<ClientRequest?>(nil)
        let operation = UUID()
        let context = CallContext(
            trace: .makeRoot(), requestId: "req-12345678", operationId: operation, deadline: .now + .seconds(30))
        let client = client { request in
            seen.withLock { $0 = request }
            return ClientResponse(status: .created, headers: [:], body: Array(#"{"text":"中"}"#.utf8))
        }
        let answer: Note = try await CallContext.$current.withValue(context) {
            try await client.call(.post, "/v1/notes?x=1", body: Note(text: "a"), as: principal, idempotent: true)
        }
        #expect(answer == Note(text: "中"))
        let request = try #require(seen.value)
        #expect(request.method == .post && request.url == "http://content/v1/notes?x=1" && request.isIdempotent)
        #expect(request.headers["Content-Type"] == "application/json")
        #expect(request.headers["X-Request-Id"] == "req-12345678")
        #expect(request.headers["X-Operation-Id"] == operation.uuidString.lowercased())
        #expect(request.headers["Accept-Language"] == "zh-CN")
        let trace = try #require(request.headers["traceparent"].flatMap(TraceContext.init(traceparent:)))
        #expect(trace.traceId == context.trace.traceId && trace.spanId != context.trace.spanId)
        let remaining = try #require(request.headers["X-Deadline-Ms"].flatMap { Int($0) })
        #expect((27_000...28_000).contains(remaining))
        #expect(request.deadline.remaining > .milliseconds(remaining))
        #expect(request.deadline.instant < .now + .seconds(30))
        let token = try #require(request.headers["Authorization"]).dropFirst("Bearer ".count)
        let verifier = ContextVerifier(service: .contentCenter, publicKeys: TestContext.publicKeys)
        #expect(try verifier.verify(String(token)).principal == principal)
    }

    @Test func aShortBudgetIsSharedFairly() async throws {
        let seen = Locked<String?>(nil)
        let client = client { request in
            seen.withLock { $0 = request.headers["X-Deadline-Ms"] }
            return ClientResponse(status: .ok, headers: [:], body: Array(#"{"text":""}"#.utf8))
        }
        try await CallContext.$current.withValue(CallContext(requestId: "req-12345678", deadline: .now + .seconds(1))) {
            _ = try await client.call(.get, "/", as: principal, returning: Note.self)
        }
        let milliseconds = try #require(seen.value.flatMap { Int($0) })
        #expect((700...900).contains(milliseconds))
    }

    @Test func doesNotCallWhenTheTimeIsUp() async throws {
        let client = client { _ in
            Issue.record("called")
            return ClientResponse(status: .ok, headers: [:], body: [])
        }
        let problem = try await CallContext.$current.withValue(CallContext(requestId: "req-12345678", deadline: .now)) {
            try await self.problem(of: client)
        }
        #expect(problem.status == .gatewayTimeout)
    }

    // MARK: - What goes wrong

    @Test func relaysTheCallersOwnFaults() async throws {
        let body = ProblemBody(
            title: "内容无效", status: 422, detail: "标题过长", code: "request.invalid", retryable: false,
            errors: [.init(pointer: "/title", code: "too_long", message: "超过 30 字")])
        let problem = try await self.problem(of: client(answering: .unprocessableContent, body))
        #expect(problem.status == .unprocessableContent && problem.code == "request.invalid")
        #expect(problem.title.zh == "内容无效" && problem.detail?.en == "标题过长")
        #expect(problem.issues.map(\.pointer) == ["/title"] && problem.issues.first?.code == "too_long")
    }

    @Test func relaysThatItIsTooMuchOrTooEarly() async throws {
        let body = ProblemBody(title: "忙", status: 503, code: "dependency.unavailable", retryable: true)
        let problem = try await self.problem(of: client(answering: .serviceUnavailable, body, headers: ["Retry-After": "3"]))
        #expect(problem.status == .serviceUnavailable && problem.retryable && problem.headers["Retry-After"] == "3")
    }

    @Test(arguments: [401, 500, 502, 302])
    func whatIsNotTheCallersFaultIs502(status: Int) async throws {
        let body = ProblemBody(title: "秘密", status: status, code: "inner.secret")
        let problem = try await self.problem(of: client(answering: HTTPStatus(status), body))
        #expect(problem.status == .badGateway && problem.code == "upstream.failed")
        #expect(!problem.title.zh.contains("秘密"))
    }

    @Test func aMissingArrowIsOurMistake() async throws {
        let missing = ProblemBody(title: "x", status: 403, code: "auth.arrow_missing")
        #expect(try await self.problem(of: client(answering: .forbidden, missing)).status == .badGateway)
        let forbidden = ProblemBody(title: "x", status: 403, code: "auth.permission_missing")
        #expect(try await self.problem(of: client(answering: .forbidden, forbidden)).status == .forbidden)
    }

    @Test func anAnswerThatCannotBeReadIs502() async throws {
        let garbage = client { _ in ClientResponse(status: .ok, headers: [:], body: Array("<html>".utf8)) }
        #expect(try await self.problem(of: garbage).status == .badGateway)
        #expect(try await self.problem(of: client(answering: .ok, ["other": 1])).status == .badGateway)
    }

    @Test(arguments: [
        (HTTPClientError.Kind.connect, 503, "upstream.unavailable"), (.circuitOpen, 503, "upstream.unavailable"),
        (.timeout(.connect), 503, "upstream.unavailable"), (.reset, 503, "upstream.unavailable"),
        (.timeout(.firstByte), 504, "upstream.timeout"), (.timeout(.total), 504, "upstream.timeout"),
        (.responseTooLarge, 502, "upstream.failed"),
    ])
    func mapsWhatTheNetworkDoes(kind: HTTPClientError.Kind, status: Int, code: String) async throws {
        let problem = try await self.problem(
            of: client { _ in throw HTTPClientError(kind, requestMayHaveStarted: true, message: "x") })
        #expect(problem.status.code == status && problem.code == code)
        #expect(problem.retryable == (status != 502))
    }

    @Test func theCallersCancellationStaysOne() async {
        let client = client { _ in throw HTTPClientError(.cancelled, requestMayHaveStarted: true, message: "x") }
        await #expect(throws: CancellationError.self) {
            _ = try await client.call(.get, "/", as: principal, returning: Note.self)
        }
    }

    @Test func sendReturnsAnyAnswerUntouched() async throws {
        let client = client { _ in ClientResponse(status: .notFound, headers: ["ETag": "\"1\""], body: [1, 2, 3]) }
        let response = try await client.send(.get, "/v1/notes/1", as: principal, idempotent: true)
        #expect(response.status == .notFound && response.body == [1, 2, 3] && response.headers["ETag"] == "\"1\"")
    }

    // MARK: - Over the wire

    @Test func nobodyListensIs503() async throws {
        let http = HTTPClient()
        let client = UpstreamClient(
            callee: .contentCenter, baseURL: "http://127.0.0.1:1",
            http: http, signer: ContextSigner(service: .gatewayBFF, key: TestContext.key(of: .gatewayBFF)),
            tracer: Tracer(service: "gateway-bff"))
        let problem = try await CallContext.$current.withValue(
            CallContext(requestId: "req-12345678", deadline: .now + .seconds(2))
        ) {
            try await self.problem(of: client)
        }
        #expect(problem.status == .serviceUnavailable && problem.code == "upstream.unavailable")
        await #expect(throws: HTTPClientError.self) { try await client.ping() }
        await http.shutdown()
    }
}
