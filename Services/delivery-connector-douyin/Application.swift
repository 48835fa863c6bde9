import PostgresStore
import ServiceDefaults

/// delivery-connector-douyin, put together. Its flows join in `Routes.swift` and `Consumers.swift` as they come.
enum Application: ServiceApplication {
    static let name = ServiceName.deliveryConnectorDouyin
    static let migrations = [m0001Platform, m0002OutboxPostponed, m0003CheapClock]

    static func build(_ settings: Settings, _ runtime: ServiceRuntime) -> ServiceParts {
        ServiceParts(router: runtime.makeRouter())
    }
}

/// The roles that the migrations grant rights to.
enum DatabaseRoles {
    static let app = "connector_app"
    static let system = "connector_system"
}
