import ConcurrencySupport
import FoundationEssentials
import HTTPCore
import Observability

/// A kind of text: how it is asked for, and when an answer passes.
protocol GenerationTask: Sendable {
    associatedtype Product: Sendable
    var question: ChatRequest { get }
    /// The question put again with what was wrong.
    func question(afterRejected answer: String, because problem: String) -> ChatRequest
    /// Judges all answers of one route together: a second answer may complete the first.
    func verdict(on answers: [String]) -> GenerationVerdict<Product>
    /// The same where more than the words counts; what the words say by default.
    func verdict(onWhole answers: [ChatAnswer]) -> GenerationVerdict<Product>
}

extension GenerationTask {
    func verdict(onWhole answers: [ChatAnswer]) -> GenerationVerdict<Product> { verdict(on: answers.map(\.content)) }
}

enum GenerationVerdict<Product: Sendable>: Sendable {
    case accepted(Product)
    /// What is wrong, in words that the model can act on.
    case rejected(String)
}

/// The model side of every text that this service writes: asks the routes one after the other until an answer passes its check.
///
/// On each route: the question; once more if the failure may pass; once more with the fault quoted if the answer did not pass. Where an
/// answer must have a form, the vendor's strictest way first, then the next less strict one if the vendor does not take it.
/// Then the next route. Nothing blank, cut, stalled or ended for an unknown reason counts as an answer. A refusal for policy
/// ends it all: it is not offered to another model. What was used is counted whatever came of it.
///
/// With a listener the text is handed on while it comes. As long as nobody has read anything, all this happens in silence; afterwards the
/// listener is told that it starts again, or, where it cannot be told, the answer has failed.
struct AIGeneration: Sendable {
    let routing: Routing
    let metrics: GenerationMetrics
    let logger: Logger
    let surprises = ModelSurprises()
    /// The instant that decides the price band.
    var now: @Sendable () -> Date = { Date() }
    /// Whether a budget holds the call to an amount of money. Then a model without a price cannot be asked: nothing would be set aside for it
    /// and nothing charged, however much it came to.
    var limitsMoney: @Sendable (ModelCall) async throws -> Bool = { _ in false }
    /// Time for what comes after the last route: writing the fallback and the ledger. A tenth of what there is, within bounds.
    static func reserve(of remaining: Duration) -> Duration { min(max(remaining / 10, .milliseconds(400)), .seconds(1.5)) }

    struct Outcome<Product: Sendable>: Sendable {
        /// `nil`: no route gave a usable answer.
        var product: Product?
        /// The answer that the product was made of.
        var answer: ChatAnswer?
        var provider = ""
        var modelName = ""
        /// Whether the answer is not the first choice's; `reason` says why.
        var isDegraded = false
        /// In Chinese, for the caller.
        var reason: String?
        var attempts: [ModelAttempt] = []
        /// Answers of all routes that came whole and did not pass, in their order.
        var rejected: [String] = []
        /// Of the last route that failed.
        var failure: ChatFailure?
        /// There was no route to ask.
        var absence: RouteAbsence?
        /// The budgets did not hold what the last route would have cost.
        var isUnpaid = false
        /// The caller left before there was an answer.
        var isAbandoned = false
        /// The listener holds text of the product or, without one, of an answer that broke off.
        var isSent = false

        /// All attempts together.
        var totals: (usage: ChatUsage, costNano: Int64) {
            attempts.reduce(into: (ChatUsage.none, 0)) { total, attempt in
                total.0.promptTokens += attempt.promptTokens
                total.0.cachedPromptTokens += attempt.cachedPromptTokens
                total.0.completionTokens += attempt.completionTokens
                total.0.isEstimated = total.0.isEstimated || attempt.isEstimated
                total.1 += attempt.costNano
            }
        }
    }

    /// - Parameters:
    ///   - ticket: asked for more before an attempt that what was set aside does not pay for.
    ///   - plan: what ``plan(_:for:)`` drew when the money was set aside; drawn anew, another route might come first.
    ///   - setAside: how much of the ticket is this task's.
    /// - Throws: `CancellationError` when the caller left.
    func run<T: GenerationTask>(
        _ task: T, for call: ModelCall, ticket: some BudgetTicket = UnlimitedTicket(), plan: RoutePlan? = nil,
        setAside: Int64 = 0
    ) async throws -> Outcome<T.Product> {
        let outcome = try await perform(task, for: call, ticket: ticket, plan: plan, setAside: setAside)
        if outcome.isAbandoned { throw CancellationError() }
        return outcome
    }

