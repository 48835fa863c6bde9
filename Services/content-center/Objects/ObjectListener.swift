import HTTPCore
import HTTPServing
import Lifecycle
import Observability
import ServiceDefaults

/// The second, public listener (design §9): signed URLs and sealed passes, and nothing else, on a port and with limits of its own.
struct ObjectListener: Service {
    let server: HTTPServer
    let router: Router
    let objects: LocalObjectStore
    private let logger: Logger

    init(
        settings: Settings, objects: LocalObjectStore, signer: ObjectSigner, media: MediaJobs, runtime: ServiceRuntime
    ) {
        self.objects = objects
        logger = runtime.logger
        router = Self.router(objects: objects, signer: signer, media: media, runtime: runtime)
        server = HTTPServer(
            configuration: .init(host: settings.objectHost, port: settings.objectPort, bufferBytes: 32 * 1024),
            router: router, logger: runtime.logger)
    }

    /// No health, no metrics, no tokens: what is public is kept small. The requests are counted apart from those of the routes.
    private static func router(
        objects: LocalObjectStore, signer: ObjectSigner, media: MediaJobs, runtime: ServiceRuntime
    ) -> Router {
        var router = Router(
            entrance: .publicCalls, logger: runtime.logger, tracer: runtime.tracer, answerHeaders: ObjectRoutes.answerHeaders)
        router.use(ObjectMetrics(runtime.metrics))
        ObjectRoutes(objects: objects, signer: signer).register(on: &router)
        router.on(
            .get, "/hls/{playlist}", options: RouteOptions(deadline: .seconds(20), flow: "MediaJobs"),
            MediaJobsRoutes(jobs: media).openPlaylist)
        return router
    }

    func run() async throws {
        do { try await objects.prepare() } catch {
            // Everything but uploads works without.
            logger.error("the object folder cannot be used", ["error": "\(error)"])
        }
        try await server.run()
    }
}
