import ServiceDefaults

@testable import DeliveryConnectorDouyin

// A file each: some services call a type of theirs as another service's module is called.
extension Applications {
    static let connector: any ServiceApplication.Type = Application.self
}
