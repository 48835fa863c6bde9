import FoundationEssentials
import HTTPCore

/// Has passages written anew, once, within what the budgets still hold.
struct PassageRewriting: Sendable {
    struct Result: Sendable {
        /// For each passage; `nil`: it did not come about, and `reason` says why.
        var texts: [String]?
        /// Whatever came of it, this was asked and is to be paid.
        var attempts: [ModelAttempt] = []
        /// Not the first choice's.
        var isDegraded = false
        /// In Chinese.
        var reason: String?
        /// Nobody waits for it any more.
        var isAbandoned = false
    }

    let models: AIGeneration
    let prompts: PromptRepository

    func rewrite(_ passages: [(text: String, words: [String])], for call: ModelCall, _ ticket: UsageTicket) async throws -> Result
    {
        // What has been paid for is not lost over a tenant's version that does not take the passages.
        guard let choice = try? await prompts.resolve(PassageRewrite.prompt, for: call.tenantId, subject: call.subject),
            let again = try? PassageRewrite(passages, version: choice.version, customer: Caller.vendorName(of: call.tenantId))
        else { return Result(reason: "改写风险词的提示不可用") }
        let plan: RoutePlan
        do {
            plan = try await models.plan(again.question, for: call)
            guard try await ticket.extend(by: plan.worstCase) else { return Result(reason: "预算不足以改写风险词") }
        } catch is CancellationError {
            return Result(isAbandoned: true)
        }
        let outcome = try await models.perform(again, for: call, ticket: ticket, plan: plan, setAside: plan.worstCase)
        var result = Result(
            texts: outcome.product, attempts: outcome.attempts.map(\.asRewrite), isDegraded: outcome.isDegraded,
            reason: outcome.reason, isAbandoned: outcome.isAbandoned)
        if outcome.product == nil { result.reason = "模型文本含风险词，改写未成：\(outcome.reason ?? "模型不可用")" }
        return result
    }
}
