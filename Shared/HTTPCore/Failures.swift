// Failures that every service may throw; what belongs to one module stands there.

/// 404: no such thing, or somebody else's (design §3, law 3), or a malformed identifier.
public struct NotFound: HTTPFailure {
    public init() {}

    public var problem: ProblemDescription {
        ProblemDescription(status: .notFound, code: "not_found", title: LocalizedText(zh: "没有找到", en: "Not found"))
    }
}

/// 400 with a code of its own, for what is wrong before any field is.
public struct BadRequest: HTTPFailure {
    public let code: String
    public let title: LocalizedText

    public init(code: String, title: LocalizedText) {
        self.code = code
        self.title = title
    }

    public var problem: ProblemDescription { ProblemDescription(status: .badRequest, code: code, title: title) }
}

/// 401. `code` is e.g. `auth.missing_token`.
public struct Unauthorized: HTTPFailure {
    public let code: String
    public let title: LocalizedText

    public init(code: String, title: LocalizedText = LocalizedText(zh: "请先登录", en: "Authentication is required")) {
        self.code = code
        self.title = title
    }

    public var problem: ProblemDescription {
        ProblemDescription(
            status: .unauthorized, code: code, title: title,
            headers: ["WWW-Authenticate": "Bearer"])
    }
}

/// 403. `code` is e.g. `auth.permission_missing`.
public struct Forbidden: HTTPFailure {
    public let code: String

    public init(code: String = "auth.forbidden") { self.code = code }

    public var problem: ProblemDescription {
        ProblemDescription(status: .forbidden, code: code, title: LocalizedText(zh: "没有权限", en: "Not allowed"))
    }
}

/// 405; `Allow` lists what the resource takes.
public struct MethodNotAllowed: HTTPFailure {
    public let allowed: [HTTPMethod]

    public init(allowed: [HTTPMethod]) { self.allowed = allowed }

    public var problem: ProblemDescription {
        ProblemDescription(
            status: .methodNotAllowed, code: "method_not_allowed",
            title: LocalizedText(zh: "不支持该方法", en: "Method not allowed"),
            headers: ["Allow": allowed.map(\.rawValue).joined(separator: ", ")])
    }
}

/// 409 with the code of the conflict, e.g. `content.title_taken`.
public struct Conflict: HTTPFailure {
    public let code: String
    public let title: LocalizedText
    public let retryable: Bool

    public init(code: String, title: LocalizedText, retryable: Bool = false) {
        self.code = code
        self.title = title
        self.retryable = retryable
    }

    public var problem: ProblemDescription {
        ProblemDescription(status: .conflict, code: code, title: title, retryable: retryable)
    }
}

/// 412: `If-Match` named another version than the stored one.
public struct PreconditionFailed: HTTPFailure {
    public let code: String

    public init(code: String = "version_conflict") { self.code = code }

    public var problem: ProblemDescription {
        ProblemDescription(
            status: .preconditionFailed, code: code,
            title: LocalizedText(zh: "内容已被修改，请刷新后重试", en: "It was changed meanwhile; read it again"))
    }
}

/// 428: the route wants `If-Match`.
public struct PreconditionRequired: HTTPFailure {
    public init() {}

    public var problem: ProblemDescription {
        ProblemDescription(
            status: .preconditionRequired, code: "precondition_required",
            title: LocalizedText(zh: "缺少 If-Match", en: "If-Match is required"))
    }
}

/// 413 with the limit in bytes.
public struct ContentTooLarge: HTTPFailure {
    public let limit: Int

    public init(limit: Int) { self.limit = limit }

    public var problem: ProblemDescription {
        ProblemDescription(
            status: .contentTooLarge, code: "request.too_large",
            title: LocalizedText(zh: "请求体过大", en: "The body is too large"),
            detail: LocalizedText(zh: "上限 \(limit) 字节", en: "The limit is \(limit) bytes"))
    }
}

