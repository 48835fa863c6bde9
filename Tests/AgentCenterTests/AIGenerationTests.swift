import ConcurrencySupport
import ConfigReading
import FoundationEssentials
import Observability
import TestSupport
import Testing

@testable import AgentCenter

/// A model that answers from a script, one entry per call; the last one for ever.
final class ScriptedModel: ChatModel {
    enum Step: Sendable {
        case say(
            String, model: String = "scripted",
            usage: ChatUsage = ChatUsage(promptTokens: 10, cachedPromptTokens: 4, completionTokens: 5, isEstimated: false))
        case fail(ChatFailure)
        case hang
    }

    private let steps: Lock<[Step]>
    private let asked = Lock<[ChatRequest]>([])

    init(_ steps: [Step]) { self.steps = Lock(steps) }

    var requests: [ChatRequest] { asked.withLock { $0 } }

    func answer(_ request: ChatRequest, within budget: Duration) async throws -> ChatAnswer {
        asked.withLock { $0.append(request) }
        let step = steps.withLock { steps in steps.count > 1 ? steps.removeFirst() : steps[0] }
        switch step {
        case .say(let content, let model, let usage): return ChatAnswer(content: content, model: model, usage: usage)
        case .fail(let failure): throw failure
        case .hang:
            try await Task.sleep(for: budget)
            throw ChatFailure(.timeout, .nextRoute, .count, message: "scripted")
        }
    }
}

extension AIGeneration {
    /// Over scripted models of one vendor, asked in this order.
    static func scripted(_ models: [(name: String, model: ScriptedModel)]) -> AIGeneration {
        let byName = Dictionary(uniqueKeysWithValues: models)
        let vendor = ModelCatalogue.Configured(
            provider: .init(name: "openai", dialect: .openai, baseURL: "http://scripted", key: Secret("none")),
            models: models.map(\.name))
        let catalogue = ModelCatalogue.seeded(models.isEmpty ? [] : [vendor])
        return AIGeneration(
            routing: Routing(catalogue: CatalogueHolder(catalogue)) { _, model, _ in
                byName[model.name]
                    ?? ScriptedModel([.fail(ChatFailure(.modelNotFound, .nextRoute, .ignore, message: "no script"))])
            }, metrics: GenerationMetrics(MetricsRegistry()), logger: .silent)
    }
}

extension ModelCall {
    static func routed(
        model: String = "auto", task: AITask = .title, scene: String = "test", needs: Set<ModelCapability> = [],
        language: String = "zh", within limit: Duration = .seconds(10)
    ) -> ModelCall {
        ModelCall(
            tenantId: TestContext.tenant, subject: "tester", operationId: UUID(), step: "test", flow: "AIGeneration", task: task,
            scene: scene, language: language, model: model, needs: needs, deadline: .after(limit))
    }
}

/// Takes `ok…` for an answer.
private struct OKTask: GenerationTask {
    let question = TitlePrompt.question(for: .sample(), customer: nil)

    func question(afterRejected answer: String, because problem: String) -> ChatRequest {
        var again = question
        again.messages.append(.init(role: .user, content: problem))
        return again
    }

    func verdict(on answers: [String]) -> GenerationVerdict<String> {
        answers.last.map { $0.hasPrefix("ok") ? .accepted($0) : .rejected("not ok") } ?? .rejected("nothing")
    }
}

@Suite("The ladder over model routes")
struct AIGenerationTests {
    private func ladder(_ models: [ScriptedModel], names: [String] = ["gpt-4o-mini", "gpt-4o"]) -> AIGeneration {
        .scripted(zip(names, models).map { ($0, $1) })
    }

    private func run(_ ladder: AIGeneration, model: String = "auto", within limit: Duration = .seconds(10)) async throws
        -> AIGeneration.Outcome<String>
    {
        try await ladder.run(OKTask(), for: .routed(model: model, within: limit))
    }

    private let serverError = ChatFailure(.serverError, .retry(after: nil), .count, message: "HTTP 500")

    @Test("The first answer that passes is it: not degraded, priced by the model that answered")
    func first() async throws {
        let model = ScriptedModel([.say("ok 1", model: "gpt-4o-2024-11-20")])
        let outcome = try await run(ladder([model]))
        #expect(outcome.product == "ok 1")
        #expect(!outcome.isDegraded)
        #expect(outcome.reason == nil)
        #expect(outcome.modelName == "gpt-4o-2024-11-20")
        #expect(outcome.attempts.map(\.outcome) == ["answered"])
        #expect(outcome.attempts[0].priceVersion == "openai/gpt-4o@2024-10-01")
        #expect(outcome.totals.costNano == 4 * 1_250 + 6 * 2_500 + 5 * 10_000)
    }

    @Test("A passing fault is tried once more on the same route, and only once")
    func retry() async throws {
        let healed = try await run(ladder([ScriptedModel([.fail(serverError), .say("ok")])]))
        #expect(healed.product == "ok")
        #expect(!healed.isDegraded)
        #expect(healed.attempts.map(\.purpose) == [.ask, .retry])

        let ill = ScriptedModel([.fail(serverError)])
        let other = ScriptedModel([.say("ok 2")])
        let fallen = try await run(ladder([ill, other]))
        #expect(ill.requests.count == 2)
        #expect(fallen.product == "ok 2")
        #expect(fallen.isDegraded)
        #expect(fallen.reason == "openai/gpt-4o-mini：模型服务出错")
    }

