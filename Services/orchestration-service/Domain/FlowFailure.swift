import DTO
import HTTPCore
import ServiceDefaults

/// Why a flow, or a step of it, did not come about, in words that can be kept and shown.
struct FlowFailure: HTTPFailure, Equatable {
    let flowProblem: FlowProblem

    init(_ problem: FlowProblem) { flowProblem = problem }

    var problem: ProblemDescription {
        var headers = HTTPHeaders()
        if let seconds = flowProblem.retryAfterSeconds { headers["Retry-After"] = String(seconds) }
        // The words were chosen in the language of whoever started the flow.
        return ProblemDescription(
            status: HTTPStatus(flowProblem.status), code: flowProblem.code, title: Self.both(flowProblem.title),
            detail: flowProblem.detail.map(Self.both), retryable: flowProblem.retryable,
            issues: (flowProblem.errors ?? []).map {
                FieldIssue(pointer: $0.pointer, code: $0.code, message: Self.both($0.message))
            }, headers: headers, budgetId: flowProblem.budgetId)
    }

    private static func both(_ text: String) -> LocalizedText { LocalizedText(zh: text, en: text) }
}

extension FlowProblem {
    /// In the language of the work that is under way.
    init(_ failure: any HTTPFailure) {
        if let failure = failure as? FlowFailure {
            self = failure.flowProblem
            return
        }
        let (problem, language) = (failure.problem, CallerLanguage.current)
        self.init(
            code: problem.code, title: problem.title.text(in: language), status: problem.status.code,
            detail: problem.detail?.text(in: language), retryable: problem.retryable,
            retryAfterSeconds: problem.headers["Retry-After"].flatMap { Int($0) },
            errors: problem.issues.isEmpty
                ? nil
                : problem.issues.map { Field(pointer: $0.pointer, code: $0.code, message: $0.message.text(in: language)) },
            budgetId: problem.budgetId)
    }

    /// A busy or absent part, or an operation that another process is just at: the same step may well succeed in a moment.
    var isPassing: Bool { retryable && [409, 502, 503, 504].contains(status) }

    /// Before the next attempt: as long as was asked for, where that is longer. (One second is what our own services say when they
    /// know nothing better.)
    func pause(after delay: Duration) -> Duration {
        guard let retryAfterSeconds, retryAfterSeconds > 1 else { return delay }
        return max(delay, .seconds(retryAfterSeconds))
    }
}
