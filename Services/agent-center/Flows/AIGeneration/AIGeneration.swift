import ConcurrencySupport
import FoundationEssentials
import Observability

/// A kind of text: how it is asked for, and when an answer passes.
protocol GenerationTask: Sendable {
    associatedtype Product: Sendable
    var question: ChatRequest { get }
    /// The question put again with what was wrong.
    func question(afterRejected answer: String, because problem: String) -> ChatRequest
    /// Judges all answers of one route together: a second answer may complete the first.
    func verdict(on answers: [String]) -> GenerationVerdict<Product>
}

enum GenerationVerdict<Product: Sendable>: Sendable {
    case accepted(Product)
    /// What is wrong, in words that the model can act on.
    case rejected(String)
}

/// The model side of every text that this service writes: asks the routes one after the other until an answer passes its check.
///
/// On each route: the question; once more if the failure may pass; once more with the fault quoted if the answer did not pass.
/// Then the next route. Nothing blank, cut, stalled or ended for an unknown reason counts as an answer. A refusal for policy
/// ends it all: it is not offered to another model. What was used is counted whatever came of it.
struct AIGeneration: Sendable {
    let routing: Routing
    let metrics: GenerationMetrics
    let logger: Logger
    /// The instant that decides the price band.
    var now: @Sendable () -> Date = { Date() }
    /// Time for what comes after the last route: writing the fallback and the ledger. A tenth of what there is, within bounds.
    static func reserve(of remaining: Duration) -> Duration { min(max(remaining / 10, .milliseconds(400)), .seconds(1.5)) }

    struct Outcome<Product: Sendable>: Sendable {
        /// `nil`: no route gave a usable answer.
        var product: Product?
        var provider = ""
        var modelName = ""
        /// Whether the answer is not the first choice's; `reason` says why.
        var isDegraded = false
        /// In Chinese, for the caller.
        var reason: String?
        var attempts: [ModelAttempt] = []

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

    /// - Parameter ticket: what the budgets have set aside for the first attempt; each further one asks for more.
    func run<T: GenerationTask>(
        _ task: T, for call: ModelCall, ticket: some BudgetTicket = UnlimitedTicket()
    ) async throws -> Outcome<T.Product> {
        let (plan, deadline) = (plan(task.question, for: call), call.deadline)
        var purse = Purse(ticket: ticket)
        var outcome = Outcome<T.Product>()
        outcome.reason = plan.note
        guard !plan.routes.isEmpty else {
            outcome.isDegraded = true
            outcome.reason = "未配置任何模型密钥"
            return outcome
        }
        let reserve = Self.reserve(of: deadline.remaining)
        for (index, route) in plan.routes.enumerated() {
            let budget = RoutePlan.budget(
                remaining: deadline.remaining - reserve, isLast: index == plan.routes.count - 1)
            guard budget > .milliseconds(100) else {
                outcome.reason = outcome.reason ?? "剩余时间不足以调用模型"
                break
            }
            let result = try await ask(route, task, within: budget, prices: plan.prices, purse: &purse)
            outcome.attempts += result.attempts
            if let product = result.product {
                outcome.product = product
                outcome.provider = route.provider
                outcome.modelName = result.modelName
                outcome.isDegraded = index > 0 || plan.note != nil
                if !outcome.isDegraded { outcome.reason = nil }
                return outcome
            }
            outcome.reason = "\(route.name)：\(result.failure?.chineseReason ?? "没有给出可用的结果")"
            logger.warning(
                "no usable answer from the model route",
                ["route": route.name, "failure": result.failure?.kind.rawValue ?? "rejected", "detail": result.detail])
            if purse.isEmpty { outcome.reason = "预算不足" }
            if case .stop? = result.failure?.reaction { break }
            if purse.isEmpty { break }
        }
        outcome.isDegraded = true
        return outcome
    }

    // MARK: One route

    private struct RouteResult<Product> {
        var product: Product?
        var modelName = ""
        var attempts: [ModelAttempt] = []
        var failure: ChatFailure?
        var detail = ""
    }

