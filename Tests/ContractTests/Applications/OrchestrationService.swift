import ServiceDefaults

@testable import OrchestrationService

// A file each: some services call a type of theirs as another service's module is called.
extension Applications {
    static let orchestration: any ServiceApplication.Type = Application.self
}
