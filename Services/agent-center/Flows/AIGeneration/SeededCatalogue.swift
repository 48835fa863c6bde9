import ConfigReading
import FoundationEssentials

extension ModelCatalogue {
    /// A vendor as the environment configures it.
    struct Configured: Sendable {
        let provider: Provider
        /// Asked first, then those after it.
        let models: [String]
    }

    /// What the service knows before anybody has told it anything: seed 001 §5, and the vendors' pages of October 2026.
    ///
    /// - Parameter configured: the vendors that can be called, in the order they are asked.
    static func seeded(
        _ configured: [Configured], concurrency: Int = 64, timeouts: RouteTimeouts = .standard
    ) -> ModelCatalogue {
        var models = knownModels
        for vendor in configured {
            for name in vendor.models where !models.contains(where: { $0.provider == vendor.provider.name && $0.name == name }) {
                models.append(Model(provider: vendor.provider.name, name: name, unknownOf: vendor.provider.dialect))
            }
        }
        return ModelCatalogue(
            providers: configured.map(\.provider), models: models, aliases: aliases(configured), prices: .standard,
            policies: [
                RoutingPolicy(routes: seededRoutes(configured, concurrency: concurrency, timeouts: timeouts))
            ], dormant: Set(knownModels.map(\.provider)))
    }

    /// Gives providers that were added later their place in the seeded policy, behind everybody's: until the platform lays down its own
    /// routes, `auto` asks every provider there is. Those that a route names already stay where they are.
    mutating func routeAddedProviders() {
        guard let index = policies.firstIndex(where: { $0.tenantId == nil && $0.scene == nil }) else { return }
        let named = Set(policies[index].routes.map(\.provider))
        let added = providers.filter { !named.contains($0.name) }.map { provider in
            Configured(
                provider: provider,
                models: models.filter { $0.provider == provider.name && !$0.capabilities.contains(.embeddings) }.map(\.name))
        }
        guard !added.isEmpty else { return }
        let (model, last) = (policies[index].routes.first, policies[index].routes.map(\.rank).max() ?? -1)
        policies[index].routes += Self.seededRoutes(
            added, concurrency: model?.concurrency ?? 64, timeouts: model?.timeouts ?? .standard
        ).map { route in
            var route = route
            route.rank += last + 1
            return route
        }
    }

    private static let knownModels: [Model] = [
        Model(
            provider: "deepseek", name: "deepseek-flash", capabilities: [.jsonObject, .tools, .thinking],
            contextTokens: 1_000_000),
        Model(
            provider: "deepseek", name: "deepseek-v4-pro", capabilities: [.jsonObject, .tools, .thinking],
            contextTokens: 1_000_000),
        Model(
            provider: "openai", name: "gpt-4o-mini", capabilities: [.jsonSchema, .jsonObject, .tools, .vision],
            contextTokens: 128_000),
        Model(
            provider: "openai", name: "gpt-4o", capabilities: [.jsonSchema, .jsonObject, .tools, .vision], contextTokens: 128_000),
        Model(
            provider: "openai", name: "text-embedding-3-small", capabilities: [.embeddings, .dimensions], contextTokens: 8_192,
            dimensions: 1_536),
        Model(
            provider: "openai", name: "text-embedding-3-large", capabilities: [.embeddings, .dimensions], contextTokens: 8_192,
            dimensions: 3_072),
    ]

