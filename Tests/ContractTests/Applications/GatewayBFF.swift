import ServiceDefaults

@testable import GatewayBFF

// A file each: some services call a type of theirs as another service's module is called.
extension Applications {
    static let gateway: any ServiceApplication.Type = Application.self
}