/// 415 with the media types that the route takes.
public struct UnsupportedMediaType: HTTPFailure {
    public let expected: [String]

    public init(expected: [String] = ["application/json"]) { self.expected = expected }

    public var problem: ProblemDescription {
        let list = expected.joined(separator: ", ")
        return ProblemDescription(
            status: .unsupportedMediaType, code: "request.unsupported_media_type",
            title: LocalizedText(zh: "不支持的媒体类型", en: "Unsupported media type"),
            detail: LocalizedText(zh: "应为 \(list)", en: "Expected \(list)"), headers: ["Accept": list])
    }
}

/// 416: no byte of what the range names exists.
public struct RangeNotSatisfiable: HTTPFailure {
    public let size: Int

    public init(size: Int) { self.size = size }

    public var problem: ProblemDescription {
        ProblemDescription(
            status: .rangeNotSatisfiable, code: "request.range_not_satisfiable",
            title: LocalizedText(zh: "请求的范围不存在", en: "No such range"), headers: ["Content-Range": "bytes */\(size)"])
    }
}

/// 431: the header section is longer than the server takes.
public struct HeaderFieldsTooLarge: HTTPFailure {
    public init() {}

    public var problem: ProblemDescription {
        ProblemDescription(
            status: .headerFieldsTooLarge, code: "request.headers_too_large",
            title: LocalizedText(zh: "请求头过大", en: "The header section is too large"))
    }
}

/// 429; `retryAfter` is rounded up to whole seconds.
public struct TooManyRequests: HTTPFailure {
    public let code: String
    public let retryAfter: Duration

    public init(code: String = "rate_limited", retryAfter: Duration) {
        self.code = code
        self.retryAfter = retryAfter
    }

    public var problem: ProblemDescription {
        ProblemDescription(
            status: .tooManyRequests, code: code, title: LocalizedText(zh: "请求过于频繁", en: "Too many requests"),
            retryable: true, headers: ["Retry-After": retryAfter.wholeSecondsUp])
    }
}

/// 503: a part we need is down or full; the same request may succeed later.
public struct Unavailable: HTTPFailure {
    public let code: String
    public let retryAfter: Duration

    public init(code: String = "dependency.unavailable", retryAfter: Duration = .seconds(1)) {
        self.code = code
        self.retryAfter = retryAfter
    }

    public var problem: ProblemDescription {
        ProblemDescription(
            status: .serviceUnavailable, code: code, title: LocalizedText(zh: "服务暂时不可用", en: "Temporarily unavailable"),
            retryable: true, headers: ["Retry-After": retryAfter.wholeSecondsUp])
    }
}

/// 503: the process is stopping, and has not begun with the request. Whatever it asks for, it may be sent to another replica.
public struct NotStarted: HTTPFailure {
    /// Says so on the wire, between our services.
    public static let header = "X-Not-Started"

    public init() {}

    public var problem: ProblemDescription {
        var problem = Unavailable(code: "service.stopping").problem
        problem.headers[Self.header] = "true"
        return problem
    }
}

/// 504: the time for the answer is up.
public struct DeadlinePassed: HTTPFailure {
    public init() {}

    public var problem: ProblemDescription {
        ProblemDescription(
            status: .gatewayTimeout, code: "deadline_exceeded", title: LocalizedText(zh: "处理超时", en: "The time is up"),
            retryable: true)
    }
}

/// 500 with a fixed text: what really happened stands in the log under the request's id.
public struct InternalFailure: HTTPFailure {
    public init() {}

    public var problem: ProblemDescription {
        ProblemDescription(
            status: .internalServerError, code: "internal", title: LocalizedText(zh: "服务内部错误", en: "Internal error"))
    }
}

extension Duration {
    /// For `Retry-After`: at least 1.
    fileprivate var wholeSecondsUp: String {
        let (seconds, attoseconds) = components
        return String(max(1, attoseconds > 0 ? seconds + 1 : seconds))
    }
}
