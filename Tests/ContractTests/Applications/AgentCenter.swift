import ServiceDefaults

@testable import AgentCenter

// A file each: some services call a type of theirs as another service's module is called.
extension Applications {
    static let agentCenter: any ServiceApplication.Type = Application.self
}