    /// As ``run(_:for:ticket:plan:setAside:)``; a caller that leaves ends it with an outcome that says what had been used until then.
    ///
    /// - Parameter listener: reads the answer while it is being written.
    func perform<T: GenerationTask>(
        _ task: T, for call: ModelCall, ticket: some BudgetTicket = UnlimitedTicket(), plan: RoutePlan? = nil,
        setAside: Int64 = 0, to listener: GenerationListener? = nil
    ) async throws -> Outcome<T.Product> {
        let deadline = call.deadline
        let plan = if let plan { plan } else { try await self.plan(task.question, for: call) }
        let delivery = listener.map { GenerationDelivery($0) }
        var purse = Purse(ticket: ticket, holds: setAside)
        var outcome = Outcome<T.Product>()
        outcome.reason = plan.note
        guard !plan.routes.isEmpty else {
            outcome.isDegraded = true
            outcome.absence = plan.absence
            outcome.reason = (plan.absence ?? .noKey).chineseReason
            return outcome
        }
        let reserve = Self.reserve(of: deadline.remaining)
        for (index, route) in plan.routes.enumerated() {
            // A stream shows soon whether it lives; a whole answer must leave time for the routes behind it.
            let budget = RoutePlan.budget(
                remaining: deadline.remaining - reserve, isLast: index == plan.routes.count - 1 || delivery != nil)
            guard budget > .milliseconds(100) else {
                outcome.reason = outcome.reason ?? "剩余时间不足以调用模型"
                break
            }
            if index > 0, task.question.answerSchema != nil { metrics.count(.nextRoute, "taken") }
            let result = try await ask(
                route, task, within: budget, prices: plan.prices, purse: &purse, delivery, after: outcome.failure)
            outcome.attempts += result.attempts
            outcome.rejected += result.rejected
            outcome.isSent = delivery?.hasSent ?? false
            outcome.isAbandoned = result.isAbandoned
            if let product = result.product {
                outcome.product = product
                outcome.answer = result.answer
                outcome.provider = route.provider
                outcome.modelName = result.answer?.model ?? route.modelName
                outcome.isDegraded = index > 0 || plan.note != nil
                outcome.isUnpaid = false
                if !outcome.isDegraded { outcome.reason = nil }
                return outcome
            }
            outcome.provider = route.provider
            outcome.modelName = route.modelName
            if result.isAbandoned { return outcome }
            outcome.failure = result.failure ?? outcome.failure
            outcome.reason = "\(route.name)：\(result.failure?.chineseReason ?? "没有给出可用的结果")"
            logger.warning(
                "no usable answer from the model route",
                ["route": route.name, "failure": result.failure?.kind.rawValue ?? "rejected", "detail": result.detail])
            outcome.isUnpaid = result.isUnpaid
            if result.isUnpaid { outcome.reason = "预算不足" }
            if case .stop? = result.failure?.reaction { break }
            // A route that is too dear leaves what is held to a cheaper one.
            if delivery?.isStuck == true { break }
        }
        outcome.isDegraded = true
        if task.question.answerSchema != nil { metrics.count(.template, "taken") }
        return outcome
    }

    // MARK: One route

    private struct RouteResult<Product> {
        var product: Product?
        var answer: ChatAnswer?
        var attempts: [ModelAttempt] = []
        var rejected: [String] = []
        var failure: ChatFailure?
        var detail = ""
        var isAbandoned = false
        /// The budgets do not hold what the next attempt would cost.
        var isUnpaid = false
    }

