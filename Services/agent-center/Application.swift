import HTTPCalling
import HTTPServing
import Observability
import PostgresStore
import ServiceDefaults

/// agent-center: every model call of the platform.
enum Application: ServiceApplication {
    static let name = ServiceName.agentCenter
    static let migrations = AgentCenterMigrations.all

    static func build(_ settings: Settings, _ runtime: ServiceRuntime) async throws -> ServiceParts {
        let models = AIGeneration(
            routes: routes(settings, runtime), prices: .standard, metrics: GenerationMetrics(runtime.metrics),
            logger: runtime.logger)
        let desk = UsageDesk(store: UsageLedgerStore(database: runtime.database))
        let titles = TitleGeneration(models: models, desk: desk, metrics: TitleMetrics(runtime.metrics))

        runtime.logger.info("model routes", ["routes": models.routes.map(\.name).joined(separator: ", ")])
        // Soft: without any model the templates still answer.
        for route in models.routes { runtime.health.add("model:\(route.name)", isHard: false) { try route.checkOpen() } }

        var router = runtime.makeRouter()
        Routes(titles: TitleGenerationRoutes(flow: titles), authentication: runtime.internalAuthentication).register(on: &router)
        return ServiceParts(router: router, background: [desk])
    }

    private static func routes(_ settings: Settings, _ runtime: ServiceRuntime) -> [ModelRoute] {
        settings.models.map { model in
            ModelRoute(
                provider: model.vendor.rawValue, modelName: model.name,
                model: ChatCompletions(
                    endpoint: .init(
                        profile: ChatProfile(vendor: model.vendor, model: model.name), model: model.name, baseURL: model.baseURL,
                        key: model.key, timeouts: settings.timeouts, streams: settings.streamsModels),
                    http: runtime.http, tracer: runtime.tracer),
                concurrency: settings.modelConcurrency)
        }
    }
}