    /// The seed's names for "that vendor's chat model" (seed 001 §5.1), and names that vendors have retired: DeepSeek's classic two on
    /// 2026-07-24 15:59 UTC (the second of them thinks),
    /// `deepseek-v4-flash` for `deepseek-flash` on 2026-09-10. We keep a retired name for a year.
    private static func aliases(_ configured: [Configured]) -> [Alias] {
        func chat(_ provider: String, _ usual: String) -> String {
            configured.first { $0.provider.name == provider }?.models.first ?? usual
        }
        let (deepseek, openai) = (chat("deepseek", "deepseek-flash"), chat("openai", "gpt-4o-mini"))
        let start = PriceTable.day(2024, 1, 1)
        let retired = PriceTable.day(2026, 7, 24).addingTimeInterval(15 * 3_600 + 59 * 60)
        let kept = retired.addingTimeInterval(365 * 86_400)
        let renamed = PriceTable.day(2026, 9, 10)
        return [
            Alias(name: "deepseek/chat", provider: "deepseek", model: deepseek, validFrom: start),
            Alias(name: "openai/chat", provider: "openai", model: openai, validFrom: start),
            Alias(name: "deepseek-chat", provider: "deepseek", model: deepseek, validFrom: retired, validUntil: kept),
            Alias(name: "deepseek/deepseek-chat", provider: "deepseek", model: deepseek, validFrom: retired, validUntil: kept),
            Alias(
                name: "deepseek-reasoner", provider: "deepseek", model: deepseek, validFrom: retired, validUntil: kept,
                thinks: true),
            Alias(
                name: "deepseek/deepseek-reasoner", provider: "deepseek", model: deepseek, validFrom: retired, validUntil: kept,
                thinks: true),
            Alias(
                name: "deepseek-v4-flash", provider: "deepseek", model: "deepseek-flash", validFrom: renamed,
                validUntil: renamed.addingTimeInterval(365 * 86_400)),
            Alias(
                name: "deepseek/deepseek-v4-flash", provider: "deepseek", model: "deepseek-flash", validFrom: renamed,
                validUntil: renamed.addingTimeInterval(365 * 86_400)),
        ]
    }

    /// Long Chinese copy prefers DeepSeek; pictures and tools prefer GPT-4o and its mini (seed 001 §5.2). Everything else in the order
    /// of the configuration.
    private static func seededRoutes(
        _ configured: [Configured], concurrency: Int, timeouts: RouteTimeouts
    ) -> [RoutingPolicy.Route] {
        func route(_ provider: String, _ model: String, _ rank: Int, _ when: RoutingPolicy.Condition) -> RoutingPolicy.Route {
            RoutingPolicy.Route(
                provider: provider, model: model, rank: rank, when: when, concurrency: concurrency, timeouts: timeouts)
        }
        var routes: [RoutingPolicy.Route] = []
        for vendor in configured {
            let name = vendor.provider.name
            guard let primary = vendor.models.first else { continue }
            switch vendor.provider.dialect {
            case .openai, .compatible:
                let needs = RoutingPolicy.Condition(needs: [.tools, .vision])
                routes.append(route(name, primary, 0, needs))
                if primary == "gpt-4o-mini" { routes.append(route(name, "gpt-4o", 1, needs)) }
                routes.append(route(name, "text-embedding-3-small", 0, .init(tasks: [.embed])))
            case .deepseek:
                routes.append(
                    route(
                        name, primary, 0,
                        .init(languages: ["zh"], tasks: [.copy, .imageText, .videoScript], minLength: longCopy)))
            }
        }
        // The first choices of all vendors before anybody's second.
        let primaries = configured.compactMap { vendor in vendor.models.first.map { (vendor.provider.name, $0) } }
        let others = configured.flatMap { vendor in vendor.models.dropFirst().map { (vendor.provider.name, $0) } }
        let notEmbeddings = Set(AITask.allCases).subtracting([.embed])
        for (index, (provider, model)) in (primaries + others).enumerated() {
            routes.append(route(provider, model, 10 + index, .init(tasks: notEmbeddings)))
        }
        return routes
    }

    /// From here on a copy counts as long: characters of the prompt or tokens asked for.
    static let longCopy = 600
}

extension ModelCatalogue.Model {
    /// A model that only the environment names: what servers of that dialect can do, as a rule.
    init(provider: String, name: String, unknownOf dialect: ChatProfile.Vendor) {
        switch dialect {
        case .openai:
            let thinks = ChatProfile(vendor: .openai, model: name).thinking == .effort
            self.init(
                provider: provider, name: name,
                capabilities: Set([.jsonSchema, .jsonObject, .tools, .vision]).union(thinks ? [.thinking] : []),
                contextTokens: 128_000)
        case .deepseek:
            self.init(
                provider: provider, name: name, capabilities: [.jsonObject, .tools, .thinking], contextTokens: 1_000_000)
        case .compatible:
            // Many take `json_schema` and do not hold to it: told in the instructions, the schema reaches the model for certain.
            self.init(provider: provider, name: name, capabilities: [.jsonObject, .tools, .vision], contextTokens: 128_000)
        }
    }
}
