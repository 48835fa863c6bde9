import ServiceDefaults

@testable import ContentCenter

// A file each: some services call a type of theirs as another service's module is called.
extension Applications {
    static let contentCenter: any ServiceApplication.Type = Application.self
}
