import DTO
import FoundationEssentials
import HTTPCore
import Observability

enum RunError: HTTPFailure, Equatable {
    /// No such run, or another tenant's.
    case notFound
    /// The operation's id belongs to another request.
    case operationReused
    /// There is nothing left to cancel.
    case finished(RunState)
    /// There is nothing to take up again.
    case notRetryable(RunState)
    /// Somebody cancelled the run that the request waited for.
    case canceled(UUID)

    /// What is said of a run that could not be brought to an end.
    static var unfinished: FlowProblem {
        FlowProblem(
            Unavailable(code: "run.failed"), title: LocalizedText(zh: "任务多次尝试仍未完成", en: "The run did not come to an end"))
    }

    var problem: ProblemDescription {
        switch self {
        case .notFound:
            ProblemDescription(status: .notFound, code: "run.not_found", title: LocalizedText(zh: "任务不存在", en: "No such run"))
        case .operationReused:
            ProblemDescription(
                status: .conflict, code: "operation.reused",
                title: LocalizedText(zh: "操作编号已用于另一个请求", en: "The operation id was used for another request"))
        case .finished(let state):
            ProblemDescription(
                status: .conflict, code: "run.finished",
                title: LocalizedText(zh: "任务已经结束", en: "The run has ended"),
                detail: LocalizedText(zh: "状态：\(state.chineseName)", en: "Its state is \(state.rawValue)"))
        case .notRetryable(let state):
            ProblemDescription(
                status: .conflict, code: "run.not_retryable",
                title: LocalizedText(zh: "任务不能重试", en: "The run cannot be retried"), detail: Self.reason(against: state))
        case .canceled(let id):
            ProblemDescription(
                status: .conflict, code: "run.canceled",
                title: LocalizedText(zh: "任务已被取消", en: "The run was cancelled"),
                detail: LocalizedText(
                    zh: "已完成的步骤及其草稿保留，见 /api/runs/\(id.text)",
                    en: "Steps that were done stay done, with their drafts: see /api/runs/\(id.text)"))
        }
    }
}

extension RunState {
    fileprivate var chineseName: String {
        switch self {
        case .queued: "排队中"
        case .running: "进行中"
        case .succeeded: "已完成"
        case .failed: "已失败"
        case .canceled: "已取消"
        }
    }
}

extension RunError {
    private static func reason(against state: RunState) -> LocalizedText {
        switch state {
        case .queued, .running: LocalizedText(zh: "任务仍在进行", en: "It is still under way")
        case .succeeded: LocalizedText(zh: "任务的每一步都已完成", en: "Every step of it is done")
        case .canceled: LocalizedText(zh: "任务已被取消，请重新发起", en: "It was cancelled; begin a new one")
        case .failed: LocalizedText(zh: "状态：\(RunState.failed.chineseName)", en: "Its state is failed")
        }
    }
}

extension FlowProblem {
    fileprivate init(_ failure: Unavailable, title: LocalizedText) {
        self.init(failure)
        self.title = title.zh
    }
}