    private func ask<T: GenerationTask>(
        _ route: ModelRoute, _ task: T, within budget: Duration, prices: PriceTable, purse: inout Purse
    ) async throws -> RouteResult<T.Product> {
        let deadline = Deadline.after(budget)
        var result = RouteResult<T.Product>()
        var question = task.question
        var answers: [String] = []
        var mayRetry = true
        var purpose = ModelAttempt.Purpose.ask
        while true {
            // What the budgets have set aside pays for one attempt; a route that rests costs nothing.
            if (try? route.checkOpen()) != nil {
                guard try await purse.pays(question.worstCase(on: route, prices)) else { return result }
            }
            let started = ContinuousClock.now
            let sentAt = now()
            do {
                let answer = try await route.call(question, within: deadline.remaining)
                answers.append(answer.content)
                result.modelName = answer.model
                let verdict = task.verdict(on: answers)
                var attempt = ModelAttempt(
                    route: route, purpose: purpose, outcome: "answered", model: answer.model, usage: answer.usage, prices: prices,
                    sentAt: sentAt, latency: started.duration(to: .now))
                switch verdict {
                case .accepted(let product):
                    record(attempt, into: &result.attempts)
                    result.product = product
                    return result
                case .rejected(let problem):
                    attempt.outcome = "rejected"
                    attempt.detail = String(problem.prefix(300))
                    record(attempt, into: &result.attempts)
                    result.detail = problem
                    guard answers.count == 1, deadline.remaining > .milliseconds(500) else { return result }
                    question = task.question(afterRejected: answer.content, because: problem)
                    purpose = .reask
                }
            } catch let failure as ChatFailure {
                record(
                    ModelAttempt(
                        route: route, purpose: purpose, outcome: failure.kind.rawValue, model: route.modelName,
                        usage: failure.usage ?? .none, prices: prices, sentAt: sentAt, latency: started.duration(to: .now),
                        detail: failure.message),
                    into: &result.attempts)
                result.failure = failure
                result.detail = failure.message
                guard mayRetry, case .retry(let hint) = failure.reaction else { return result }
                let wait = hint ?? .milliseconds(Int64.random(in: 150...350))
                // A second try must leave the time that a first token needs.
                guard deadline.remaining > wait + .milliseconds(500) else { return result }
                mayRetry = false
                if purpose == .ask { purpose = .retry }
                try await Task.sleep(for: wait)
            }
        }
    }

    private func record(_ attempt: ModelAttempt, into attempts: inout [ModelAttempt]) {
        attempts.append(attempt)
        metrics.count(attempt)
    }
}

extension AIGeneration {
    func plan(_ question: ChatRequest, for call: ModelCall) -> RoutePlan {
        routing.plan(for: call, length: max(question.characters, question.maxTokens), at: now())
    }

    /// The most that the first attempt can cost, in 1e-9 of the catalogue's currency; 0 where no route leads anywhere.
    func worstCase(of question: ChatRequest, for call: ModelCall) -> Int64 {
        let plan = plan(question, for: call)
        return plan.routes.first.map { question.worstCase(on: $0, plan.prices) } ?? 0
    }

    /// ISO 4217.
    func currency(for tenantId: UUID) -> String { routing.catalogue.current(for: tenantId).prices.currency }
}

extension ChatRequest {
    var characters: Int { messages.reduce(0) { $0 + $1.content.unicodeScalars.count } }

    /// Two bytes a token is more than any tokeniser needs for text, and some tokens frame each message.
    var mostPromptTokens: Int { messages.reduce(8) { $0 + $1.content.utf8.count / 2 + 8 } }

    func worstCase(on route: ModelRoute, _ prices: PriceTable) -> Int64 {
        prices.dearest(provider: route.provider, model: route.modelName)
            .map { Int64(mostPromptTokens) * $0.prompt + Int64(maxTokens) * $0.completion } ?? 0
    }
}

/// What is left of the money set aside: enough for one attempt at first.
private struct Purse {
    let ticket: any BudgetTicket
    private var isFirst = true
    private(set) var isEmpty = false

    init(ticket: any BudgetTicket) { self.ticket = ticket }

