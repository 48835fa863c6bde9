import HTTPCore
import ServiceDefaults

/// Prompts and the experiments on them: agent-center.
extension PublicRoutes {
    static let prompts: [PublicRoute] = []
}
