import DTO
import HTTPCore

enum ReviewError: Error, Equatable {
    /// The action does not lead anywhere from here.
    case wrongState(ContentStatus, ReviewAction)
    /// Nobody releases their own text, unless they are allowed to.
    case ownText
}

extension ReviewError: HTTPFailure {
    var problem: ProblemDescription {
        switch self {
        case .wrongState(let status, let action):
            ProblemDescription(
                status: .conflict, code: "content.wrong_status",
                title: LocalizedText(zh: "当前状态不能执行此操作", en: "Not possible in this status"),
                detail: LocalizedText(
                    zh: "内容状态为“\(status.chineseName)”，不能“\(action.chineseName)”。",
                    en: "The content is \(status.englishName), so \(action.rawValue) leads nowhere."))
        case .ownText:
            ProblemDescription(
                status: .forbidden, code: "content.own_text",
                title: LocalizedText(zh: "不能审批自己写的内容", en: "Nobody approves their own text"),
                detail: LocalizedText(
                    zh: "最新版本由你所写，请由他人审批。", en: "You wrote the newest version; somebody else has to approve it."))
        }
    }
}