    private func ask<T: GenerationTask>(
        _ route: ModelRoute, _ task: T, within budget: Duration, prices: PriceTable, purse: inout Purse,
        _ delivery: GenerationDelivery?, after earlier: ChatFailure?
    ) async throws -> RouteResult<T.Product> {
        let deadline = Deadline.after(budget)
        var result = RouteResult<T.Product>()
        var question = task.question
        var form = AnswerForm.strictest(of: route.capabilities)
        var answers: [ChatAnswer] = []
        var mayRetry = true
        var purpose = ModelAttempt.Purpose.ask
        while true {
            guard delivery?.isStuck != true else { return result }
            let asked = question.held(to: form)
            // A route that rests costs nothing, and what is set aside stays for the next.
            let rest = route.rest
            let price = rest == nil ? asked.mostCost(on: route, prices) : 0
            if rest == nil {
                guard try await purse.pays(price) else {
                    result.isUnpaid = true
                    return result
                }
            }
            do {
                guard try await delivery?.startsAnew(because: (result.failure ?? earlier)?.chineseReason) ?? true else {
                    return result
                }
            } catch {
                result.isAbandoned = true
                return result
            }
            let started = ContinuousClock.now
            let sentAt = now()
            func attempt(_ outcome: String, _ answer: ChatAnswer? = nil, usage: ChatUsage? = nil, detail: String? = nil) {
                let used = answer?.usage ?? usage ?? .none
                let overrun = noteSurprises(route, answering: answer?.model, usage: used, limit: asked.maxTokens)
                let notes = [detail, overrun].compactMap { $0 }
                var attempt = ModelAttempt(
                    route: route, purpose: purpose, outcome: outcome, model: answer?.model ?? route.modelName,
                    usage: used, prices: prices, sentAt: sentAt, latency: started.duration(to: .now),
                    detail: notes.isEmpty ? nil : notes.joined(separator: "; "))
                if asked.answerSchema != nil { attempt.form = form.rawValue }
                result.attempts.append(attempt)
                metrics.count(attempt, firstToken: answer?.firstToken)
            }
            do {
                if let rest { throw rest }
                let answer = try await answer(route, asked, within: deadline.remaining, delivery)
                answers.append(answer)
                switch task.verdict(onWhole: answers) {
                case .accepted(let product):
                    attempt("answered", answer)
                    count(asked, form, purpose, answer, "accepted")
                    result.product = product
                    result.answer = answer
                    return result
                case .rejected(let problem):
                    attempt("rejected", answer, detail: String(problem.prefix(300)))
                    count(asked, form, purpose, answer, "rejected")
                    result.detail = problem
                    result.rejected.append(answer.content)
                    result.failure = nil
                    guard answers.count == 1, deadline.remaining > .milliseconds(500) else { return result }
                    question = task.question(afterRejected: answer.content, because: problem)
                    purpose = .reask
                }
            } catch let failure as ChatFailure {
                attempt(failure.kind.rawValue, usage: failure.usage, detail: failure.message)
                if failure.kind.isUnsent { purse.takeBack(price) }
                count(asked, form, purpose, nil, "failed")
                result.failure = failure
                result.detail = failure.message
                if failure.kind == .unsupportedForm, asked.answerSchema != nil, let lower = form.next {
                    form = lower
                    continue
                }
                guard mayRetry, case .retry(let hint) = failure.reaction else { return result }
                let wait = hint ?? .milliseconds(Int64.random(in: 150...350))
                // A second try must leave the time that a first token needs.
                guard deadline.remaining > wait + .milliseconds(500) else { return result }
                mayRetry = false
                if purpose == .ask { purpose = .retry }
                do {
                    try await Task.sleep(for: wait)
                } catch {
                    result.isAbandoned = true
                    return result
                }
            } catch let abandoned as ChatAbandoned {
                attempt("abandoned", usage: abandoned.usage)
                result.isAbandoned = true
                return result
            } catch is CancellationError {
                attempt("abandoned")
                result.isAbandoned = true
                return result
            }
        }
    }

    /// Handed on while it comes, unless it must first be seen whole: only the vendor's own strict form is good from the first character.
    private func answer(
        _ route: ModelRoute, _ question: ChatRequest, within budget: Duration, _ delivery: GenerationDelivery?
    ) async throws -> ChatAnswer {
        guard let delivery, question.answerSchema == nil || question.form == .schema else {
            return try await route.call(question, within: budget)
        }
        return try await route.stream(question, within: budget) { try await delivery.send($0, from: route.provider) }
    }

