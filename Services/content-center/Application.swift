import Messaging
import PostgresStore
import ServiceDefaults

/// content-center, put together.
enum Application: ServiceApplication {
    static let name = ServiceName.contentCenter
    static let migrations = [m0001Contents, m0002ContentKinds]
    static let topology = Topology(queues: [.contentActivity])

    static func build(_ settings: Settings, _ runtime: ServiceRuntime) -> ServiceParts {
        let contents = Contents(store: ContentsStore(database: runtime.database) { runtime.outbox.wake() })
        var router = runtime.makeRouter()
        Routes.register(
            on: &router, authentication: runtime.internalAuthentication, contents: contents,
            assets: Assets(store: AssetsStore(database: runtime.database)))
        return ServiceParts(router: router, emitsEvents: true)
    }
}

/// The roles that the migrations grant rights to.
enum DatabaseRoles {
    static let app = "content_app"
    static let system = "content_system"
}
