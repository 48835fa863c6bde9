import HTTPCore
public import HTTPServing
public import Observability

/// Lets in only calls of our own services with a good context, and tells the handler and the log for whom the call is.
///
/// Answers 401 `auth.invalid_context` and 403 `auth.arrow_missing`.
public struct InternalAuthentication: Middleware {
    private let verifier: ContextVerifier
    private let logger: Logger

    public init(verifier: ContextVerifier, logger: Logger = .silent) {
        self.verifier = verifier
        self.logger = logger
    }

    public func respond(to request: Request, next: @escaping Handler) async throws -> Response {
        var request = request
        do {
            request[VerifiedContextKey.self] = try verifier.verify(try token(of: request))
        } catch {
            logger.info("context refused", ["reason": "\(error)", "path": request.path])
            throw error
        }
        guard var context = CallContext.current else { return try await next(request) }
        context.tenantId = try request.principal.tenantId
        return try await CallContext.$current.withValue(context) { [request] in try await next(request) }
    }

    private func token(of request: Request) throws(ContextRejected) -> String {
        let headers = request.headers.values(of: "Authorization")
        guard headers.count == 1, headers[0].hasPrefix("Bearer ") else { throw .invalid("no bearer token") }
        return String(headers[0].dropFirst("Bearer ".count))
    }
}

private enum VerifiedContextKey: RequestKey {
    typealias Value = ContextVerifier.Verified
}

extension Request {
    /// For whom this request is made.
    ///
    /// - Throws: 401 where no ``InternalAuthentication`` (or the gateway's own) stands before the handler.
    public var principal: Principal {
        get throws {
            guard let verified = self[VerifiedContextKey.self] else {
                guard let principal = self[PrincipalKey.self] else { throw ContextRejected.invalid("no authentication") }
                return principal
            }
            return verified.principal
        }
    }

    /// Which service calls; `nil` at the gateway, whose callers are no services.
    public var callingService: ServiceName? { self[VerifiedContextKey.self]?.caller }

    /// Set by the gateway, which authenticates in its own way.
    public mutating func authenticate(as principal: Principal) { self[PrincipalKey.self] = principal }
}

private enum PrincipalKey: RequestKey {
    typealias Value = Principal
}
