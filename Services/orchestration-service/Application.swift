import Messaging
import PostgresStore
import ServiceDefaults

/// orchestration-service, put together.
enum Application: ServiceApplication {
    static let name = ServiceName.orchestrationService
    static let migrations = [
        m0001TitleGeneration, m0002WordLength, m0003Runs, m0004Vocabulary, m0005PictureAttempts, m0006SemanticSearch,
        m0007RunRetention, m0008OutboxPostponed, m0009CheapClock, m0010RunRetries, m0011ErasedTenants,
        m0012BannedWordRevisions,
    ]
    static let topology = Topology(exchanges: [.marketingEvents], queues: [.bannedWords])

    static func build(_ settings: Settings, _ runtime: ServiceRuntime) -> ServiceParts {
        let words = TenantVocabularyStore(database: runtime.database)
        let agentCenter = LiveAgentCenter(client: runtime.upstream(.agentCenter))
        let contentCenter = LiveContentCenter(client: runtime.upstream(.contentCenter))
        let titleGeneration = TitleGeneration(words: words, agentCenter: agentCenter, contentCenter: contentCenter)
        let pictures = settings.images.map {
            PictureMaking(
                images: OpenAIImageService(settings: $0, http: runtime.http, tracer: runtime.tracer),
                attempts: PictureAttemptsStore(database: runtime.database), budget: agentCenter, library: contentCenter,
                logger: runtime.logger)
        }
        let work = JobRunWork(
            flows: [
                titleGeneration,
                CopyGeneration(words: words, agentCenter: agentCenter, contentCenter: contentCenter),
                ImageTextCreation(words: words, agentCenter: agentCenter, contentCenter: contentCenter, pictures: pictures),
                PictureCompletion(contentCenter: contentCenter, pictures: pictures),
                VideoScriptGeneration(words: words, agentCenter: agentCenter, contentCenter: contentCenter),
                ContentRegeneration(words: words, agentCenter: agentCenter, contentCenter: contentCenter),
            ],
            database: runtime.database, system: runtime.system, logger: runtime.logger, metrics: runtime.metrics)
        let runs = Runs(store: RunsStore(database: runtime.database) { runtime.outbox.wake() }, work: work)
        let tenants = SemanticTenantsStore(app: runtime.database, system: runtime.system)
        let vocabulary = VocabularyStore(app: runtime.database, system: runtime.system) { runtime.outbox.wake() }
        var router = runtime.makeRouter()
        Routes.register(
            on: &router, authentication: runtime.internalAuthentication, titleGeneration: titleGeneration, runs: runs,
            vocabulary: Vocabulary(store: vocabulary),
            search: SemanticSearch(tenants: tenants, agentCenter: agentCenter, contentCenter: contentCenter),
            hasImageService: pictures != nil)
        return ServiceParts(
            router: router, consumers: Consumers.all(runtime),
            background: [
                InboxSweeper(system: runtime.system, logger: runtime.logger), work.worker,
                BannedWordsAnnouncement(store: vocabulary, logger: runtime.logger),
                RunSweeper(system: runtime.system, days: settings.runRetentionDays, logger: runtime.logger),
                SemanticIndexing(
                    tenants: tenants, agentCenter: agentCenter, contentCenter: contentCenter, logger: runtime.logger),
            ], emitsEvents: true)
    }
}

/// The roles that the migrations grant rights to.
enum DatabaseRoles {
    static let app = "orchestration_app"
    static let system = "orchestration_system"
}
