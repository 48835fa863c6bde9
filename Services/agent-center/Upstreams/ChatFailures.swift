import HTTPCalling
import HTTPCore

// What a vendor's refusal means. Sources: OpenAI's guide "error codes" and its Python SDK's retry rules; DeepSeek's "error
// codes".
extension ChatFailure {
    /// A hint longer than this is taken as "do not retry", as OpenAI's own SDK does.
    private static let longestHint = Duration.seconds(120)

    /// An answer that is no 200.
    static func refused(status: Int, headers: HTTPHeaders, body: [UInt8], secondsSince1970 now: Double) -> ChatFailure {
        let error = (try? JSONValue(parsing: body))?["error"]
        let code = error?["code"]?.string ?? ""
        let type = error?["type"]?.string ?? ""
        let text = error?["message"]?.string ?? ""
        var failure = classified(status: status, code: code, type: type, text: text.lowercased())
        failure.status = status
        failure.message = "HTTP \(status)" + [type, code].filter { !$0.isEmpty }.map { " \($0.prefix(60))" }.joined()
        if case .retry = failure.reaction {
            let hint = RetryAfter.parse(headers, secondsSince1970: now)
            failure.reaction = .retry(after: hint)
            if let hint, hint > longestHint { failure.reaction = .nextRoute }
            if headers["x-should-retry"] == "false" { failure.reaction = .nextRoute }
        }
        return failure
    }

    /// An error object where an answer or a chunk should be. There is no status then.
    static func inBand(_ error: JSONValue, usage: ChatUsage? = nil) -> ChatFailure {
        let code = error["code"]?.string ?? error["code"]?.int.map(String.init) ?? ""
        let type = error["type"]?.string ?? ""
        var failure = classified(
            status: Int(code) ?? 500, code: code, type: type, text: (error["message"]?.string ?? "").lowercased())
        failure.message = "error after 200:" + [type, code].filter { !$0.isEmpty }.map { " \($0.prefix(60))" }.joined()
        failure.usage = usage
        return failure
    }

    private static func classified(status: Int, code: String, type: String, text: String) -> ChatFailure {
        // What the codes say holds whatever the status.
        if ["insufficient_quota", "credit_balance_exhausted"].contains(where: { code == $0 || type == $0 }) {
            return ChatFailure(.balance, .nextRoute, .open, message: "")
        }
        if code == "context_length_exceeded" || text.contains("maximum context length") {
            return ChatFailure(.contextLength, .nextRoute, .ignore, message: "")
        }
        if code == "content_policy_violation" || code == "content_filter" || text.contains("content exists risk") {
            return ChatFailure(.policy, .stop, .ignore, message: "")
        }
        // DeepSeek answers 400 for names it does not know or no longer knows.
        if code == "model_not_found" || text.contains("model not exist") || text.contains("supported api model names") {
            return ChatFailure(.modelNotFound, .nextRoute, .open, message: "")
        }
        // A form of answer that the model does not know, and the thoughts of an earlier turn that only this model wants to see again.
        if status == 400 || status == 422, text.contains("response_format") {
            return ChatFailure(.unsupportedForm, .nextRoute, .ignore, message: "")
        }
        if status == 400, text.contains("reasoning_content") {
            return ChatFailure(.badRequest, .nextRoute, .ignore, message: "")
        }
        switch status {
        case 401: return ChatFailure(.authentication, .nextRoute, .open, message: "")
        case 402: return ChatFailure(.balance, .nextRoute, .open, message: "")
        case 403: return ChatFailure(.forbidden, .nextRoute, .open, message: "")
        case 404: return ChatFailure(.modelNotFound, .nextRoute, .open, message: "")
        case 408: return ChatFailure(.timeout, .retry(after: nil), .count, message: "")
        case 409: return ChatFailure(.conflict, .retry(after: nil), .ignore, message: "")
        case 413: return ChatFailure(.contextLength, .nextRoute, .ignore, message: "")
        case 429: return ChatFailure(.rateLimited, .retry(after: nil), .ignore, message: "")
        case 503: return ChatFailure(.overloaded, .retry(after: nil), .count, message: "")
        case 500...599: return ChatFailure(.serverError, .retry(after: nil), .count, message: "")
        case 400...499: return ChatFailure(.badRequest, .stop, .ignore, message: "")
        // A redirect or a strange 2xx: not the protocol we speak.
        default: return ChatFailure(.malformed, .nextRoute, .count, message: "")
        }
    }

    /// No whole answer came.
    static func broken(_ error: HTTPClientError) -> ChatFailure {
        switch error.kind {
        case .connect: ChatFailure(.connection, .retry(after: nil), .count, message: "connect: \(error.message)")
        case .reset: ChatFailure(.connection, .retry(after: nil), .count, message: "reset: \(error.message)")
        case .tls: ChatFailure(.connection, .nextRoute, .count, message: "TLS: \(error.message)")
        case .timeout(let stage): ChatFailure(.timeout, .nextRoute, .count, message: "time-out: \(stage.rawValue)")
        case .circuitOpen: ChatFailure(.circuitOpen, .nextRoute, .ignore, message: error.message)
        case .responseTooLarge: ChatFailure(.malformed, .nextRoute, .count, message: "the answer is too large")
        case .malformed: ChatFailure(.malformed, .nextRoute, .count, message: error.message)
        case .cancelled, .closed: ChatFailure(.connection, .nextRoute, .ignore, message: error.message)
        }
    }
}
