import HTTPCore
import HTTPServing

/// Failures as OpenAI's clients expect them: `{"error": {"message", "type", "param", "code"}}`, all four always there
/// (openai/openai-openapi, schemas ErrorResponse and Error). The status decides which exception an SDK raises.
enum OpenAIEnvelope {
    /// What is thrown inside becomes such an answer.
    static func around(_ handler: @escaping Handler) -> Handler {
        { request in
            do {
                return try await handler(request)
            } catch let failure as any HTTPFailure {
                return response(for: failure, request)
            }
        }
    }

    /// Where OpenAI's clients call, whether or not there is such a route.
    static let paths = "/api/openai/"

    /// What the server says before or behind any route: unknown paths, other methods, sizes, the end of the time. In OpenAI's words where
    /// its clients call, as a problem elsewhere.
    static func refusal(of failure: any HTTPFailure, _ request: Request) -> Response {
        request.path.hasPrefix(paths) ? response(for: failure, request) : .problem(failure, for: request)
    }

    private static func response(for failure: any HTTPFailure, _ request: Request) -> Response {
        let problem = failure.problem
        let body = ProblemBody(problem, language: request.language, instance: request.path, requestId: request.requestId)
        return response(for: body, headers: problem.headers)
    }

    static func response(for problem: ProblemBody, headers: HTTPHeaders) -> Response {
        var headers = headers
        // Waiting some seconds brings no money back: the SDKs shall not try.
        if problem.code == "budget.exhausted" { headers["x-should-retry"] = "false" }
        // OpenAI tells of a refused field by 400, and its clients have an exception for that.
        let status = problem.status == HTTPStatus.unprocessableContent.code ? HTTPStatus.badRequest : HTTPStatus(problem.status)
        return .json(status, bytes: json(problem).encode(), headers: headers)
    }

    /// The event that ends a stream which broke off. No `[DONE]` follows it.
    static func event(for problem: ProblemBody) -> [UInt8] { Array("data: ".utf8) + json(problem).encode() + Array("\n\n".utf8) }

    private static func json(_ problem: ProblemBody) -> JSONValue {
        let first = problem.errors?.first
        // What the detail has said already is not said again; what is wrong with the whole body names no member.
        let field = first.flatMap { field -> String? in
            guard field.message != problem.detail else { return nil }
            return field.pointer.isEmpty ? field.message : "\(field.pointer): \(field.message)"
        }
        let message = [problem.title, problem.detail, field].compactMap { $0 }
        let member = first.map { String($0.pointer.drop { $0 == "/" }) }
        return [
            "error": [
                "message": .string(message.joined(separator: " · ")), "type": .string(type(of: problem)),
                "param": member.flatMap { $0.isEmpty ? nil : .string($0) } ?? .null,
                "code": .string(code(of: problem)),
            ]
        ]
    }

    private static func type(of problem: ProblemBody) -> String {
        switch problem.status {
        case 429: problem.code == "budget.exhausted" ? "insufficient_quota" : "rate_limit_exceeded"
        case 503: "service_unavailable_error"
        case 500...: "server_error"
        default: "invalid_request_error"
        }
    }

    private static func code(of problem: ProblemBody) -> String {
        switch problem.code {
        case "auth.token_missing", "auth.token_invalid": "invalid_api_key"
        case "budget.exhausted": "insufficient_quota"
        case "request.invalid": problem.errors?.first?.code ?? problem.code
        default: problem.code
        }
    }
}
