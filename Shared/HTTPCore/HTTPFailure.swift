public import FoundationEssentials

/// An error that knows how it looks to a client. One middleware turns it into `application/problem+json` (RFC 9457); anything else
/// that is thrown becomes a 500 with a fixed text, and its own description goes to the log only.
public protocol HTTPFailure: Error {
    var problem: ProblemDescription { get }
}

/// The parts of a problem that its thrower knows; the middleware adds `instance`, `requestId` and the language.
public struct ProblemDescription: Sendable {
    public var status: HTTPStatus
    /// Stable and dotted, e.g. `content.version_conflict`. Clients and tests match on it.
    public var code: String
    public var title: LocalizedText
    public var detail: LocalizedText?
    /// Whether sending the same request again later may succeed.
    public var retryable: Bool
    /// One entry per field that was refused.
    public var issues: [FieldIssue]
    /// Extra answer headers such as `Retry-After`, `Allow` or `WWW-Authenticate`.
    public var headers: HTTPHeaders
    /// What the outside platform said, where the fault is its.
    public var platform: PlatformFault?
    /// The budget that does not hold the call, where that is the reason.
    public var budgetId: UUID?

    public init(
        status: HTTPStatus, code: String, title: LocalizedText, detail: LocalizedText? = nil, retryable: Bool = false,
        issues: [FieldIssue] = [], headers: HTTPHeaders = [:], platform: PlatformFault? = nil,
        budgetId: UUID? = nil
    ) {
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.retryable = retryable
        self.issues = issues
        self.headers = headers
        self.platform = platform
        self.budgetId = budgetId
    }
}

/// An outside platform's own words about a fault, for support tickets: they come back as `platform`, `platformCode`, `platformLogId`.
public struct PlatformFault: Sendable, Equatable {
    public var name: String
    public var code: String?
    public var logId: String?

    public init(name: String, code: String? = nil, logId: String? = nil) {
        self.name = name
        self.code = code
        self.logId = logId
    }
}

/// Why one field was refused.
public struct FieldIssue: Sendable, Equatable {
    /// RFC 6901 JSON pointer into the body (`/sellingPoints/3`), or `?name` for a query parameter, or a header's name.
    public var pointer: String
    /// Stable, e.g. `too_long`.
    public var code: String
    public var message: LocalizedText

    public init(pointer: String, code: String, message: LocalizedText) {
        self.pointer = pointer
        self.code = code
        self.message = message
    }
}
