public import HTTPCore

/// What another service answered instead of what was asked for, passed on as our own answer.
///
/// A 4xx is relayed as it is: the caller can do something about it. Only when the other side refuses *us* (401, and 403 for a missing
/// arrow), or fails with 500, the caller gets 502, since it is not his fault.
public struct UpstreamProblem: HTTPFailure {
    public let callee: ServiceName
    /// As the upstream sent it.
    public let status: HTTPStatus
    /// The upstream's problem; `nil` when it sent none that can be read.
    public let body: ProblemBody?
    public let retryAfter: String?

    public init(callee: ServiceName, status: HTTPStatus, body: ProblemBody?, retryAfter: String? = nil) {
        self.callee = callee
        self.status = status
        self.body = body
        self.retryAfter = retryAfter
    }

    /// The upstream's stable code, e.g. `content.version_conflict`.
    public var code: String { body?.code ?? "upstream.failed" }

    public var problem: ProblemDescription {
        guard let body, isRelayed else {
            return ProblemDescription(
                status: .badGateway, code: "upstream.failed", title: LocalizedText(zh: "上游服务出错", en: "An inner service failed"),
                retryable: body?.retryable ?? false)
        }
        var headers = HTTPHeaders()
        if let retryAfter { headers["Retry-After"] = retryAfter }
        // The upstream has chosen the language already: Accept-Language travels with the call.
        return ProblemDescription(
            status: status, code: body.code, title: both(body.title), detail: body.detail.map(both), retryable: body.retryable,
            issues: (body.errors ?? []).map { FieldIssue(pointer: $0.pointer, code: $0.code, message: both($0.message)) },
            headers: headers, budgetId: body.budgetId)
    }

    private var isRelayed: Bool {
        switch status.code {
        case 401: false
        case 403: body?.code != "auth.arrow_missing"
        case 400..<500: true
        case 503, 504: true
        default: false
        }
    }

    private func both(_ text: String) -> LocalizedText { LocalizedText(zh: text, en: text) }
}

/// 503: the other service cannot be reached now. Nothing was done, or repeating does no harm.
public struct UpstreamUnavailable: HTTPFailure {
    public let callee: ServiceName
    /// For the log.
    public let reason: String

    public init(callee: ServiceName, reason: String) {
        self.callee = callee
        self.reason = reason
    }

    public var problem: ProblemDescription { Unavailable(code: "upstream.unavailable").problem }
}

/// 504: no answer in time. It may have been done; a repeat with the same operation id finds it.
public struct UpstreamTimeout: HTTPFailure {
    public let callee: ServiceName

    public init(callee: ServiceName) { self.callee = callee }

    public var problem: ProblemDescription {
        ProblemDescription(
            status: .gatewayTimeout, code: "upstream.timeout",
            title: LocalizedText(zh: "上游处理超时", en: "An inner service took too long"),
            retryable: true)
    }
}
