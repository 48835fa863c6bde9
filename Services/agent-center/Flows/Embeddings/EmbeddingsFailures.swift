import ConcurrencySupport
import HTTPCore

/// 404 or 422: the question does not fit the model.
enum EmbeddingRefused: Error, Sendable, Equatable {
    case unknownModel(String)
    case noEmbeddings(String)
    /// Which input has more tokens than the model reads.
    case tooLong(Int, limit: Int)
    /// The model takes no `dimensions`.
    case fixedDimensions(Int?)
    case tooManyDimensions(most: Int)
}

extension EmbeddingRefused: HTTPFailure {
    var problem: ProblemDescription {
        switch self {
        case .unknownModel(let name): ModelNotFound(name: name).problem
        case .noEmbeddings(let name):
            Self.field(
                "/model", "no_embeddings", zh: "模型 \(name) 不提供向量", en: "the model \(name) makes no embeddings")
        case .tooLong(let index, let limit):
            Self.field(
                "/input/\(index)", "context_length_exceeded", zh: "超过模型的 \(limit) 个词元",
                en: "has more than the model's \(limit) tokens")
        case .fixedDimensions(let own):
            Self.field(
                "/dimensions", "not_supported", zh: "该模型的向量维度固定\(own.map { "为 \($0)" } ?? "")",
                en: "the model's vectors have a fixed length\(own.map { " of \($0)" } ?? "")")
        case .tooManyDimensions(let most):
            Self.field("/dimensions", "out_of_range", zh: "应在 1 到 \(most) 之间", en: "must be between 1 and \(most)")
        }
    }

    private static func field(_ pointer: String, _ code: String, zh: String, en: String) -> ProblemDescription {
        ValidationFailure(pointer: pointer, code: code, zh: zh, en: en).problem
    }
}

/// 404 `model_not_found`, as OpenAI calls it: the tenant can call no model of this name.
struct ModelNotFound: HTTPFailure {
    let name: String

    var problem: ProblemDescription {
        ProblemDescription(
            status: .notFound, code: "model_not_found", title: LocalizedText(zh: "没有这个模型", en: "There is no such model"),
            detail: LocalizedText(
                zh: "模型 \(name.prefix(128)) 不存在或未配置", en: "The model \(name.prefix(128)) does not exist or is not set up"))
    }
}

/// 503: no provider with an embedding model is set up.
struct EmbeddingsNotConfigured: HTTPFailure {
    var problem: ProblemDescription {
        ProblemDescription(
            status: .serviceUnavailable, code: "embeddings.not_configured",
            title: LocalizedText(zh: "未配置任何向量模型", en: "No embedding model is set up"))
    }
}

/// The model gave no vectors, and no other model's may stand in for them.
struct EmbeddingsFailed: Error, Sendable, Equatable {
    let failure: ChatFailure
    let model: String

    init(_ failure: ChatFailure, model: String) {
        self.failure = failure
        self.model = model
    }
}

extension EmbeddingsFailed: HTTPFailure {
    var problem: ProblemDescription {
        switch failure.kind {
        case .contextLength: refusal("context_length_exceeded", zh: "有输入超出模型的长度上限", en: "An input is longer than the model reads")
        case .policy: refusal("content_policy_violation", zh: "模型因内容政策拒绝", en: "The model refused the content")
        case .badRequest: refusal("model.refused_request", zh: "模型拒绝了请求", en: "The model refused the request")
        case .rateLimited, .saturated: outage(.tooManyRequests, "model.rate_limited", retryAfter: hint ?? 1)
        case .timeout: outage(.gatewayTimeout, "model.timeout", retryAfter: 1)
        // Ours to mend: keys, money, names.
        case .authentication, .balance, .forbidden, .modelNotFound:
            outage(.serviceUnavailable, "model.unavailable", retryAfter: nil)
        default: outage(.serviceUnavailable, "model.unavailable", retryAfter: 1)
        }
    }

    /// The vendor's own, in whole seconds.
    private var hint: Int? {
        guard case .retry(let wait?) = failure.reaction else { return nil }
        return max(1, Int(wait.inSeconds.rounded(.up)))
    }

    private func refusal(_ code: String, zh: String, en: String) -> ProblemDescription {
        ProblemDescription(
            status: .unprocessableContent, code: code, title: LocalizedText(zh: zh, en: en),
            issues: [FieldIssue(pointer: "/input", code: code, message: LocalizedText(zh: zh, en: en))])
    }

    private func outage(_ status: HTTPStatus, _ code: String, retryAfter: Int?) -> ProblemDescription {
        ProblemDescription(
            status: status, code: code, title: LocalizedText(zh: "向量模型没有给出结果", en: "The embedding model gave no answer"),
            detail: LocalizedText(zh: "\(model)：\(failure.chineseReason)", en: "\(model): \(failure.kind.rawValue)"),
            retryable: retryAfter != nil, headers: retryAfter.map { ["Retry-After": String($0)] } ?? [:])
    }
}
