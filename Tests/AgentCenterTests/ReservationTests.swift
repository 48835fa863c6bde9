import ConcurrencySupport
import ConfigReading
import FoundationEssentials
import HTTPCore
import Observability
import TestSupport
import Testing

@testable import AgentCenter

/// Gives what is left of an amount.
private final class Allowance: BudgetTicket {
    private let left: Lock<Int64>
    private let asked = Lock<[Int64]>([])

    init(_ nano: Int64) { left = Lock(nano) }

    /// What it was asked for, in order.
    var requests: [Int64] { asked.withLock { $0 } }

    func extend(by nano: Int64) async throws -> Bool {
        asked.withLock { $0.append(nano) }
        return left.withLock { left in
            guard nano <= left else { return false }
            left -= nano
            return true
        }
    }
}

@Suite("Money set aside follows the route that is asked")
struct ReservationTests {
    private static let question = ChatRequest(
        messages: [.init(role: .user, content: "防晒霜多久补一次？")], maxTokens: 100, isRelayed: true)
    private static let refusal = ChatFailure(.authentication, .nextRoute, .open, message: "HTTP 401")

    /// What an attempt may cost at most: 8 tokens frame the call and its message each, 27 bytes are said.
    private static let cheap: Int64 = 43 * 150 + 100 * 600
    private static let dear: Int64 = 43 * 2_500 + 100 * 10_000

    /// Either may be drawn first.
    private static func lottery(_ cheap: ScriptedModel, _ dear: ScriptedModel) -> AIGeneration {
        let models = ladder(cheap, dear)
        var catalogue = models.routing.catalogue.common
        catalogue.policies = [
            RoutingPolicy(
                routes: ["gpt-4o-mini", "gpt-4o"].map { .init(provider: "openai", model: $0, when: .init(tasks: [.chat])) })
        ]
        models.routing.catalogue.replace(catalogue)
        return models
    }

    /// A cheap model before a dear one.
    private static func ladder(_ cheap: ScriptedModel, _ dear: ScriptedModel) -> AIGeneration {
        .scripted([("gpt-4o-mini", cheap), ("gpt-4o", dear)])
    }

    private static func ask(
        _ models: AIGeneration, _ ticket: Allowance, plan: RoutePlan? = nil, setAside: Int64
    ) async throws -> AIGeneration.Outcome<ChatAnswer> {
        try await models.run(
            ConversationTask(question: question), for: .routed(task: .chat), ticket: ticket, plan: plan,
            setAside: setAside)
    }

    @Test(
        "A first route that rests leaves what is set aside to the next, which asks for the difference", arguments: [Int64(0), 1])
    func resting(short: Int64) async throws {
        let (cheap, dear) = (ScriptedModel([.fail(Self.refusal)]), ScriptedModel([.say("好")]))
        let models = Self.ladder(cheap, dear)
        #expect(try await models.plan(Self.question, for: .routed(task: .chat)).worstCase == Self.cheap)
        _ = try await Self.ask(models, Allowance(0), setAside: Self.cheap)
        #expect(cheap.requests.count == 1 && dear.requests.isEmpty)

        let ticket = Allowance(Self.dear - Self.cheap - short)
        let outcome = try await Self.ask(models, ticket, setAside: Self.cheap)
        #expect(cheap.requests.count == 1 && dear.requests.count == (short == 0 ? 1 : 0))
        #expect((outcome.product != nil) == (short == 0))
        #expect(ticket.requests == [Self.dear - Self.cheap])
        // Who comes now sets aside what the route costs that will be asked.
        #expect(try await models.plan(Self.question, for: .routed(task: .chat)).worstCase == Self.dear)
    }

    @Test("What was paid for a route that had no place pays for the next")
    func saturated() async throws {
        let full = ChatFailure(.saturated, .nextRoute, .ignore, message: "no free place in time")
        let (cheap, dear) = (ScriptedModel([.fail(full)]), ScriptedModel([.say("好")]))
        let ticket = Allowance(.max)
        let outcome = try await Self.ask(Self.ladder(cheap, dear), ticket, setAside: Self.cheap)
        #expect(outcome.product != nil)
        #expect(ticket.requests == [Self.dear - Self.cheap])
    }

