import ConcurrencySupport
import FoundationEssentials
import HTTPCore
import Observability

/// What happens to every request, in order: match → call context → limits → deadline → middleware and handler → problem.
struct RequestPipeline: Sendable {
    let trie: RouteTrie
    let entrance: Router.Entrance
    /// On every answer, problems included, unless the handler set the field itself.
    let answerHeaders: HTTPHeaders
    let instruments: RequestInstruments
    let refusing: Router.Refusing
    let chain: Handler

    func respond(to incoming: Request) async throws -> Response {
        var request = incoming
        match(&request)
        let options = request.match?.info.options ?? RouteOptions()
        let parent = incoming.headers["traceparent"].flatMap(TraceContext.init(traceparent:))
        let trace = parent ?? .makeRoot()
        // A trace that begins here names the request as well as anything; one that came may hold many requests.
        request.requestId =
            Self.wellFormed(incoming.headers["X-Request-Id"]) ?? (parent == nil ? trace.traceId : TraceContext.makeRoot().traceId)
        request.deadline = deadline(options, incoming.headers)
        let (response, context) = await CallContext.$current.withValue(callContext(request, trace)) { [request] in
            await instruments.observing(request) { await run(request, options) }
        }
        return finished(response, request, context)
    }

    private func finished(_ response: Response, _ request: Request, _ context: CallContext) -> Response {
        var response = response
        response.headers["X-Request-Id"] = request.requestId
        for (name, value) in answerHeaders where response.headers[name] == nil { response.headers.add(name, value) }
        guard case .stream(let produce) = response.body else { return response }
        // The body is written after the handler returned; it logs and calls under the same context, but has no deadline.
        var unbounded = context
        unbounded.deadline = nil
        let context = unbounded
        response.body = .stream { writer in
            try await CallContext.$current.withValue(context) { try await produce(writer) }
        }
        return response
    }

    private func match(_ request: inout Request) {
        // A head that is not to be trusted names no route.
        guard !request.isPathMalformed, !(request.refusal is BadRequest) else { return }
        switch trie.match(request.method, request.pathSegments) {
        case .route(let route, let values):
            request.match = route
            request.parameters = PathParameters(names: route.parameterNames, values: values)
            if request.refusal != nil {
                // The server knows already that it is too large.
            } else if let name = request.malformedQueryName {
                request.refusal = ValidationFailure(
                    pointer: "?" + name, code: "malformed", zh: "编码不正确", en: "is not well encoded")
            } else if request.body.count > route.info.options.maxBodyBytes {
                request.refusal = ContentTooLarge(limit: route.info.options.maxBodyBytes)
            }
        case .otherMethods(let methods):
            request.allowedMethods = methods
        case .none: break
        }
    }

    private func run(_ request: Request, _ options: RouteOptions) async -> Response {
        do {
            return try await DeadlineScope.run(until: request.deadline, hangUp: options.hangUp) { try await chain(request) }
        } catch {
            return response(for: error, request)
        }
    }

    private func response(for error: any Error, _ request: Request) -> Response {
        switch error {
        case let failure as any HTTPFailure: return refusing(failure, request)
        case is DeadlineExceeded: return refusing(DeadlinePassed(), request)
        case is CancellationError where Task.isCancelled: return refusing(ClientClosedRequest(), request)
        // Something inside was stopped, though nobody gave this request up: a drain, as a rule.
        case is CancellationError: return refusing(Unavailable(code: "service.stopping"), request)
        default:
            instruments.logger.error(
                "request failed", ["error": "\(error)", "method": request.method.rawValue, "path": request.path])
            return refusing(InternalFailure(), request)
        }
    }

    private func deadline(_ options: RouteOptions, _ headers: HTTPHeaders) -> Deadline {
        guard entrance == .internalCalls, let text = headers["X-Deadline-Ms"], let budget = UInt32(text) else {
            return .after(options.deadline)
        }
        return .after(min(options.deadline, .milliseconds(Int64(budget))))
    }

    private func callContext(_ request: Request, _ trace: TraceContext) -> CallContext {
        let operationId = entrance == .internalCalls ? request.headers["X-Operation-Id"].flatMap(UUID.init(text:)) : nil
        return CallContext(
            trace: trace, requestId: request.requestId, operationId: operationId, flow: request.route?.flow,
            deadline: request.deadline.instant)
    }

    /// The client's id where it matches `[\w-]{8,64}`.
    private static func wellFormed(_ requestId: String?) -> String? {
        guard let requestId, (8...64).contains(requestId.utf8.count), requestId.utf8.allSatisfy(isWord) else { return nil }
        return requestId
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

/// Nobody reads this answer; the status stands in logs and metrics (nginx's 499).
struct ClientClosedRequest: HTTPFailure {
    var problem: ProblemDescription {
        ProblemDescription(
            status: HTTPStatus(499), code: "client_closed_request",
            title: LocalizedText(zh: "客户端已断开", en: "The client closed the request"))
    }
}
