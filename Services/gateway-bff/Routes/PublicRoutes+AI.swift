import HTTPCore
import ServiceDefaults

/// Pure model work without a business flow, with its budgets and what it used: agent-center.
extension PublicRoutes {
    static let ai: [PublicRoute] = []
}
