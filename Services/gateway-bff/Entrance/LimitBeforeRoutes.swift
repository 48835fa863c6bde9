import HTTPCore
import HTTPServing

/// The address's limit for what no route's ``Entrance`` will see: unknown paths, other methods, malformed queries, what is too large.
/// Else a stranger could send such without end, and be told nothing of a limit.
struct LimitBeforeRoutes: Middleware {
    let limits: RateLimits
    let addressRule: ClientAddressRule
    private let classes: [String: PublicRoute.RateClass]

    init(limits: RateLimits, addressRule: ClientAddressRule, routes: [PublicRoute]) {
        self.limits = limits
        self.addressRule = addressRule
        classes = routes.reduce(into: [:]) { $0[Self.name($1.method, $1.path)] = $1.rateClass }
    }

    func respond(to request: Request, next: @escaping Handler) async throws -> Response {
        // Nearly all reach one, and that takes from the bucket itself.
        guard !request.reachesItsRoute else { return try await next(request) }
        let standing = limits.takeForAddress(addressRule.address(of: request), class: rateClass(of: request))
        do {
            try Entrance.admit(standing)
            var response = try await next(request)
            Entrance.add(standing, to: &response.headers)
            return response
        } catch {
            throw Entrance.withStanding(standing, error)
        }
    }

    /// The route's where there is one, so that nobody guesses passwords or asks models at another budget's cost.
    private func rateClass(of request: Request) -> PublicRoute.RateClass {
        let known = request.route.flatMap { classes[Self.name($0.method, $0.pattern)] }
        return known ?? (request.method.isSafe ? .read : .write)
    }

    private static func name(_ method: HTTPMethod, _ pattern: String) -> String { "\(method.rawValue) \(pattern)" }
}
