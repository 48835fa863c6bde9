import ConcurrencySupport
public import HTTPCore
import HTTPServing
import Messaging
import Observability
import PostgresStore

/// Around every handler of every service: failures of the database and the broker become 503 with `Retry-After`, and upstreams learn the
/// caller's language.
struct ServiceMiddleware: Middleware {
    let logger: Logger

    func respond(to request: Request, next: @escaping Handler) async throws -> Response {
        try await CallerLanguage.$current.withValue(request.language) {
            do {
                return try await next(request)
            } catch {
                guard let failure = DependencyFailure.failure(for: error) else { throw error }
                logger.warning("dependency failed", ["error": "\(error)", "path": request.path])
                throw failure
            }
        }
    }
}

/// Which errors of our own parts say "later": nothing is wrong with the request.
public enum DependencyFailure {
    /// - Returns: 503 `dependency.unavailable`, 504 `deadline_exceeded`, or `nil` for an error that says something else.
    public static func failure(for error: any Error) -> (any HTTPFailure)? {
        switch error {
        case let error as PostgresError where error.isConnectionLoss || error.isSerializationFailure: Unavailable()
        case let error as PostgresError where error.isQueryCancelled: DeadlinePassed()
        case is PoolTimeout, is DatabaseClosed: Unavailable()
        case let error as PublishFailure: failure(for: error)
        case is BrokerFailure: Unavailable()
        case is BlockingPool.Overloaded, is BlockingPool.Stopped: Unavailable()
        default: nil
        }
    }

    private static func failure(for error: PublishFailure) -> (any HTTPFailure)? {
        switch error {
        case .brokerUnavailable, .unconfirmed, .overloaded, .stopped, .refused: Unavailable()
        case .unroutable: nil
        }
    }
}
