import HTTPCalling
import HTTPCore
import Testing

@testable import AgentCenter

@Suite("What a vendor's refusal means")
struct ChatFailuresTests {
    private static func error(_ type: String, _ code: String?, _ message: String = "m") -> String {
        #"{"error":{"message":"\#(message)","type":"\#(type)","param":null,"code":\#(code.map { "\"\($0)\"" } ?? "null")}}"#
    }

    /// Expectations typed by hand from OpenAI's and DeepSeek's lists of errors.
    static let table: [(Int, String, ChatFailure.Kind, ChatFailure.Reaction, ChatFailure.Circuit)] = [
        (400, error("invalid_request_error", nil), .badRequest, .stop, .ignore),
        (400, error("invalid_request_error", "context_length_exceeded"), .contextLength, .nextRoute, .ignore),
        (400, error("invalid_request_error", "content_policy_violation"), .policy, .stop, .ignore),
        (400, error("invalid_request_error", "content_filter"), .policy, .stop, .ignore),
        (400, error("invalid_request_error", "invalid_request_error", "Model Not Exist"), .modelNotFound, .nextRoute, .open),
        (401, error("invalid_request_error", "invalid_api_key"), .authentication, .nextRoute, .open),
        (402, error("unknown_error", "invalid_request_error", "Insufficient Balance"), .balance, .nextRoute, .open),
        (403, error("x", "unsupported_country_region_territory"), .forbidden, .nextRoute, .open),
        (404, error("invalid_request_error", "model_not_found"), .modelNotFound, .nextRoute, .open),
        (408, "", .timeout, .retry(after: nil), .count),
        (409, error("x", nil), .conflict, .retry(after: nil), .ignore),
        (413, "", .contextLength, .nextRoute, .ignore),
        (422, error("invalid_request_error", nil), .badRequest, .stop, .ignore),
        (429, error("rate_limit_error", "rate_limit_exceeded"), .rateLimited, .retry(after: nil), .ignore),
        (429, "", .rateLimited, .retry(after: nil), .ignore),
        (429, error("insufficient_quota", "insufficient_quota"), .balance, .nextRoute, .open),
        (429, error("x", "credit_balance_exhausted"), .balance, .nextRoute, .open),
        (500, error("server_error", nil), .serverError, .retry(after: nil), .count),
        (502, "<html>Bad Gateway</html>", .serverError, .retry(after: nil), .count),
        (503, error("service_unavailable_error", "server_is_overloaded"), .overloaded, .retry(after: nil), .count),
        (504, "", .serverError, .retry(after: nil), .count),
        (529, "", .serverError, .retry(after: nil), .count),
        (418, "", .badRequest, .stop, .ignore),
        (302, "", .malformed, .nextRoute, .count),
        (204, "", .malformed, .nextRoute, .count),
    ]

    @Test("Status and body", arguments: table.indices)
    func statuses(row: Int) {
        let (status, body, kind, reaction, circuit) = Self.table[row]
        let failure = ChatFailure.refused(status: status, headers: [:], body: Array(body.utf8), secondsSince1970: 0)
        #expect(failure.kind == kind)
        #expect(failure.reaction == reaction)
        #expect(failure.circuit == circuit)
        #expect(failure.status == status)
    }

    private func reaction(_ status: Int, _ headers: HTTPHeaders) -> ChatFailure.Reaction {
        ChatFailure.refused(status: status, headers: headers, body: [], secondsSince1970: 784_111_777).reaction
    }

    @Test("Hints: seconds, milliseconds, a date; too long a hint and x-should-retry mean another route")
    func hints() {
        #expect(reaction(429, ["Retry-After": "2"]) == .retry(after: .seconds(2)))
        #expect(reaction(429, ["retry-after-ms": "250"]) == .retry(after: .milliseconds(250)))
        #expect(reaction(503, ["Retry-After": "Sun, 06 Nov 1994 08:49:40 GMT"]) == .retry(after: .seconds(3)))
        #expect(reaction(429, ["Retry-After": "121"]) == .nextRoute)
        #expect(reaction(500, ["x-should-retry": "false"]) == .nextRoute)
        #expect(reaction(401, ["Retry-After": "1"]) == .nextRoute)
    }

    @Test("The vendor's text never gets into the message")
    func message() {
        let body = Self.error("invalid_request_error", "invalid_api_key", "Incorrect API key provided: sk-abc")
        let failure = ChatFailure.refused(status: 401, headers: [:], body: Array(body.utf8), secondsSince1970: 0)
        #expect(failure.message == "HTTP 401 invalid_request_error invalid_api_key")
    }

    @Test(
        "Broken connections",
        arguments: [
            (HTTPClientError.Kind.connect, ChatFailure.Kind.connection, ChatFailure.Reaction.retry(after: nil)),
            (.reset, .connection, .retry(after: nil)), (.timeout(.firstByte), .timeout, .nextRoute),
            (.timeout(.idle), .timeout, .nextRoute), (.timeout(.total), .timeout, .nextRoute), (.tls, .connection, .nextRoute),
            (.responseTooLarge, .malformed, .nextRoute), (.circuitOpen, .circuitOpen, .nextRoute),
        ])
    func connections(kind: HTTPClientError.Kind, expected: ChatFailure.Kind, reaction: ChatFailure.Reaction) {
        let failure = ChatFailure.broken(HTTPClientError(kind, requestMayHaveStarted: true, message: ""))
        #expect(failure.kind == expected)
        #expect(failure.reaction == reaction)
    }
}
