import Cryptography
import FoundationEssentials
import HTTPServing
import Lifecycle
import Messaging
import PostgresStore
import ServiceDefaults

/// The composition root: stores → flows → routes and consumers.
enum Application: ServiceApplication {
    static let name = ServiceName.gatewayBFF
    static let migrations: [Migration] = [.m0001CreateGateway, .m0002APIKeys, .m0003CheapClock, .m0004ErasedTenants]
    static let topology = Topology(queues: [GatewayConsumers.streamQueue])
    static let commands = [
        ExtraCommand<Settings>(
            "seed-demo", summary: "make two demo tenants (DEMO_EMAIL, DEMO_PASSWORD, DEMO2_…; OWNER_DATABASE_URL)"
        ) {
            _, runtime, _ in try await DemoSeed.run(runtime)
        },
        ExtraCommand<Settings>(
            "create-tenant",
            summary: "make a tenant: create-tenant <name> <owner's e-mail> (TENANT_OWNER_PASSWORD or stdin; OWNER_DATABASE_URL)"
        ) {
            _, runtime, arguments in try await TenantCreationStore.run(runtime, arguments)
        },
        ExtraCommand<Settings>(
            "create-administrator",
            summary:
                "make a platform administrator: create-administrator <e-mail> (ADMINISTRATOR_PASSWORD or stdin; OWNER_DATABASE_URL)"
        ) {
            _, runtime, arguments in try await AdministratorStore.run(runtime, arguments)
        },
    ]

    static func build(_ settings: Settings, _ runtime: ServiceRuntime) async throws -> ServiceParts {
        let instanceId = UUID.version7()
        let limits = RateLimits(policies: .standard(scale: settings.rateLimitScale))
        let ledger = WriteLedger(database: runtime.database, instanceId: instanceId)
        let tokens = AccessTokens(
            issuer: settings.publicURL, key: settings.accessTokenKey, lifetime: settings.accessTokenLifetime)
        let streamStore = EventStreamStore(app: runtime.database, system: runtime.system)
        let hub = EventStreamHub(
            store: streamStore, limits: .standard(scale: settings.rateLimitScale), logger: runtime.logger,
            metrics: runtime.metrics)

        let keyStore = APIKeysStore(app: runtime.database, system: runtime.system)
        let keyDirectory = APIKeyDirectory(store: keyStore, logger: runtime.logger)

        let addressRule = ClientAddressRule(trustedProxies: settings.trustedProxies)
        let routes = GatewayRoutes(
            entrance: Entrance(
                limits: limits, addressRule: addressRule, tokens: tokens, keys: keyDirectory, ledger: ledger,
                logger: runtime.logger),
            identity: IdentityRoutes(
                identity: Identity(users: IdentityStore(system: runtime.system), hasher: PasswordHasher(), tokens: tokens),
                limits: limits, ledger: ledger, logger: runtime.logger),
            apiKeys: APIKeysRoutes(keys: APIKeys(store: keyStore, directory: keyDirectory)),
            stream: EventStreamRoutes(store: streamStore, hub: hub),
            forwarding: Forwarding(upstream: runtime.upstream))
        var router = runtime.makeRouter(
            entrance: .publicCalls, answerHeaders: SecurityHeaders.all, refusing: OpenAIEnvelope.refusal)
        router.use(AccessLog(logger: runtime.logger, addressRule: addressRule))
        router.use(LimitBeforeRoutes(limits: limits, addressRule: addressRule, routes: PublicRoutes.all))
        routes.register(on: &router)

        return ServiceParts(
            router: router,
            consumers: [GatewayConsumers.stream(runtime, store: streamStore, hub: hub)],
            background: [
                hub, keyDirectory, InstanceHeartbeat(instanceId: instanceId, database: runtime.database, logger: runtime.logger),
                Sweeper(system: runtime.system, logger: runtime.logger),
            ])
    }
}
