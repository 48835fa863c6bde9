import ConcurrencySupport
import ConfigReading
import FoundationEssentials

/// Decides which routes a call takes. Routes live on between calls, with their circuits and places, also when the catalogue changes.
final class Routing: Sendable {
    typealias ModelFactory =
        @Sendable (ModelCatalogue.Provider, ModelCatalogue.Model, RouteTimeouts) -> any ChatModel

    private struct RouteKey: Hashable {
        let provider: String
        let baseURL: String
        let key: String
        let model: String
        let concurrency: Int
        let timeouts: RouteTimeouts
    }

    let catalogue: CatalogueHolder
    private let makeModel: ModelFactory
    private let routes = Lock<[RouteKey: ModelRoute]>([:])

    init(catalogue: CatalogueHolder, makeModel: @escaping ModelFactory) {
        self.catalogue = catalogue
        self.makeModel = makeModel
    }

    /// The routes for the call, in the order they are asked.
    ///
    /// - Parameters:
    ///   - length: the larger of the prompt's characters and the tokens asked for.
    ///   - draw: 0..<1; chooses among routes of equal rank.
    func plan(for call: ModelCall, length: Int, at instant: Date, draw: () -> Double = { .random(in: 0..<1) }) -> RoutePlan {
        let catalogue = catalogue.current(for: call.tenantId)
        let policy = catalogue.policies.compactMap { policy in policy.fit(call).map { (policy, $0) } }.max { $0.1 < $1.1 }?.0
        let candidates = (policy?.routes ?? []).filter { $0.when.holds(for: call, length: length) }
        var ordered: [RoutingPolicy.Route] = []
        for rank in Set(candidates.map(\.rank)).sorted() {
            ordered += Self.weighted(candidates.filter { $0.rank == rank }, draw: draw)
        }
        var note: String?
        if call.model != ModelNames.auto {
            let named = catalogue.model(named: call.model, at: instant)
            if let named, catalogue.provider(named.provider) != nil {
                let own = (policy?.routes ?? []).first { $0.provider == named.provider && $0.model == named.name }
                let settings = own ?? policy?.routes.first
                ordered.insert(
                    RoutingPolicy.Route(
                        provider: named.provider, model: named.name, rank: .min, concurrency: settings?.concurrency ?? 64,
                        timeouts: settings?.timeouts ?? .standard), at: 0)
                // Another model answers in its place: that is said, and not passed off as what was asked for.
                if !named.serves(call) { note = "指定的模型 \(call.model) 不适用于本次调用，已改用其他模型" }
            } else {
                note = "指定的模型 \(call.model) 未配置，已改用其他模型"
            }
        }
        var seen: Set<String> = []
        var isAnyThere = false
        var ranks: [Int] = []
        let plan = ordered.compactMap { entry -> ModelRoute? in
            guard let provider = catalogue.provider(entry.provider), seen.insert("\(entry.provider)/\(entry.model)").inserted
            else { return nil }
            // Disabled, or taken away after the policy was written.
            guard let model = catalogue.model(entry.model, of: entry.provider) else { return nil }
            isAnyThere = true
            guard model.serves(call), ChatProfile(vendor: provider.dialect, model: model.name).takes(call.parameters) else {
                return nil
            }
            ranks.append(entry.rank)
            return route(provider, model, entry)
        }
        var absence: RouteAbsence?
        if plan.isEmpty {
            absence = catalogue.providers.isEmpty ? .noKey : ordered.isEmpty || isAnyThere ? .unsuited : .gone
        }
        return RoutePlan(
            routes: plan, note: note, absence: absence, prices: catalogue.prices,
            firstChoices: ranks.prefix { $0 == ranks.first }.count)
    }

    /// In the order of a draw without replacement, by weight.
    private static func weighted(_ routes: [RoutingPolicy.Route], draw: () -> Double) -> [RoutingPolicy.Route] {
        var rest = routes
        var ordered: [RoutingPolicy.Route] = []
        while rest.count > 1 {
            let total = rest.reduce(0) { $0 + max(0, $1.weight) }
            guard total > 0 else { break }
            var mark = Int(draw() * Double(total))
            let index = rest.firstIndex { route in
                mark -= max(0, route.weight)
                return mark < 0
            }
            ordered.append(rest.remove(at: index ?? rest.count - 1))
        }
        return ordered + rest
    }

