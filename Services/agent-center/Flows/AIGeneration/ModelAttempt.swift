import ConcurrencySupport
import FoundationEssentials
import Observability

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
    /// `answered`, `rejected`, `abandoned` (the caller left), or a ``ChatFailure/Kind``.
    var outcome: String
    var detail: String?
    /// How the model was held to the form of its answer; `nil` for plain text.
    var form: String?
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
        let cause = cause.map { "（\(Self.chineseReason($0))）" } ?? ""
        return Self.chineseReason(kind) + cause
    }

    private static func chineseReason(_ kind: Kind) -> String {
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
        case .connection: "与模型服务的连接失败或中断"
        case .timeout: "模型响应超时"
        case .truncated: "模型回答中断"
        case .blank: "模型返回空内容"
        case .length: "模型回答被截断"
        case .unknownFinish: "模型回答异常结束"
        case .malformed: "模型返回无法解析"
        case .unsupportedForm: "模型不支持所要求的输出格式"
        case .circuitOpen: "模型线路熔断中"
        case .saturated: "模型并发已满"
        }
    }
}

/// What the ladder counts.
struct GenerationMetrics: Sendable {
    private let calls: Counter
    private let seconds: Histogram
    private let firstToken: Histogram
    private let tokens: Counter
    private let rungs: Counter
    private let surprises: Counter

    init(_ registry: MetricsRegistry) {
        calls = registry.counter(
            "agent_model_calls_total", help: "Model calls by route, purpose and outcome", labels: ["route", "purpose", "outcome"])
        seconds = registry.histogram("agent_model_call_seconds", help: "Duration of model calls", labels: ["route"])
        firstToken = registry.histogram(
            "agent_model_first_token_seconds", help: "From the request to the first token of streamed answers", labels: ["route"])
        tokens = registry.counter(
            "agent_model_tokens_total", help: "Tokens used, by route and class", labels: ["route", "class"])
        rungs = registry.counter(
            "agent_structured_answers_total",
            help: "Answers that must have a form, by the rung of the ladder that gave them and what became of them",
            labels: ["rung", "outcome"])
        surprises = registry.counter(
            "agent_model_surprises_total",
            help: "Answers of another model than the one asked for, and answers longer than was allowed",
            labels: ["route", "surprise"])
    }

    enum Surprise: String {
        case otherModel = "other_model"
        case limitIgnored = "limit_ignored"
    }

    func count(_ surprise: Surprise, _ route: ModelRoute) { surprises.increment([route.name, surprise.rawValue]) }

    enum Rung: String {
        case native, object = "json_object", told, repair, reask
        case nextRoute = "next_route"
        case template
    }

    func count(_ rung: Rung, _ outcome: String) { rungs.increment([rung.rawValue, outcome]) }

    /// - Parameter firstToken: of an answer that was streamed.
    func count(_ attempt: ModelAttempt, firstToken: Duration? = nil) {
        let route = "\(attempt.provider)/\(attempt.askedModel)"
        calls.increment([route, attempt.purpose.rawValue, attempt.outcome])
        seconds.observe(Double(attempt.latencyMs) / 1_000, [route])
        if let firstToken { self.firstToken.observe(firstToken, [route]) }
        if attempt.promptTokens > 0 { tokens.increment(by: Double(attempt.promptTokens), [route, "prompt"]) }
        if attempt.completionTokens > 0 { tokens.increment(by: Double(attempt.completionTokens), [route, "completion"]) }
    }
}
