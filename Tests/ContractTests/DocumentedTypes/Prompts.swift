import DTO
import HTTPCore

/// Prompts and experiments: agent-center.
extension DocumentedTypes {
    static let prompts: Types = [:]
}
