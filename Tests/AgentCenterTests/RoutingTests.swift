import ConcurrencySupport
import ConfigReading
import FoundationEssentials
import HTTPCore
import TestSupport
import Testing

@testable import AgentCenter

/// Models of a made-up house, whose routes are asked as the tests lay them out.
private enum House {
    typealias Route = RoutingPolicy.Route

    static let provider = ModelCatalogue.Provider(
        name: "house", dialect: .openai, baseURL: "http://house", key: Secret("none"))
    static let start = PriceTable.day(2026, 1, 1)

    static func model(_ name: String, _ capabilities: Set<ModelCapability> = [.jsonObject]) -> ModelCatalogue.Model {
        .init(provider: "house", name: name, capabilities: capabilities, contextTokens: 100_000)
    }

    static func route(
        _ model: String, rank: Int = 0, weight: Int = 1, when: RoutingPolicy.Condition = .init(), concurrency: Int = 64
    ) -> Route {
        Route(provider: "house", model: model, rank: rank, weight: weight, when: when, concurrency: concurrency)
    }

    static func catalogue(
        _ routes: [Route], models: [ModelCatalogue.Model]? = nil, aliases: [ModelCatalogue.Alias] = []
    ) -> ModelCatalogue {
        ModelCatalogue(
            providers: [provider], models: models ?? Set(routes.map(\.model)).sorted().map { model($0) }, aliases: aliases,
            prices: PriceTable(currency: "USD", entries: []), policies: [RoutingPolicy(routes: routes)])
    }

    static func routing(_ catalogue: ModelCatalogue, model: ScriptedModel = ScriptedModel([.say("ok")])) -> Routing {
        Routing(catalogue: CatalogueHolder(catalogue)) { _, _, _ in model }
    }
}

extension Routing {
    /// The models of the plan, in their order.
    fileprivate func names(
        for call: ModelCall = .routed(), length: Int = 100, at instant: Date = House.start, draw: () -> Double = { 0 }
    ) -> [String] {
        plan(for: call, length: length, at: instant, draw: draw).routes.map(\.modelName)
    }
}

@Suite("Which routes a call takes")
struct RoutingTests {
    // MARK: Conditions

    @Test(
        "A language holds for itself and its variants, in whatever case, and for no other",
        arguments: [
            ("zh", "zh", true), ("zh", "zh-tw", true), ("zh", "zhx", false), ("zh", "en", false), ("zh-TW", "zh-tw", true),
            ("zh-tw", "zh", false), ("ZH", "zh-hant-tw", true), ("zh-Hant", "zh-hans", false), ("en", "", false),
        ])
    func languages(condition: String, language: String, holds: Bool) {
        let when = RoutingPolicy.Condition(languages: ["fr", condition])
        #expect(when.holds(for: .routed(language: language), length: 1) == holds)
    }

    @Test(
        "Lengths hold at both borders and end behind them",
        arguments: [
            (nil, nil, 0, true), (600, nil, 599, false), (600, nil, 600, true), (nil, 600, 600, true), (nil, 600, 601, false),
            (600, 600, 600, true), (600, 600, 601, false), (0, 0, 0, true), (0, 0, 1, false),
        ] as [(Int?, Int?, Int, Bool)])
    func lengths(least: Int?, most: Int?, length: Int, holds: Bool) {
        let when = RoutingPolicy.Condition(minLength: least, maxLength: most)
        #expect(when.holds(for: .routed(), length: length) == holds)
    }

    @Test("Every task has its own routes, and every need; one of the needs is enough")
    func tasksAndNeeds() {
        for wanted in AITask.allCases {
            for task in AITask.allCases {
                let when = RoutingPolicy.Condition(tasks: [wanted])
                #expect(when.holds(for: .routed(task: task), length: 1) == (wanted == task), "\(wanted) \(task)")
            }
        }
        let when = RoutingPolicy.Condition(needs: [.tools, .vision])
        for need in ModelCapability.allCases {
            #expect(when.holds(for: .routed(needs: [need]), length: 1) == [.tools, .vision].contains(need), "\(need)")
        }
        #expect(!when.holds(for: .routed(), length: 1))
        #expect(when.holds(for: .routed(needs: [.tools, .thinking]), length: 1))
    }

    @Test("All conditions of a route must hold together")
    func together() {
        let when = RoutingPolicy.Condition(languages: ["zh"], tasks: [.copy], needs: [.tools], minLength: 10, maxLength: 20)
        let call = ModelCall.routed(task: .copy, needs: [.tools])
        #expect(when.holds(for: call, length: 10))
        #expect(!when.holds(for: call, length: 9))
        #expect(!when.holds(for: .routed(task: .title, needs: [.tools]), length: 10))
        #expect(!when.holds(for: .routed(task: .copy), length: 10))
        #expect(!when.holds(for: .routed(task: .copy, needs: [.tools], language: "en"), length: 10))
    }

