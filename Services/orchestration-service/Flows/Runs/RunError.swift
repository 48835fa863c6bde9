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
                detail: LocalizedText(zh: "状态：\(state.rawValue)", en: "Its state is \(state.rawValue)"))
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

extension FlowProblem {
    fileprivate init(_ failure: Unavailable, title: LocalizedText) {
        self.init(failure)
        self.title = title.zh
    }
}
