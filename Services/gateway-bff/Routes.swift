import HTTPCore
import HTTPServing
import ServiceDefaults

/// Every public route, put behind the ``Entrance`` as its line in the table says.
struct GatewayRoutes: Sendable {
    let entrance: Entrance
    let identity: IdentityRoutes
    let stream: EventStreamRoutes
    let forwarding: Forwarding

    func register(on router: inout Router) {
        for route in PublicRoutes.all {
            router.on(route.method, route.path, options: route.options, handler(for: route))
        }
    }

    private func handler(for route: PublicRoute) -> Handler {
        switch (route.access, route.target) {
        case (.member(let permission), .upstream(let upstream, let path)):
            entrance.members(route, needing: permission) {
                try await forwarding.forward($0, member: $1, to: upstream, path: path)
            }
        case (.member(let permission), .stream):
            entrance.members(route, needing: permission) { try await stream.stream($0, member: $1) }
        case (.everyone, .login): entrance.open(route) { try await identity.login($0, address: $1) }
        case (.everyone, .jwks): entrance.open(route) { try identity.jwks($0, address: $1) }
        case (.everyone, _), (.member, _):
            preconditionFailure("\(route.method) \(route.path): this target needs the other access")
        }
    }
}

/// The gateway's table of contents, in the order of `openapi/gateway-bff.yaml`. It drives authentication, permissions, limits,
/// idempotency and forwarding; a test compares it with the document.
enum PublicRoutes {
    static let all: [PublicRoute] = identity + titles + contents + stream

    static let identity = [
        PublicRoute(
            method: .get, path: "/.well-known/jwks.json", flow: "Identity", access: .everyone, target: .jwks, rateClass: .read),
        PublicRoute(
            method: .post, path: "/api/auth/login", flow: "Identity", access: .everyone, target: .login, rateClass: .signIn,
            deadline: .seconds(10), maximumBodyBytes: 4 * 1024),
    ]

    static let titles = [
        PublicRoute(
            method: .post, path: "/api/titles", flow: "TitleGeneration", access: .member(.generateTitles),
            target: .upstream(.orchestrationService, path: "/v1/titles"), rateClass: .generate, idempotency: .optional)
    ]

    static let contents = [
        PublicRoute(
            method: .get, path: "/api/contents", flow: "Contents", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/contents"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/contents/{id}", flow: "Contents", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/contents/{id}"), rateClass: .read),
        PublicRoute(
            method: .patch, path: "/api/contents/{id}", flow: "Contents", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/contents/{id}"), rateClass: .write),
        PublicRoute(
            method: .get, path: "/api/contents/{id}/versions", flow: "Contents", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/contents/{id}/versions"), rateClass: .read),
    ]

    static let stream = [
        PublicRoute(
            method: .get, path: "/api/stream", flow: "EventStream", access: .member(.readStream), target: .stream,
            rateClass: .stream)
    ]
}
