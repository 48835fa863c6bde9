import HTTPServing
import Lifecycle
import ServiceDefaults

@testable import ContentCenter

// A file each: some services call a type of theirs as another service's module is called.
extension Applications {
    static let contentCenter: any ServiceApplication.Type = Application.self

    /// The second listener's routes, where the service is that listener.
    static func objectListener(_ service: any Service) -> Router? { (service as? ObjectListener)?.router }
}