    mutating func pays(_ nano: Int64) async throws -> Bool {
        if isFirst {
            isFirst = false
            return true
        }
        isEmpty = try await !ticket.extend(by: nano)
        return !isEmpty
    }
}

/// One call to a model, as the ledger keeps it.
struct ModelAttempt: Sendable, Codable, Equatable {
    enum Purpose: String, Sendable, Codable {
        case ask
        case retry
        /// With the fault of the answer before it quoted.
        case reask
        /// For the passages alone in which forbidden words stand.
        case rewrite
    }

    var provider: String
    var askedModel: String
    var model: String
    var purpose: Purpose
    /// `answered`, `rejected`, or a ``ChatFailure/Kind``.
    var outcome: String
    var detail: String?
    var latencyMs: Int
    var promptTokens: Int
    var cachedPromptTokens: Int
    var completionTokens: Int
    var isEstimated: Bool
    /// `nil`: the table knows no price for the model, and the cost is 0.
    var priceVersion: String?
    var costNano: Int64

    init(
        route: ModelRoute, purpose: Purpose, outcome: String, model: String, usage: ChatUsage, prices: PriceTable, sentAt: Date,
        latency: Duration, detail: String? = nil
    ) {
        // The vendor bills the model that answered; where its name says nothing to us, the one that was asked for.
        let price =
            prices.price(provider: route.provider, model: model, at: sentAt)
            ?? prices.price(provider: route.provider, model: route.modelName, at: sentAt)
        provider = route.provider
        askedModel = route.modelName
        self.model = model
        self.purpose = purpose
        self.outcome = outcome
        self.detail = detail
        latencyMs = Int(latency.milliseconds)
        promptTokens = usage.promptTokens
        cachedPromptTokens = usage.cachedPromptTokens
        completionTokens = usage.completionTokens
        isEstimated = usage.isEstimated
        priceVersion = price?.version
        costNano = price?.cost(of: usage) ?? 0
    }
}

extension ModelAttempt {
    /// The same, said of a rewrite; a second attempt at it keeps its own name.
    var asRewrite: ModelAttempt {
        var attempt = self
        if purpose == .ask { attempt.purpose = .rewrite }
        return attempt
    }
}

extension ChatFailure {
    /// For the caller: what went wrong, without the vendor's words.
    var chineseReason: String {
        switch kind {
        case .badRequest: "模型拒绝了请求格式"
        case .contextLength: "内容超出模型上下文长度"
        case .policy: "模型因内容政策拒绝"
        case .authentication: "模型密钥无效"
        case .balance: "模型账户余额不足"
        case .forbidden: "模型服务拒绝访问"
        case .modelNotFound: "模型不存在或已下线"
        case .rateLimited: "模型限流"
        case .conflict: "模型服务冲突"
        case .serverError: "模型服务出错"
        case .overloaded: "模型服务过载"
        case .connection: "无法连接模型服务"
        case .timeout: "模型响应超时"
        case .truncated: "模型回答中断"
        case .blank: "模型返回空内容"
        case .length: "模型回答被截断"
        case .unknownFinish: "模型回答异常结束"
        case .malformed: "模型返回无法解析"
        case .circuitOpen: "模型线路熔断中"
        case .saturated: "模型并发已满"
        }
    }
}

/// What the ladder counts.
struct GenerationMetrics: Sendable {
    private let calls: Counter
    private let seconds: Histogram
    private let tokens: Counter

    init(_ registry: MetricsRegistry) {
        calls = registry.counter(
            "agent_model_calls_total", help: "Model calls by route, purpose and outcome", labels: ["route", "purpose", "outcome"])
        seconds = registry.histogram("agent_model_call_seconds", help: "Duration of model calls", labels: ["route"])
        tokens = registry.counter(
            "agent_model_tokens_total", help: "Tokens used, by route and class", labels: ["route", "class"])
    }

    func count(_ attempt: ModelAttempt) {
        let route = "\(attempt.provider)/\(attempt.askedModel)"
        calls.increment([route, attempt.purpose.rawValue, attempt.outcome])
        seconds.observe(Double(attempt.latencyMs) / 1_000, [route])
        if attempt.promptTokens > 0 { tokens.increment(by: Double(attempt.promptTokens), [route, "prompt"]) }
        if attempt.completionTokens > 0 { tokens.increment(by: Double(attempt.completionTokens), [route, "completion"]) }
    }
}