    private func route(
        _ provider: ModelCatalogue.Provider, _ model: ModelCatalogue.Model, _ entry: RoutingPolicy.Route
    ) -> ModelRoute {
        let key = RouteKey(
            provider: provider.name, baseURL: provider.baseURL, key: provider.key.exposed, model: model.name,
            concurrency: entry.concurrency, timeouts: entry.timeouts)
        return routes.withLock { routes in
            if let route = routes[key] { return route }
            let route = ModelRoute(
                provider: provider.name, modelName: model.name, model: makeModel(provider, model, entry.timeouts),
                concurrency: entry.concurrency, capabilities: model.capabilities, timeouts: entry.timeouts)
            routes[key] = route
            return route
        }
    }

    /// Whether a caller may ask for this model.
    func knows(_ name: String, for tenantId: UUID, at instant: Date = Date()) -> Bool {
        name == ModelNames.auto || catalogue.current(for: tenantId).model(named: name, at: instant) != nil
    }

    /// The routes of the common policies, for the health page.
    func configuredRoutes() -> [ModelRoute] {
        let catalogue = catalogue.common
        var seen: Set<String> = []
        return catalogue.policies.filter { $0.tenantId == nil }.flatMap(\.routes).compactMap { entry in
            guard let provider = catalogue.provider(entry.provider), let model = catalogue.model(entry.model, of: entry.provider),
                seen.insert(model.fullName).inserted
            else { return nil }
            return route(provider, model, entry)
        }
    }
}

extension ModelCatalogue.Model {
    /// Whether it has all that the call cannot do without. A model of vectors writes no texts, and one of texts makes no vectors.
    func serves(_ call: ModelCall) -> Bool {
        call.needs.allSatisfy { !$0.isIndispensable || capabilities.contains($0) }
            && capabilities.contains(.embeddings) == (call.task == .embed)
    }
}

/// Which routes are asked, in which order, and for how long.
struct RoutePlan: Sendable {
    private(set) var routes: [ModelRoute]
    /// Why the first of them is not what the caller asked for, if so.
    private(set) var note: String?
    /// Why there are no routes.
    private(set) var absence: RouteAbsence?
    let prices: PriceTable
    /// So many of the routes might as well have been drawn first.
    private(set) var firstChoices: Int
    /// The most that the first attempt can cost, in 1e-9 of the catalogue's currency; 0 where no route leads anywhere.
    private(set) var worstCase: Int64 = 0
    /// The same, had the cheapest of the first choices been drawn.
    private(set) var leastCase: Int64 = 0

    func hasUnpriced(at instant: Date) -> Bool { routes.contains { !prices.hasPrice(of: $0, at: instant) } }

    /// Without the models that have no price: money limits the call.
    func withPrices(at instant: Date, for call: ModelCall) -> RoutePlan {
        let isPriced = routes.map { prices.hasPrice(of: $0, at: instant) }
        guard isPriced.contains(false) else { return self }
        var plan = self
        plan.routes = zip(routes, isPriced).filter(\.1).map(\.0)
        // Where all first choices have gone, the one behind them is the only one known to come first.
        plan.firstChoices = max(isPriced.prefix(firstChoices).count { $0 }, min(1, plan.routes.count))
        if plan.routes.isEmpty {
            plan.absence = .unpriced
        } else if call.model != ModelNames.auto, note == nil, isPriced.first == false {
            plan.note = "指定的模型 \(call.model) 没有价格，而适用的预算限制金额，已改用其他模型"
        }
        return plan
    }

    /// The same for a question with a price.
    func priced(for question: ChatRequest) -> RoutePlan {
        func cost(_ route: ModelRoute) -> Int64 {
            question.held(to: .strictest(of: route.capabilities)).mostCost(on: route, prices)
        }
        var plan = self
        let awake = routes.enumerated().filter { $0.element.rest == nil }
        plan.worstCase = awake.first.map { cost($0.element) } ?? 0
        plan.leastCase = awake.filter { $0.offset < firstChoices }.map { cost($0.element) }.min() ?? plan.worstCase
        return plan
    }

    /// A route that is not the last leaves two fifths of the time to those behind it.
    static func budget(remaining: Duration, isLast: Bool) -> Duration { isLast ? remaining : remaining * 3 / 5 }
}

/// Why a call has no route.
enum RouteAbsence: Sendable, Equatable {
    /// No provider can be called.
    case noKey
    /// The models that the policy names are disabled, or have been taken away.
    case gone
    /// There are models, and none that the policy has for this call can do what it needs.
    case unsuited
    /// A budget limits money, and none of the models has a price.
    case unpriced

    var chineseReason: String {
        switch self {
        case .noKey: "未配置任何模型密钥"
        case .gone: "策略中的模型均已停用或不存在"
        case .unsuited: "策略中没有适用于本次调用的模型"
        case .unpriced: "适用的预算限制金额，而策略中的模型没有价格"
        }
    }
}
