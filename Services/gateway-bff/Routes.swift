import HTTPCore
import HTTPServing
import ServiceDefaults

/// Every public route, put behind the ``Entrance`` as its line in the table says.
struct GatewayRoutes: Sendable {
    let entrance: Entrance
    let identity: IdentityRoutes
    let apiKeys: APIKeysRoutes
    let stream: EventStreamRoutes
    let forwarding: Forwarding

    func register(on router: inout Router) {
        for route in PublicRoutes.all {
            router.on(route.method, route.path, options: route.options, handler(for: route))
        }
    }

    private func forwardingHandler(
        _ route: PublicRoute, needing permission: Permission, to upstream: ServiceName, path: TargetPath
    ) -> Handler {
        entrance.members(route, needing: permission) {
            try await forwarding.forward($0, member: $1, to: upstream, path: path, route: route)
        }
    }

    private func handler(for route: PublicRoute) -> Handler {
        switch (route.access, route.target) {
        case (.member(let permission), .upstream(let upstream, let path)):
            forwardingHandler(route, needing: permission, to: upstream, path: TargetPath(path))
        case (.member(let permission), .stream):
            entrance.members(route, needing: permission) { request, member in
                try request.refuseParameters()
                return try await stream.stream(request, member: member) { await entrance.isStillGood(request) }
            }
        case (.member(let permission), .apiKeys(let action)):
            entrance.members(route, needing: permission) {
                if action != .list { try $0.refuseParameters() }
                return switch action {
                case .create: try await apiKeys.create($0, member: $1)
                case .list: try await apiKeys.list($0, member: $1)
                case .show: try await apiKeys.show($0, member: $1)
                case .revoke: try await apiKeys.revoke($0, member: $1)
                }
            }
        case (.everyone, .login):
            entrance.open(route) {
                try $0.refuseParameters()
                return try await identity.login($0, address: $1)
            }
        case (.everyone, .jwks):
            entrance.open(route) {
                try $0.refuseParameters()
                return try identity.jwks($0, address: $1)
            }
        case (.everyone, _), (.member, _):
            preconditionFailure("\(route.method) \(route.path): this target needs the other access")
        }
    }
}
