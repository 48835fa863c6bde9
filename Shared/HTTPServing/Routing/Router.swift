public import HTTPCore
public import Observability

/// The routes of a service and what stands around all of them.
///
/// ``handler`` is the whole service as one function: it matches, sets up the call context, enforces body limit and deadline, runs the
/// middleware and the route, and turns every failure into a problem. Server and in-process client both call it.
public struct Router: Sendable {
    /// Who calls: decides which of the caller's headers are believed.
    public enum Entrance: Sendable {
        /// Our own services: `X-Operation-Id` and `X-Deadline-Ms` count.
        case internalCalls
        /// Anybody: both are ignored.
        case publicCalls
    }

    private let entrance: Entrance
    private let instruments: RequestInstruments
    private let answerHeaders: HTTPHeaders
    private let refusing: Refusing
    private var trie = RouteTrie()
    private var middleware: [any Middleware] = []
    /// What is said of a failure that no middleware and no route has answered.
    public typealias Refusing = @Sendable (any HTTPFailure, Request) -> Response

    /// All routes in the order of their registration.
    public private(set) var routes: [RouteInfo] = []

    /// - Parameters:
    ///   - logger: told of failures that the client only sees as 500.
    ///   - metrics: gets `http_server_request_duration_seconds` by method, route pattern and status.
    ///   - tracer: makes a server span per request.
    ///   - refusing: problem+json unless a service has clients that want it in other words.
    public init(
        entrance: Entrance = .internalCalls, logger: Logger = .silent, metrics: MetricsRegistry? = nil,
        tracer: Tracer = Tracer(service: ""), answerHeaders: HTTPHeaders = [:],
        refusing: @escaping Refusing = { .problem($0, for: $1) }
    ) {
        self.entrance = entrance
        self.answerHeaders = answerHeaders
        self.refusing = refusing
        self.instruments = RequestInstruments(logger: logger, metrics: metrics, tracer: tracer)
    }

    /// Adds middleware around everything, unmatched requests included (their ``Request/route`` is `nil`). The first added is the
    /// outermost.
    public mutating func use(_ middleware: any Middleware) { self.middleware.append(middleware) }

    /// Registers a route. A pattern's segments are literal, or `{name}` for exactly one non-empty segment.
    ///
    /// GET answers HEAD too, and OPTIONS is answered for every known path. A malformed or doubled pattern is a programming error and
    /// stops the program at start-up.
    public mutating func on(
        _ method: HTTPMethod, _ pattern: String, options: RouteOptions = RouteOptions(), _ handler: @escaping Handler
    ) {
        guard let segments = PatternSegment.parse(pattern) else { preconditionFailure("malformed route pattern \(pattern)") }
        let info = RouteInfo(method: method, pattern: pattern, options: options)
        let names = segments.compactMap { if case .parameter(let name) = $0 { name } else { nil } }
        let isNew = trie.insert(Route(info: info, parameterNames: names, handler: handler), segments: segments)
        precondition(isNew, "route registered twice: \(method) \(pattern)")
        routes.append(info)
    }

    /// Registers routes that share middleware, e.g. authentication for all but the health checks. It runs inside that of ``use(_:)``.
    public mutating func group(_ middleware: any Middleware..., routes register: (inout RouteGroup) -> Void) {
        var group = RouteGroup(middleware: middleware)
        register(&group)
        for route in group.routes { on(route.method, route.pattern, options: route.options, route.handler) }
    }

    /// The service as a function; it never throws for what a handler does.
    public var handler: Handler {
        let chain = middleware.wrapping { request in
            if let failure = request.refusal { throw failure }
            if let allowed = request.allowedMethods {
                guard request.method == .options else { throw MethodNotAllowed(allowed: allowed) }
                return Response(.noContent, headers: ["Allow": allowed.map(\.rawValue).joined(separator: ", ")])
            }
            guard let route = request.match else { throw NotFound() }
            return try await route.handler(request)
        }
        let pipeline = RequestPipeline(
            trie: trie, entrance: entrance, answerHeaders: answerHeaders, instruments: instruments, refusing: refusing,
            chain: chain)
        return { request in try await pipeline.respond(to: request) }
    }

    /// The options of the route that this request line would take; the defaults where there is none.
    func options(_ method: HTTPMethod, _ target: String) -> RouteOptions {
        let path = target.utf8.prefix { $0 != UInt8(ascii: "?") }
        guard let segments = RequestTarget.segments(of: path), case .route(let route, _) = trie.match(method, segments) else {
            return RouteOptions()
        }
        return route.info.options
    }
}

/// Routes under common middleware; see ``Router/group(_:routes:)``.
public struct RouteGroup {
    fileprivate struct Entry {
        let method: HTTPMethod
        let pattern: String
        let options: RouteOptions
        let handler: Handler
    }

    private let middleware: [any Middleware]
    fileprivate private(set) var routes: [Entry] = []

    fileprivate init(middleware: [any Middleware]) { self.middleware = middleware }

    public mutating func on(
        _ method: HTTPMethod, _ pattern: String, options: RouteOptions = RouteOptions(), _ handler: @escaping Handler
    ) {
        let checked: Handler = { request in
            if !options.takesQuery { try request.refuseParameters() }
            return try await handler(request)
        }
        routes.append(Entry(method: method, pattern: pattern, options: options, handler: middleware.wrapping(checked)))
    }
}

extension [any Middleware] {
    fileprivate func wrapping(_ handler: @escaping Handler) -> Handler {
        reversed().reduce(handler) { next, middleware in { try await middleware.respond(to: $0, next: next) } }
    }
}
