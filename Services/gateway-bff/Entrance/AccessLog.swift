import ConcurrencySupport
import HTTPCore
import HTTPServing
import Observability

/// One line per public request: who asked for what, and what came of it. Health checks and metrics are left out; paths are written without
/// their query, which may hold anything.
struct AccessLog: Middleware {
    let logger: Logger
    let addressRule: ClientAddressRule

    func respond(to request: Request, next: @escaping Handler) async throws -> Response {
        switch request.path {
        case "/healthz", "/readyz", "/metrics": return try await next(request)
        default: break
        }
        let started = ContinuousClock.now
        var request = request
        let visitor = Visitor()
        request[VisitorKey.self] = visitor
        do {
            let response = try await next(request)
            write(request, visitor, response.status, since: started)
            return response
        } catch {
            write(request, visitor, HTTPStatus(answering: error, to: request), since: started)
            throw error
        }
    }

    private func write(_ request: Request, _ visitor: Visitor, _ status: HTTPStatus, since started: ContinuousClock.Instant) {
        let member = visitor.member
        var context = CallContext.current
        context?.tenantId = member?.tenantId
        CallContext.$current.withValue(context) {
            logger.info(
                "request",
                [
                    "method": request.method.rawValue, "path": request.path, "route": request.route?.pattern,
                    "status": status.code, "durationMs": started.duration(to: .now), "client": addressRule.address(of: request),
                    "user": member?.subject,
                ])
        }
    }
}

extension Request {
    /// Tells the access log who it was.
    func note(_ member: Member) { self[VisitorKey.self]?.member = member }
}

/// Filled in further inside, where the token is verified.
private final class Visitor: Sendable {
    private let state = Lock<Member?>(nil)

    var member: Member? {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}

private enum VisitorKey: RequestKey {
    typealias Value = Visitor
}
