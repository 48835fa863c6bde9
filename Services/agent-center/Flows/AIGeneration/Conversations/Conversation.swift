import ConcurrencySupport
import FoundationEssentials
import Observability

/// A raw conversation with a model, as OpenAI's chat completions have it: the caller brings its own messages and reads what the model
/// says.
///
/// The routes are asked as for any other text, and an answer of another model than the one asked for says so. There is no template behind
/// the last route: who speaks this protocol can tell a failure from an answer. A stream that broke off after its first words ends with
/// the failure; its protocol has no way to take words back.
struct Conversation: Sendable {
    struct Answer: Sendable, Equatable {
        var answer: ChatAnswer
        var provider: String
        /// All attempts together.
        var usage: ChatUsage
        var costNano: Int64
        var currency: String
        var isDegraded: Bool
        var reason: String?
    }

    static let step = "chat"
    static let scene = "chat"
    static let promptVersion = "caller@1"

    let models: AIGeneration
    let desk: UsageDesk
    let metrics: ConversationMetrics

    /// - Parameter listener: reads the text while it comes; tool calls, and text that had to be seen whole, stand in the answer only.
    /// - Throws: ``ConversationFailure`` where no route answered, or a listener's text broke off; ``BudgetExhausted``;
    ///   `CancellationError` when the caller has left.
    func answer(
        _ input: ConversationInput, for caller: Caller,
        to listener: (@Sendable (GenerationEvent) async throws -> Void)? = nil
    ) async throws -> (answer: Answer, isSent: Bool) {
        let started = ContinuousClock.now
        let call = ModelCall(
            tenantId: caller.tenantId, subject: caller.subject, operationId: caller.operationId, step: Self.step,
            flow: "AIGeneration", task: .chat, scene: Self.scene, language: input.language,
            model: input.model, needs: input.needs, parameters: input.parameters, deadline: caller.deadline)
        var question = input.question
        question.customer = Caller.vendorName(of: caller.tenantId, user: input.user)
        let task = ConversationTask(question: question)
        let plan = try await models.plan(question, for: call)
        let ticket = try await desk.open(call, worstCase: plan.worstCase, atLeast: plan.leastCase)
        do {
            let outcome = try await models.perform(
                task, for: call, ticket: ticket, plan: plan, setAside: ticket.setAside,
                to: listener.map { GenerationListener(takesRestarts: false, send: $0) })
            let currency = models.currency(for: caller.tenantId)
            let latency = Int(started.duration(to: .now).milliseconds)
            // Where no model was asked there is nothing to write down.
            if !outcome.attempts.isEmpty {
                try await ticket.settle(entry(for: outcome, question: question, currency: currency, latencyMs: latency))
            }
            metrics.count(outcome)
            if outcome.isAbandoned { throw CancellationError() }
            guard let answer = outcome.product else {
                if outcome.isUnpaid { throw BudgetExhausted.betweenAttempts }
                throw ConversationFailure(outcome.failure, reason: outcome.reason, absence: outcome.absence)
            }
            let totals = outcome.totals
            return (
                Answer(
                    answer: answer, provider: outcome.provider, usage: totals.usage, costNano: totals.costNano,
                    currency: currency,
                    isDegraded: outcome.isDegraded, reason: outcome.reason), outcome.isSent
            )
        } catch {
            await ticket.release()
            throw error
        }
    }

    /// What was read is paid for, also by a caller that left, and also where its end did not hold to the form that was asked for. An answer
    /// that the vendor broke off is not.
    private func entry(
        for outcome: AIGeneration.Outcome<ChatAnswer>, question: ChatRequest, currency: String, latencyMs: Int
    ) -> LedgerEntry {
        let isReadWhole = outcome.isSent && outcome.attempts.last?.outcome == "rejected"
        return LedgerEntry(
            provider: outcome.provider, modelName: outcome.modelName, attempts: outcome.attempts,
            isCharged: outcome.product != nil || outcome.isAbandoned || isReadWhole, currency: currency,
            priceVersion: outcome.attempts.last?.priceVersion, latencyMs: latencyMs, promptVersion: Self.promptVersion,
            texts: .init(
                prompt: question.messages.map(\.content).joined(separator: "\n"),
                completion: outcome.product.map { $0.content + $0.toolCalls.map { "\n\($0.name)(\($0.arguments))" }.joined() }
                    ?? ""),
            degradedReason: outcome.isDegraded ? outcome.reason : nil, isDegraded: outcome.isDegraded)
    }
}

/// No route gave an answer, or one that broke off after its first words.
struct ConversationFailure: Error, Sendable, Equatable {
    /// Of the last route; `nil` where there was none to ask, or its answers did not pass.
    let failure: ChatFailure?
    /// In Chinese.
    let reason: String?
    /// Why there was none to ask.
    let absence: RouteAbsence?

    init(_ failure: ChatFailure?, reason: String?, absence: RouteAbsence? = nil) {
        self.failure = failure
        self.reason = reason
        self.absence = absence
    }
}

struct ConversationMetrics: Sendable {
    private let answers: Counter

    init(_ registry: MetricsRegistry) {
        answers = registry.counter(
            "agent_conversation_answers_total",
            help: "Answers to raw conversations: by a model, a fallback model, left by their caller, or failed",
            labels: ["outcome"])
    }

    func count(_ outcome: AIGeneration.Outcome<ChatAnswer>) {
        let word =
            if outcome.isAbandoned {
                "abandoned"
            } else if outcome.product == nil {
                "failed"
            } else {
                outcome.isDegraded ? "fallback_model" : "model"
            }
        answers.increment([word])
    }
}