    @Test("Long Chinese copy, and what needs tools or eyes, have the first routes that the seed gives them")
    func seeded() {
        func configured(_ name: String, _ dialect: ChatProfile.Vendor, _ models: [String]) -> ModelCatalogue.Configured {
            .init(provider: .init(name: name, dialect: dialect, baseURL: "http://x", key: Secret("k")), models: models)
        }
        let routing = House.routing(
            .seeded([
                configured("openai", .openai, ["gpt-4o-mini"]), configured("deepseek", .deepseek, ["deepseek-flash"]),
            ]))
        #expect(routing.names(for: .routed(task: .copy), length: 599) == ["gpt-4o-mini", "deepseek-flash"])
        #expect(routing.names(for: .routed(task: .copy), length: 600) == ["deepseek-flash", "gpt-4o-mini"])
        #expect(routing.names(for: .routed(task: .copy, language: "en"), length: 600) == ["gpt-4o-mini", "deepseek-flash"])
        #expect(routing.names(for: .routed(task: .title), length: 600) == ["gpt-4o-mini", "deepseek-flash"])
        #expect(routing.names(for: .routed(task: .chat, needs: [.vision])) == ["gpt-4o-mini", "gpt-4o"])
        #expect(routing.names(for: .routed(task: .chat, needs: [.tools])) == ["gpt-4o-mini", "gpt-4o", "deepseek-flash"])
        #expect(routing.names(for: .routed(task: .embed)) == ["text-embedding-3-small"])
    }

    // MARK: Order

    @Test("Lower ranks are asked first, whatever the weights and the draw")
    func ranks() {
        let routing = House.routing(
            House.catalogue([
                House.route("c", rank: 7, weight: 1_000), House.route("a", rank: 0), House.route("b", rank: 3, weight: 0),
                House.route("z", rank: 1_000),
            ]))
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<200 {
            #expect(routing.names(draw: { .random(in: 0..<1, using: &generator) }) == ["a", "b", "c", "z"])
        }
        #expect(routing.plan(for: .routed(), length: 1, at: House.start).firstChoices == 1)
    }

    @Test("Weights are the shares of the first places, and of the next among those that are left")
    func weights() {
        let routing = House.routing(
            House.catalogue([House.route("a", weight: 6), House.route("b", weight: 3), House.route("c", weight: 1)]))
        #expect(routing.plan(for: .routed(), length: 1, at: House.start).firstChoices == 3)
        var generator = SeededGenerator(seed: 2_026)
        var orders: [[String]: Int] = [:]
        let draws = 20_000
        for _ in 0..<draws { orders[routing.names(draw: { .random(in: 0..<1, using: &generator) }), default: 0] += 1 }
        #expect(orders.count == 6 && orders.values.reduce(0, +) == draws)
        func share(_ fits: ([String]) -> Bool) -> Double {
            Double(orders.filter { fits($0.key) }.values.reduce(0, +)) / Double(draws)
        }
        // Five standard deviations of 20,000 draws are less than 0.018.
        #expect(abs(share { $0[0] == "a" } - 0.6) < 0.018)
        #expect(abs(share { $0[0] == "b" } - 0.3) < 0.018)
        #expect(abs(share { $0[0] == "c" } - 0.1) < 0.018)
        // 0.6 × 3/4.
        #expect(abs(share { $0 == ["a", "b", "c"] } - 0.45) < 0.018)
    }

    @Test(
        "A draw falls to the route whose part of the weights it lies in, up to the border",
        arguments: [(0.0, "a"), (0.499_999, "a"), (0.5, "b"), (0.749_999, "b"), (0.75, "c"), (0.999_999_999, "c")])
    func draws(draw: Double, first: String) {
        let routing = House.routing(
            House.catalogue([House.route("a", weight: 2), House.route("b"), House.route("c")]))
        #expect(routing.names(draw: { draw }).first == first)
    }

