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
        let routing = routing(settings, runtime)
        let budgets = BudgetStore(database: runtime.database)
        var models = AIGeneration(
            routing: routing, metrics: GenerationMetrics(runtime.metrics), logger: runtime.logger)
        models.limitsMoney = { try await budgets.limitsMoney(of: $0) }
        let catalogue = CatalogueDesk(
            store: CatalogueStore(app: runtime.database, system: runtime.system), holder: routing.catalogue,
            keys: settings.dataKeys, logger: runtime.logger)
        let desk = UsageDesk(store: PostgresUsageStore(database: runtime.database, currency: models.currency))
        let others = PostgresUsageStore(database: runtime.database, forOthers: true, currency: models.currency)
        let holds = SpendingHolds(
            store: others, lanes: UsageLanes(store: others), kept: HeldSpendingStore(database: runtime.database),
            prices: { routing.catalogue.current(for: $0).prices }, limitsMoney: models.limitsMoney)
        let keeper = LedgerKeeper(
            store: LedgerKeeperStore(app: runtime.database, system: runtime.system), metrics: runtime.metrics,
            logger: runtime.logger)
        let promptStore = PromptStore(app: runtime.database, system: runtime.system)
        let prompts = PromptRepository(shipped: ShippedPrompts.all, store: promptStore, logger: runtime.logger)
        let generation = TextGeneration(
            models: models, desk: desk, prompts: prompts,
            bannedWords: TenantBannedWords(store: BannedWordsStore(database: runtime.database)),
            metrics: TextGenerationMetrics(runtime.metrics))
        let conversations = Conversation(models: models, desk: desk, metrics: ConversationMetrics(runtime.metrics))
        let bannedWords = BannedWordLists()
        let titles = TitleGeneration(
            models: models, desk: desk, prompts: prompts, metrics: TitleMetrics(runtime.metrics), bannedWords: bannedWords)
        let writing = TextWriting(
            models: models, desk: desk, prompts: prompts, metrics: TextMetrics(runtime.metrics), bannedWords: bannedWords)

        let embeddingsStore = EmbeddingsStore(app: runtime.database, system: runtime.system)
        let (http, tracer) = (runtime.http, runtime.tracer)
        var embeddings = Embeddings(
            routing: routing,
            makeModel: { provider, model, timeouts in
                VendorEmbeddings(
                    provider: provider.name, model: model.name, baseURL: provider.baseURL, key: provider.key, timeouts: timeouts,
                    http: http, tracer: tracer)
            }, desk: desk, cache: embeddingsStore, calls: models.metrics,
            metrics: EmbeddingMetrics(runtime.metrics), logger: runtime.logger)
        embeddings.limitsMoney = models.limitsMoney

        let routes = routing.configuredRoutes()
        runtime.logger.info("model routes", ["routes": routes.map(\.name).joined(separator: ", ")])
        // Soft: without any model the templates still answer.
        for route in routes {
            runtime.health.add("model:\(route.name)", isHard: false) { if let rest = route.rest { throw rest } }
        }

        var router = runtime.makeRouter()
        Routes(
            titles: TitleGenerationRoutes(flow: titles),
            generate: GenerateRoutes(flow: generation, embeddings: EmbeddingsRoutes(embeddings: embeddings)),
            conversations: ConversationRoutes(flow: conversations),
            copies: CopyGenerationRoutes(flow: CopyGeneration(writing: writing)),
            imageTexts: ImageTextCreationRoutes(flow: ImageTextCreation(writing: writing)),
            videoScripts: VideoScriptGenerationRoutes(flow: VideoScriptGeneration(writing: writing)),
            catalogue: CatalogueRoutes(desk: catalogue),
            embeddings: EmbeddingsRoutes(embeddings: embeddings), modelList: ModelListRoutes(holder: routing.catalogue),
            holds: SpendingHoldsRoutes(holds: holds), budgets: BudgetRoutes(budgets: budgets, currency: models.currency),
            usage: UsageRoutes(
                store: UsageReportStore(database: runtime.database), budgets: budgets, currency: models.currency),
            prompts: PromptRoutes(prompts: Prompts(repository: prompts, store: promptStore)),
            experiments: ExperimentRoutes(
                experiments: Experiments(
                    store: ExperimentStore(app: runtime.database), repository: prompts, logger: runtime.logger)),
            authentication: runtime.internalAuthentication
        ).register(on: &router)
        return ServiceParts(
            router: router, consumers: Consumers.all(runtime),
            background: [desk, catalogue, prompts, keeper, EmbeddingsSweeper(store: embeddingsStore, logger: runtime.logger)])
    }

    private static func routing(_ settings: Settings, _ runtime: ServiceRuntime) -> Routing {
        let (http, tracer, streams) = (runtime.http, runtime.tracer, settings.streamsModels)
        let seeded = ModelCatalogue.seeded(
            settings.vendors, concurrency: settings.modelConcurrency, timeouts: settings.timeouts)
        return Routing(catalogue: CatalogueHolder(seeded)) { provider, model, timeouts in
            ChatCompletions(
                endpoint: .init(
                    profile: ChatProfile(vendor: provider.dialect, model: model.name), model: model.name,
                    baseURL: provider.baseURL, key: provider.key, timeouts: timeouts, streams: streams),
                http: http, tracer: tracer)
        }
    }
}
