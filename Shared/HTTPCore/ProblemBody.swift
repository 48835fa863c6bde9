public import FoundationEssentials

/// `application/problem+json` (RFC 9457) as it stands on the wire: written by the server's middleware, read by callers.
public struct ProblemBody: Codable, Sendable, Equatable {
    public static let mediaType = "application/problem+json"

    public struct FieldError: Codable, Sendable, Equatable {
        public var pointer: String
        public var code: String
        public var message: String

        public init(pointer: String, code: String, message: String) {
            self.pointer = pointer
            self.code = code
            self.message = message
        }
    }

    /// `about:blank`: `title` says what the status and `code` mean.
    public var type: String
    public var title: String
    public var status: Int
    public var detail: String?
    /// The request's path.
    public var instance: String?
    public var code: String
    public var requestId: String?
    public var retryable: Bool
    public var errors: [FieldError]?
    public var platform: String?
    public var platformCode: String?
    public var platformLogId: String?
    /// Of `budget.exhausted`.
    public var budgetId: UUID?

    public init(
        type: String = "about:blank", title: String, status: Int, detail: String? = nil, instance: String? = nil, code: String,
        requestId: String? = nil, retryable: Bool = false, errors: [FieldError]? = nil, platform: String? = nil,
        platformCode: String? = nil, platformLogId: String? = nil, budgetId: UUID? = nil
    ) {
        self.type = type
        self.title = title
        self.status = status
        self.detail = detail
        self.instance = instance
        self.code = code
        self.requestId = requestId
        self.retryable = retryable
        self.errors = errors
        self.platform = platform
        self.platformCode = platformCode
        self.platformLogId = platformLogId
        self.budgetId = budgetId
    }

    public init(_ problem: ProblemDescription, language: LocalizedText.Language, instance: String?, requestId: String?) {
        self.init(
            title: problem.title.text(in: language), status: problem.status.code, detail: problem.detail?.text(in: language),
            instance: instance, code: problem.code, requestId: requestId, retryable: problem.retryable,
            errors: problem.issues.isEmpty
                ? nil
                : problem.issues.map {
                    FieldError(pointer: $0.pointer, code: $0.code, message: $0.message.text(in: language))
                },
            platform: problem.platform?.name, platformCode: problem.platform?.code, platformLogId: problem.platform?.logId,
            budgetId: problem.budgetId)
    }
}
