import ConcurrencySupport
import DTO
import FoundationEssentials

// The catalogue as it is shown, and settings as the catalogue holds them. Keys are never shown.

extension ModelCatalogueView {
    init(_ catalogue: ModelCatalogue, tenantId: UUID, at instant: Date = Date()) {
        self.init(
            providers: catalogue.providers.map {
                ModelProvider(
                    name: $0.name, dialect: $0.dialect.rawValue, baseUrl: $0.baseURL, usesTenantKey: $0.ownedBy == tenantId)
            },
            models: catalogue.models.map {
                CatalogueModel(
                    provider: $0.provider, name: $0.name, capabilities: $0.capabilities.map(\.rawValue).sorted(),
                    contextTokens: $0.contextTokens, dimensions: $0.dimensions,
                    hasPrice: catalogue.prices.price(provider: $0.provider, model: $0.name, at: instant) != nil)
            },
            aliases: catalogue.aliases.map(ModelAlias.init),
            prices: catalogue.prices.entries.flatMap { entry in entry.models.map { ModelPrice(entry, model: $0) } },
            policies: catalogue.policies.map {
                RoutingPolicyView(
                    scene: $0.scene ?? RoutingPolicy.everyScene, isOwn: $0.tenantId == tenantId,
                    routes: $0.routes.map(RouteSetting.init))
            })
    }
}

extension ModelAlias {
    init(_ alias: ModelCatalogue.Alias) {
        self.init(
            id: alias.id, name: alias.name, provider: alias.provider, model: alias.model, validFrom: alias.validFrom,
            validUntil: alias.validUntil, thinks: alias.thinks)
    }
}

extension ModelPrice {
    init(_ entry: PriceTable.Entry, model: String) {
        self.init(
            provider: entry.provider, model: model, validFrom: entry.validFrom, rates: TokenRates(entry.rates),
            peakRates: entry.peakRates.map(TokenRates.init), peakHours: entry.peakHours.map(PeakHours.init),
            source: entry.source)
    }
}

extension PeakHours {
    init(_ hours: BusyHours) {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        func time(_ minute: Int) -> String { "\(two(minute / 60)):\(two(minute % 60))" }
        self.init(
            zone: hours.zone, days: BusyHours.Day.allCases.filter(hours.days.contains).map(\.rawValue),
            ranges: hours.spans.map { PeakRange(from: time($0.from), until: time($0.until)) },
            except: hours.except.sorted().map { day in
                let date = CivilTime(secondsSince1970: day * 86_400)
                return "\(date.year)-\(two(date.month))-\(two(date.day))"
            })
    }
}

extension BusyHours {
    /// As the database keeps them.
    init(_ hours: PeakHours, offsets: ZoneOffsets) {
        self.init(
            zone: hours.zone, offsets: offsets, days: Set(hours.days.compactMap(Day.init)),
            spans: hours.ranges.compactMap { range in
                guard let from = PeakHours.minute(range.from), let until = PeakHours.minute(range.until) else { return nil }
                return Span(from: from, until: until)
            }, except: Set((hours.except ?? []).compactMap(PeakHours.day)))
    }
}

extension TokenRates {
    init(_ rates: PriceTable.Rates) {
        self.init(
            promptNano: String(rates.prompt), cachedPromptNano: String(rates.cachedPrompt),
            completionNano: String(rates.completion), imageNano: rates.image.map { String($0) })
    }
}

extension RoutingPolicy {
    /// How a policy for every scene is named in addresses and rows.
    static let everyScene = "*"
}

extension RouteSetting {
    init(_ route: RoutingPolicy.Route) {
        func list(_ values: [String]) -> [String]? { values.isEmpty ? nil : values.sorted() }
        self.init(
            provider: route.provider, model: route.model, rank: route.rank, weight: route.weight,
            languages: list(Array(route.when.languages)), tasks: list(route.when.tasks.map(\.rawValue)),
            needs: list(route.when.needs.map(\.rawValue)), minLength: route.when.minLength, maxLength: route.when.maxLength,
            concurrency: route.concurrency, connectTimeoutMs: Int(route.timeouts.connect.milliseconds),
            firstTokenTimeoutMs: Int(route.timeouts.firstToken.milliseconds),
            idleTimeoutMs: Int(route.timeouts.idle.milliseconds), totalTimeoutMs: Int(route.timeouts.total.milliseconds))
    }
}

extension RoutingPolicy.Route {
    init(_ setting: RouteSetting) {
        let usual = RouteTimeouts.standard
        func time(_ value: Int?, _ usual: Duration) -> Duration { value.map { .milliseconds($0) } ?? usual }
        self.init(
            provider: setting.provider, model: setting.model, rank: setting.rank ?? 0, weight: setting.weight ?? 1,
            when: RoutingPolicy.Condition(
                languages: Set(setting.languages ?? []), tasks: Set((setting.tasks ?? []).compactMap(AITask.init)),
                needs: Set((setting.needs ?? []).compactMap(ModelCapability.init)), minLength: setting.minLength,
                maxLength: setting.maxLength),
            concurrency: setting.concurrency ?? 64,
            timeouts: RouteTimeouts(
                connect: time(setting.connectTimeoutMs, usual.connect),
                firstToken: time(setting.firstTokenTimeoutMs, usual.firstToken),
                idle: time(setting.idleTimeoutMs, usual.idle), total: time(setting.totalTimeoutMs, usual.total)))
    }
}