    @Test("A weight of 0 is asked after the others of its rank; where all are 0, in the policy's order")
    func noWeight() {
        let some = House.routing(House.catalogue([House.route("a", weight: 0), House.route("b"), House.route("c", weight: 2)]))
        for draw in [0, 0.4, 0.999] { #expect(some.names(draw: { draw }).last == "a") }
        let none = House.routing(House.catalogue([House.route("b", weight: 0), House.route("a", weight: 0)]))
        #expect(none.names(draw: { 0.9 }) == ["b", "a"])
    }

    @Test("A model that stands in several routes is asked once, at its first place")
    func once() {
        let routing = House.routing(House.catalogue([House.route("a"), House.route("b", rank: 1), House.route("a", rank: 2)]))
        #expect(routing.names() == ["a", "b"])
    }

    // MARK: Models

    @Test("What a model cannot do without is needed of every route; the form of an answer is not")
    func capabilities() {
        let models = [
            House.model("plain", []), House.model("hands", [.tools]), House.model("eyes", [.vision]),
            House.model("both", [.tools, .vision, .jsonSchema]), House.model("vectors", [.embeddings]),
        ]
        let routing = House.routing(
            House.catalogue(models.enumerated().map { House.route($1.name, rank: $0) }, models: models))
        func names(_ needs: Set<ModelCapability>, _ task: AITask = .chat) -> [String] {
            routing.names(for: .routed(task: task, needs: needs))
        }
        #expect(names([]) == ["plain", "hands", "eyes", "both"])
        #expect(names([.jsonSchema, .jsonObject]) == ["plain", "hands", "eyes", "both"])
        #expect(names([.tools]) == ["hands", "both"])
        #expect(names([.vision]) == ["eyes", "both"])
        #expect(names([.tools, .vision]) == ["both"])
        #expect(names([], .embed) == ["vectors"])
        #expect(routing.plan(for: .routed(needs: [.thinking]), length: 1, at: House.start).absence == .unsuited)
        #expect(routing.plan(for: .routed(task: .embed, needs: [.dimensions]), length: 1, at: House.start).absence == .unsuited)
    }

    @Test("A model asked for by name goes before every rank; one that cannot do it is replaced, and that is said")
    func named() {
        let models = [House.model("a"), House.model("hands", [.tools]), House.model("vectors", [.embeddings])]
        let routing = House.routing(House.catalogue([House.route("a"), House.route("hands", rank: 5)], models: models))
        func plan(_ model: String, _ needs: Set<ModelCapability> = []) -> RoutePlan {
            routing.plan(for: .routed(model: model, needs: needs), length: 1, at: House.start)
        }
        #expect(plan("hands").routes.map(\.modelName) == ["hands", "a"] && plan("hands").note == nil)
        #expect(plan("hands").firstChoices == 1)
        for lacking in [plan("a", [.tools]), plan("vectors", [.tools])] {
            #expect(lacking.routes.map(\.modelName) == ["hands"])
            #expect(lacking.note?.contains("不适用于本次调用") == true)
        }
        #expect(plan("vectors").note?.contains("vectors 不适用于本次调用") == true)
        #expect(plan("gone").note?.contains("gone 未配置") == true)
    }

    @Test("Disabled models are passed over, by name too; where none is left, that is why")
    func disabled() {
        let routes = [House.route("a"), House.route("b", rank: 1)]
        let one = House.routing(House.catalogue(routes, models: [House.model("b")]))
        #expect(one.names() == ["b"])
        let named = one.plan(for: .routed(model: "a"), length: 1, at: House.start)
        #expect(named.routes.map(\.modelName) == ["b"] && named.note != nil)
        let none = House.routing(House.catalogue(routes, models: []))
        #expect(none.plan(for: .routed(), length: 1, at: House.start).absence == .gone)
    }

    @Test("Another name leads to its model from its first instant up to its last, and the later of two holds")
    func aliases() {
        func alias(_ model: String, _ from: Double, _ until: Double? = nil) -> ModelCatalogue.Alias {
            .init(
                name: "usual", provider: "house", model: model, validFrom: House.start.addingTimeInterval(from),
                validUntil: until.map { House.start.addingTimeInterval($0) })
        }
        let routing = House.routing(
            House.catalogue(
                [House.route("a"), House.route("b"), House.route("c")],
                aliases: [alias("b", 100), alias("c", 200, 300)]))
        for (second, model) in [(99.0, nil), (100, "b"), (199, "b"), (200, "c"), (299, "c"), (300, "b")] as [(Double, String?)] {
            let instant = House.start.addingTimeInterval(second)
            let plan = routing.plan(for: .routed(model: "Usual"), length: 1, at: instant, draw: { 0 })
            #expect(plan.routes.first?.modelName == model ?? "a", "\(second)")
            #expect((plan.note == nil) == (model != nil), "\(second)")
            #expect(routing.knows("usual", for: TestContext.tenant, at: instant) == (model != nil))
        }
    }

    @Test("An administrator's name goes before a model's own, that before the service's; none leads on to another name")
    func names() {
        func alias(_ name: String, _ model: String, id: UUID?, thinks: Bool = false) -> ModelCatalogue.Alias {
            .init(id: id, name: name, provider: "house", model: model, validFrom: House.start, thinks: thinks)
        }
        let catalogue = House.catalogue(
            [House.route("a"), House.route("b"), House.route("c")],
            aliases: [
                alias("a", "b", id: UUID()), alias("b", "c", id: nil), alias("usual", "c", id: nil, thinks: true),
                alias("gone", "nowhere", id: UUID()), alias("c", "nowhere", id: UUID()),
            ])
        func meant(_ name: String, after seconds: Double = 0) -> String? {
            catalogue.model(named: name, at: House.start.addingTimeInterval(seconds))?.name
        }
        #expect(meant("A") == "b" && meant("a", after: -1) == "a" && meant("house/a") == "a")
        // Not on to "c": neither by the service's name for "b", nor by any other.
        #expect(meant("b") == "b")
        #expect(meant("usual") == "c" && catalogue.meaning(of: "usual", at: House.start)?.thinks == true)
        #expect(meant("gone") == nil && meant("c") == "c")
    }

    @Test("A tenant's own policy goes before a scene's, and that before everybody's")
    func policies() {
        var catalogue = House.catalogue([House.route("a"), House.route("b"), House.route("c"), House.route("d")])
        func policy(_ model: String, _ tenantId: UUID?, _ scene: String?) -> RoutingPolicy {
            .init(tenantId: tenantId, scene: scene, routes: [House.route(model)])
        }
        catalogue.policies = [policy("a", nil, nil), policy("b", nil, "s"), policy("c", TestContext.tenant, nil)]
        let two = House.routing(catalogue)
        #expect(two.names(for: .routed(scene: "s")) == ["c"])
        catalogue.policies.append(policy("d", TestContext.tenant, "s"))
        let all = House.routing(catalogue)
        #expect(all.names(for: .routed(scene: "s")) == ["d"] && all.names(for: .routed(scene: "t")) == ["c"])
        var foreign = ModelCall.routed(scene: "s")
        foreign.tenantId = TestContext.otherTenant
        #expect(all.names(for: foreign) == ["b"])
        foreign.scene = "t"
        #expect(all.names(for: foreign) == ["a"])
    }

    // MARK: Places and prices

    @Test("A route's places are its own, and stay taken when the catalogue is replaced")
    func places() async throws {
        let catalogue = House.catalogue([House.route("a", concurrency: 2), House.route("b", rank: 1, concurrency: 1)])
        let routing = House.routing(catalogue)
        let gates = (0..<2).map { _ in (begun: OneShot<Void>(), goOn: OneShot<Void>()) }
        let first = routing.plan(for: .routed(), length: 1, at: House.start).routes
        let held = gates.map { gate in
            Task {
                try await first[0].guarded(within: .seconds(600)) { _ in
                    gate.begun.succeed()
                    try await gate.goOn.value()
                }
            }
        }
        for gate in gates { try await gate.begun.value() }
        routing.catalogue.replace(catalogue)
        let again = routing.plan(for: .routed(), length: 1, at: House.start).routes
        #expect(again[0] === first[0])
        // Nobody leaves before it is told to: a third has no place however long it waits.
        let refused = await #expect(throws: ChatFailure.self) { try await again[0].guarded(within: .milliseconds(20)) { _ in } }
        #expect(refused?.kind == .saturated)
        try await again[1].guarded(within: .seconds(600)) { _ in }
        for gate in gates { gate.goOn.succeed() }
        for held in held { try await held.value }
        try await again[0].guarded(within: .seconds(600)) { _ in }
    }

    @Test(
        "The band of a price is that of the instant of sending, at its borders",
        arguments: [
            ("2026-11-20T00:59:59Z", "off-peak", 150), ("2026-11-20T01:00:00Z", "peak", 300),
            ("2026-11-20T03:59:59Z", "peak", 300), ("2026-11-20T04:00:00Z", "off-peak", 150),
            ("2026-11-20T06:00:00Z", "peak", 300), ("2026-11-20T10:00:00Z", "off-peak", 150),
            ("2026-11-21T02:00:00Z", "off-peak", 150),
        ] as [(String, String, Int64)])
    func bands(text: String, band: String, prompt: Int64) throws {
        let instant = try #require(RFC3339.parse(text))
        let price = try #require(PriceTable.standard.price(provider: "deepseek", model: "deepseek-flash", at: instant))
        #expect(price.rates.prompt == prompt && price.version.hasSuffix("/" + band))
        // What is set aside holds for either: a call may be sent on the other side of the border.
        #expect(PriceTable.standard.dearest(provider: "deepseek", model: "deepseek-flash")?.prompt == 300)
    }
}