    @Test("An answer that does not pass is asked for once more with the fault quoted; both are paid")
    func reask() async throws {
        let model = ScriptedModel([.say("broken"), .say("ok")])
        let outcome = try await run(ladder([model]))
        #expect(outcome.product == "ok")
        #expect(outcome.attempts.map(\.outcome) == ["rejected", "answered"])
        #expect(outcome.attempts.map(\.purpose) == [.ask, .reask])
        #expect(model.requests[1].messages.last?.content == "not ok")
        #expect(outcome.totals.usage.promptTokens == 20)

        let stubborn = ScriptedModel([.say("broken")])
        let fallen = try await run(ladder([stubborn, ScriptedModel([.say("ok")])]))
        #expect(stubborn.requests.count == 2)
        #expect(fallen.isDegraded)
        #expect(fallen.product == "ok")
    }

    @Test("A refusal for policy is not offered to another model")
    func policy() async throws {
        let other = ScriptedModel([.say("ok")])
        let refusal = ChatFailure(.policy, .stop, .ignore, message: "content_filter")
        let outcome = try await run(ladder([ScriptedModel([.fail(refusal)]), other]))
        #expect(outcome.product == nil)
        #expect(outcome.isDegraded)
        #expect(other.requests.isEmpty)
        #expect(outcome.reason?.contains("内容政策") == true)
    }

    @Test("No route: said at once")
    func none() async throws {
        let outcome = try await run(ladder([]))
        #expect(outcome.product == nil)
        #expect(outcome.reason == "未配置任何模型密钥")
        #expect(outcome.attempts.isEmpty)
    }

    @Test("A hanging route leaves time for the next, and the deadline holds")
    func budget() async throws {
        let started = ContinuousClock.now
        let outcome = try await run(ladder([ScriptedModel([.hang]), ScriptedModel([.say("ok")])]), within: .seconds(5))
        #expect(outcome.product == "ok")
        // A hang has no end of its own; the bounds leave room for a loaded machine.
        #expect(started.duration(to: .now) < .seconds(20))

        let restarted = ContinuousClock.now
        let nothing = try await run(ladder([ScriptedModel([.hang]), ScriptedModel([.hang])]), within: .seconds(2))
        #expect(nothing.product == nil)
        #expect(restarted.duration(to: .now) < .seconds(20))
    }

    @Test("A hint longer than the time left is not waited for")
    func longHint() async throws {
        let busy = ChatFailure(.rateLimited, .retry(after: .seconds(30)), .ignore, message: "HTTP 429")
        let model = ScriptedModel([.fail(busy)])
        let started = ContinuousClock.now
        let outcome = try await run(ladder([model, ScriptedModel([.say("ok")])]))
        #expect(model.requests.count == 1)
        #expect(outcome.product == "ok")
        #expect(started.duration(to: .now) < .seconds(1))
    }

    @Test("A key that is refused rests its route; five faults open the circuit")
    func circuit() async throws {
        let refusal = ChatFailure(.authentication, .nextRoute, .open, message: "HTTP 401")
        let model = ScriptedModel([.fail(refusal)])
        let models = ladder([model])
        _ = try await run(models)
        let again = try await run(models)
        #expect(model.requests.count == 1)
        #expect(again.attempts.map(\.outcome) == ["circuit_open"])
        #expect(try await models.plan(OKTask().question, for: .routed()).routes[0].rest?.kind == .circuitOpen)

        let ill = ScriptedModel([.fail(serverError)])
        let sick = ladder([ill])
        for _ in 0..<5 { _ = try await run(sick) }
        #expect(ill.requests.count == 5)
    }

    @Test("A model asked for by name goes first; one that is not configured is said")
    func named() async throws {
        let (first, second) = (ScriptedModel([.say("ok 1")]), ScriptedModel([.say("ok 2")]))
        let outcome = try await run(ladder([first, second]), model: "gpt-4o")
        #expect(outcome.product == "ok 2")
        #expect(!outcome.isDegraded)
        let foreign = try await run(ladder([first, second]), model: "deepseek/chat")
        #expect(foreign.product == "ok 1")
        #expect(foreign.isDegraded)
        #expect(foreign.reason?.contains("deepseek/chat 未配置") == true)
    }

    @Test("What failed attempts used is counted")
    func spent() async throws {
        var blank = ChatFailure(.blank, .nextRoute, .count, message: "blank")
        blank.usage = ChatUsage(promptTokens: 100, cachedPromptTokens: 0, completionTokens: 1, isEstimated: false)
        let outcome = try await run(ladder([ScriptedModel([.fail(blank)])]))
        #expect(outcome.product == nil)
        #expect(outcome.totals.costNano == 100 * 150 + 600)
    }

    @Test("Places: no more calls at a time than allowed, in turn, and a waiter that gives up takes none")
    func places() async throws {
        let limit = ConcurrencyLimit(1)
        try await limit.enter(before: .after(.seconds(60)))
        await #expect(throws: DeadlineExceeded.self) { try await limit.enter(before: .after(.milliseconds(20))) }
        let waiter = Task { try await limit.enter(before: .after(.seconds(60))) }
        let gone = Task { try await limit.enter(before: .after(.seconds(60))) }
        gone.cancel()
        await #expect(throws: CancellationError.self) { try await gone.value }
        limit.leave()
        try await waiter.value
        await #expect(throws: DeadlineExceeded.self) { try await limit.enter(before: .after(.milliseconds(20))) }
        limit.leave()
        try await limit.enter(before: .after(.milliseconds(20)))
    }
}