    private func count(
        _ question: ChatRequest, _ form: AnswerForm, _ purpose: ModelAttempt.Purpose, _ answer: ChatAnswer?, _ outcome: String
    ) {
        guard question.answerSchema != nil else { return }
        if purpose == .reask { return metrics.count(.reask, outcome) }
        if let answer, outcome == "accepted", (try? JSONValue(parsing: Array(answer.content.utf8))) == nil {
            return metrics.count(.repair, outcome)
        }
        metrics.count(form == .schema ? .native : form == .object ? .object : .told, outcome)
    }
}

extension AIGeneration {
    /// The routes of a call, drawn once for what is set aside and for what is asked, with what the first attempt can cost. Circuits open and
    /// close meanwhile: the ladder asks for the difference.
    func plan(_ question: ChatRequest, for call: ModelCall) async throws -> RoutePlan {
        let instant = now()
        var plan = routing.plan(for: call, length: max(question.characters, question.maxTokens), at: instant)
        if plan.hasUnpriced(at: instant), try await limitsMoney(call) { plan = plan.withPrices(at: instant, for: call) }
        return plan.priced(for: question)
    }

    /// ISO 4217.
    func currency(for tenantId: UUID) -> String { routing.catalogue.current(for: tenantId).prices.currency }
}

extension ChatRequest {
    /// A picture in full detail, in tokens: OpenAI's rule for `gpt-4o-mini`, the dearest (2,833 and 5,667 for each of at most 8 tiles).
    private static let tokensOfPicture = 48_169

    var characters: Int { messages.reduce(0) { $0 + $1.content.scalarCount } }

    /// Of a schema that is sent beside the messages: a caller's is counted already, and one that is told stands in the messages.
    var bytesOfOwnSchema: Int { isRelayed || form != .schema ? 0 : answerSchema?.schema.encode().count ?? 0 }

    /// A byte-level tokeniser makes no more tokens than there are bytes, and of rare characters as many; some tokens frame each message.
    var mostPromptTokens: Int {
        messages.reduce(8 + bytesBesideText + bytesOfOwnSchema + pictures * Self.tokensOfPicture) {
            $0 + $1.content.utf8.count + 8
        }
    }

    /// What it can cost at most as it is.
    func mostCost(on route: ModelRoute, _ prices: PriceTable) -> Int64 {
        guard let rates = prices.dearest(provider: route.provider, model: route.modelName) else { return 0 }
        return rates.cost(prompt: mostPromptTokens, completion: maxTokens)
    }

    /// The request as a model is asked that is held to its form in this way.
    func held(to form: AnswerForm) -> ChatRequest {
        guard let answerSchema else { return self }
        var request = self
        request.form = form
        guard form != .schema else { return request }
        let text = """
            输出格式：只输出一个 json 值，符合下面的 JSON Schema，不要解释，不要代码块。
            Output format: exactly one json value that fits this JSON Schema; no explanation, no code fence.
            \(String(decoding: answerSchema.schema.encode(), as: UTF8.self))
            """
        // Behind the other instructions: the beginning that vendors' caches keep stays the same.
        let place = messages.firstIndex { $0.role != .instructions } ?? messages.endIndex
        request.messages.insert(.init(role: .instructions, content: text), at: place)
        return request
    }
}

extension AnswerForm {
    static func strictest(of capabilities: Set<ModelCapability>) -> AnswerForm {
        capabilities.contains(.jsonSchema) ? .schema : capabilities.contains(.jsonObject) ? .object : .told
    }

    /// The next less strict one.
    var next: AnswerForm? {
        switch self {
        case .schema: .object
        case .object: .told
        case .told: nil
        }
    }
}

/// What is left of the money set aside: as a rule enough for one attempt at first.
private struct Purse {
    let ticket: any BudgetTicket
    private var holds: Int64
    /// The least that a budget has refused.
    private var refused = Int64.max

    init(ticket: any BudgetTicket, holds: Int64) {
        self.ticket = ticket
        self.holds = holds
    }

    mutating func pays(_ nano: Int64) async throws -> Bool {
        if nano > holds {
            guard nano - holds < refused else { return false }
            guard try await ticket.extend(by: nano - holds) else {
                refused = nano - holds
                return false
            }
            holds = nano
        }
        holds -= nano
        return true
    }

    /// What was paid for was not asked.
    mutating func takeBack(_ nano: Int64) { holds += nano }
}
