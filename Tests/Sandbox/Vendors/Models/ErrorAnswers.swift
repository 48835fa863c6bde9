/// The refusals of OpenAI and DeepSeek, with the envelope `{"error":{message,type,param,code}}` that both use.
enum ErrorAnswers {
    static func make(
        _ status: Int, type: String, code: String? = nil, param: String? = nil, _ message: String,
        headers: [(String, String)] = []
    ) -> Answer {
        Answer(status: status, headers: headers, json: envelope(type: type, code: code, param: param, message))
    }

    static func envelope(type: String, code: String? = nil, param: String? = nil, _ message: String) -> JSON {
        .make([
            "error": .make([
                "message": .string(message), "type": .string(type), "param": param.map { .string($0) } ?? .null,
                "code": code.map { .string($0) } ?? .null,
            ])
        ])
    }

    static func invalid(_ message: String, param: String? = nil, code: String? = nil, status: Int = 400) -> Answer {
        make(status, type: "invalid_request_error", code: code, param: param, message)
    }

    /// The answer of a fault that is nothing but a status and a body; `nil` for the others.
    static func answer(for fault: Fault, parameters: FaultParameters) -> Answer? {
        let seconds = String(parameters.int("retryAfterSeconds") ?? 1)
        return switch fault {
        case .badRequest: invalid("The request is malformed.")
        case .contextLengthExceeded:
            invalid(
                "This model's maximum context length is 128000 tokens. However, your messages resulted in more tokens.",
                param: "messages", code: "context_length_exceeded")
        case .contentPolicy:
            invalid("Your request was rejected as a result of our safety system.", code: "content_policy_violation")
        case .unauthorized:
            make(401, type: "invalid_request_error", code: "invalid_api_key", "Incorrect API key provided.")
        case .balanceEmpty: make(402, type: "unknown_error", code: "invalid_request_error", "Insufficient Balance")
        case .forbidden:
            make(
                403, type: "request_forbidden", code: "unsupported_country_region_territory",
                "Country, region, or territory not supported")
        case .modelNotFound:
            make(
                404, type: "invalid_request_error", code: "model_not_found", param: "model",
                "The model does not exist or you do not have access to it.")
        case .requestTimeout: make(408, type: "server_error", "Request timed out.")
        case .conflict: make(409, type: "invalid_request_error", "The resource was updated by another request.")
        case .unprocessable: invalid("Failed to deserialize the JSON body into the target type.", status: 422)
        case .rateLimitSeconds: rateLimit([("Retry-After", seconds)])
        case .rateLimitDate: rateLimit([("Retry-After", httpDate(inSeconds: Int(seconds) ?? 1))])
        case .rateLimitNoHint: rateLimit([])
        case .insufficientQuota:
            make(
                429, type: "insufficient_quota", code: "insufficient_quota",
                "You exceeded your current quota, please check your plan and billing details.")
        case .serverError: make(500, type: "server_error", "The server had an error while processing your request.")
        case .badGatewayHTML:
            Answer(
                status: 502, contentType: "text/html",
                body: Array("<html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>".utf8))
        case .overloaded:
            make(
                503, type: "service_unavailable_error", code: "server_is_overloaded", "The engine is currently overloaded.",
                headers: [("Retry-After", seconds)])
        case .unknownStatus: make(529, type: "overloaded_error", "Overloaded")
        case .missingReasoningContent:
            invalid("The `reasoning_content` in the thinking mode must be passed back to the API.")
        case .malformedBody:
            Answer(status: 200, contentType: "application/json", body: Array("{\"id\": \"chatcmpl-1\", \"choices\": [".utf8))
        case .status:
            make(
                parameters.int("status") ?? 500, type: parameters.string("type") ?? "server_error",
                code: parameters.string("code"),
                parameters.string("message") ?? "scripted status",
                headers: parameters.int("retryAfterSeconds").map { [("Retry-After", String($0))] } ?? [])
        default: nil
        }
    }

    private static func rateLimit(_ headers: [(String, String)]) -> Answer {
        make(
            429, type: "requests", code: "rate_limit_exceeded", "Rate limit reached for requests.",
            headers: headers + [("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "1s")])
    }
}
