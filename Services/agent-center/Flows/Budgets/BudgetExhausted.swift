import FoundationEssentials
import HTTPCore
import Observability

/// 429: a budget does not hold the worst case of the call.
struct BudgetExhausted: Error, Sendable, Equatable {
    /// `nil`: one of those that the call had begun with; scope and period are not known.
    let budgetId: UUID?
    /// As its owner calls it; `nil` where that could not be read.
    var name: String?
    /// `tenant`, `user`, `scene` or `api_key`.
    let scope: String
    /// `day` or `month`.
    let period: String
    /// Until the next period begins.
    let retryAfterSeconds: Int

    /// What was set aside paid for no further attempt. A cheaper model that rests may be back soon.
    static let betweenAttempts = BudgetExhausted(budgetId: nil, scope: "", period: "", retryAfterSeconds: 15)

    private var detail: LocalizedText {
        guard budgetId != nil else {
            return LocalizedText(
                zh: "已调用的模型没有给出可用的结果，预算不足以支付下一次尝试",
                en: "The budget does not hold the cost of another model, and those before it gave no answer")
        }
        let whose = [
            "tenant": ("租户", "of the tenant"), "user": ("用户", "of the user"), "scene": ("场景", "of the scene"),
            "api_key": ("API 密钥", "of the API key"),
        ]
        let (scope, period) = (
            whose[scope] ?? (scope, scope),
            ["day": ("今日", "for today"), "month": ("本月", "for this month")][period] ?? (period, period)
        )
        return LocalizedText(
            zh: "\(scope.0)\(period.0)预算\(name.map { "“\($0)”" } ?? "")不足以支付本次调用",
            en: "The budget \(name.map { "'\($0)' " } ?? "")\(scope.1) \(period.1) does not hold the cost of this call")
    }
}

extension BudgetExhausted: HTTPFailure {
    var problem: ProblemDescription {
        ProblemDescription(
            status: .tooManyRequests, code: "budget.exhausted",
            title: LocalizedText(zh: "AI 预算已用尽", en: "The AI budget is exhausted"),
            detail: detail, retryable: true, headers: ["Retry-After": String(max(1, retryAfterSeconds))],
            budgetId: budgetId)
    }
}

/// 403: a budget limits the money of the call, and the model has no price. No retry helps, only an administrator.
struct ModelUnpriced: HTTPFailure, Equatable {
    /// `provider/model`; `nil` where it is all of a policy's.
    var model: String?

    var problem: ProblemDescription {
        ProblemDescription(
            status: .forbidden, code: "model.unpriced", title: LocalizedText(zh: "模型没有价格", en: "The model has no price"),
            detail: LocalizedText(
                zh: "适用的预算限制金额，而\(model.map { "模型 \($0) " } ?? "策略中的模型")没有价格，无法预留也无法计费；请管理员设置价格（免费的设为 0）",
                en:
                    "A budget limits the money of this call, and \(model.map { "\($0) has no" } ?? "no model of the policy has a") "
                    + "price: nothing can be set aside or charged. An administrator can set one (0 where it is free)"))
    }
}

/// 409: another process is at work on the same operation, and did not end in time.
struct OperationInProgress: Error, Sendable, Equatable {}

extension OperationInProgress: HTTPFailure {
    var problem: ProblemDescription {
        ProblemDescription(
            status: .conflict, code: "operation.in_progress",
            title: LocalizedText(zh: "同一操作正在处理中", en: "The same operation is in progress"), retryable: true,
            headers: ["Retry-After": "1"])
    }
}

/// 409: the operation was done, and its text was erased since.
struct AnswerErased: Error, Sendable, Equatable {}

extension AnswerErased: HTTPFailure {
    var problem: ProblemDescription {
        ProblemDescription(
            status: .conflict, code: "operation.answer_erased",
            title: LocalizedText(zh: "该操作已完成，其内容已按保留期清除", en: "The operation was done and its text has been erased"))
    }
}