    @Test("Routes drawn by weight: whichever is asked is paid for")
    func weighted() async throws {
        let (cheap, dear) = (ScriptedModel([.say("好")]), ScriptedModel([.say("好")]))
        let models = Self.lottery(cheap, dear)
        for _ in 0..<60 {
            let before = dear.requests.count
            let plan = try await models.plan(Self.question, for: .routed(task: .chat))
            let ticket = Allowance(0)
            _ = try await Self.ask(models, ticket, plan: plan, setAside: plan.worstCase)
            #expect(ticket.requests.isEmpty)
            #expect(plan.worstCase == (dear.requests.count > before ? Self.dear : Self.cheap))
        }
        #expect(!cheap.requests.isEmpty && !dear.requests.isEmpty)
    }

    @Test("A route that is too dear is passed over for one that what is held pays for")
    func passedOver() async throws {
        let (cheap, dear) = (ScriptedModel([.say("好")]), ScriptedModel([.say("好")]))
        let ticket = Allowance(0)
        let outcome = try await Self.ask(
            .scripted([("gpt-4o", dear), ("gpt-4o-mini", cheap)]), ticket, setAside: Self.cheap)
        #expect(outcome.modelName == "scripted" && outcome.isDegraded && !outcome.isUnpaid)
        #expect(outcome.reason == "预算不足")
        #expect(cheap.requests.count == 1 && dear.requests.isEmpty)
        #expect(ticket.requests == [Self.dear - Self.cheap])
    }

    @Test("A hard budget that pays for one of two routes is served by it, whichever is drawn")
    func hardLottery() async throws {
        try await BudgetHarness.run { harness in
            let (cheap, dear) = (ScriptedModel([.say("好")]), ScriptedModel([.say("好")]))
            let flow = Conversation(
                models: Self.lottery(cheap, dear), desk: harness.desk(), metrics: ConversationMetrics(MetricsRegistry()))
            _ = try await harness.addBudget(nano: Self.dear - 1)
            let input = ConversationInput(
                model: "auto", question: Self.question, needs: [], parameters: [], language: "zh", isStreamed: false,
                includesUsage: false, user: nil)
            for _ in 0..<16 {
                let answer = try await flow.answer(
                    input,
                    for: Caller(
                        tenantId: TestContext.tenant, subject: "user-1", operationId: UUID(), deadline: .after(.seconds(20))))
                #expect(answer.answer.answer.content == "好")
            }
            #expect(cheap.requests.count == 16 && dear.requests.isEmpty)
        }
    }

    @Test("A hard budget that pays for the cheap route is not overdrawn by the dear one")
    func hardBudget() async throws {
        try await BudgetHarness.run { harness in
            let (cheap, dear) = (ScriptedModel([.fail(Self.refusal)]), ScriptedModel([.say("好")]))
            let flow = Conversation(
                models: Self.ladder(cheap, dear), desk: harness.desk(), metrics: ConversationMetrics(MetricsRegistry()))
            let budget = try await harness.addBudget(nano: Self.dear - 1)
            let input = ConversationInput(
                model: "auto", question: Self.question, needs: [], parameters: [], language: "zh", isStreamed: false,
                includesUsage: false, user: nil)
            func call() async throws {
                _ = try await flow.answer(
                    input,
                    for: Caller(
                        tenantId: TestContext.tenant, subject: "user-1", operationId: UUID(), deadline: .after(.seconds(20))))
            }
            let first = await #expect(throws: BudgetExhausted.self) { try await call() }
            #expect(first == .betweenAttempts && first?.problem.status == .tooManyRequests)
            let second = await #expect(throws: BudgetExhausted.self) { try await call() }
            #expect(second?.budgetId == budget)
            #expect(cheap.requests.count == 1 && dear.requests.isEmpty)
            let standing = try await harness.standing(of: budget)
            #expect(standing.settled == 0 && standing.reserved == 0)
        }
    }

    @Test("Rare characters may take a token for each byte, and a schema is read as well", arguments: ["𠮷𪚥", "🦄🧿"])
    func mostTokens(text: String) {
        var request = ChatRequest(messages: [.init(role: .user, content: text)], maxTokens: 1)
        #expect(request.mostPromptTokens >= text.utf8.count)
        let bare = request.mostPromptTokens
        request.answerSchema = AnswerSchema(name: "x", schema: ["type": "object"])
        #expect(request.mostPromptTokens == bare + #"{"type":"object"}"#.utf8.count)
        #expect(request.held(to: .object).mostPromptTokens > bare + #"{"type":"object"}"#.utf8.count)
    }
}
