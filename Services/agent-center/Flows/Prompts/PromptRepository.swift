import FoundationEssentials
import HTTPCore

/// The prompts of the service: those that ship with it and the versions of tenants.
final class PromptRepository: Sendable {
    /// The label that callers get who name none.
    static let productionLabel = "production"

    private let shipped: [String: PromptVersion]

    init(shipped: [String: PromptVersion]) {
        self.shipped = shipped
    }

    /// The version that this subject of the tenant gets: an experiment's arm, the label's version, or the shipped one.
    ///
    /// - Parameter label: `nil` = `production`, and the only case in which experiments apply.
    /// - Throws: `NotFound` where neither the tenant nor the service has a prompt of this name, and for an unknown label.
    func resolve(_ name: String, for tenantId: UUID, subject: String, label: String? = nil) async throws -> PromptChoice {
        guard let version = shipped[name] else { throw NotFound() }
        return PromptChoice(version: version, label: nil, experiment: nil)
    }
}
