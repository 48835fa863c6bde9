public import HTTPCore

/// What a route wants from the server around it.
public struct RouteOptions: Sendable {
    /// What becomes of a request whose client hung up.
    public enum HangUp: Sendable {
        /// The handler's task is cancelled.
        case cancels
        /// The handler runs to its end, or to its deadline: its effect is wanted, and a repeat finds it.
        case runsToEnd
    }

    /// The time until the head of the answer; the smaller of this and `X-Deadline-Ms` counts.
    public var deadline: Duration
    public var maxBodyBytes: Int
    /// The handler begins with the head and takes the body as it comes, by ``Request/incoming``; ``Request/body`` is empty then. A client
    /// that sends faster than the handler takes is held back.
    public var streamsBody: Bool
    /// The flow's name (design §2), for logs and spans.
    public var flow: String?
    public var hangUp: HangUp
    /// Whether the handler reads query parameters. The routes of a ``RouteGroup`` that do not refuse any, as those that do refuse unknown ones.
    public var takesQuery: Bool

    public static let defaultDeadline = Duration.seconds(30)
    public static let defaultMaxBodyBytes = 1 << 20

    public init(
        deadline: Duration = Self.defaultDeadline, maxBodyBytes: Int = Self.defaultMaxBodyBytes, streamsBody: Bool = false,
        flow: String? = nil, hangUp: HangUp = .cancels, takesQuery: Bool = false
    ) {
        self.deadline = deadline
        self.maxBodyBytes = maxBodyBytes
        self.streamsBody = streamsBody
        self.flow = flow
        self.hangUp = hangUp
        self.takesQuery = takesQuery
    }

    /// The same for a handler that reads query parameters.
    public var takingQuery: RouteOptions {
        var options = self
        options.takesQuery = true
        return options
    }
}

/// A route as others see it: contract tests compare the list with the OpenAPI document, metrics use the pattern as a label.
public struct RouteInfo: Sendable {
    public let method: HTTPMethod
    /// E.g. `/v1/contents/{id}`.
    public let pattern: String
    public let options: RouteOptions

    public var flow: String? { options.flow }
}

/// A registered route; one object, shared by all requests to it.
final class Route: Sendable {
    let info: RouteInfo
    let parameterNames: [String]
    let handler: Handler

    init(info: RouteInfo, parameterNames: [String], handler: @escaping Handler) {
        self.info = info
        self.parameterNames = parameterNames
        self.handler = handler
    }
}
