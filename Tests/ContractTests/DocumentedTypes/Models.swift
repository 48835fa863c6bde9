import DTO
import HTTPCore

/// Model calls, budgets and what was used: agent-center.
extension DocumentedTypes {
    static let models: Types = [:]
}
