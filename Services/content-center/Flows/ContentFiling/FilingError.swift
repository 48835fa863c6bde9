import DTO
import HTTPCore

enum FilingError: Error, Equatable {
    case noSuchSpace
    /// Named in a request's body or query.
    case unknownSpace
    case nameTaken
    case spaceNotEmpty(Int)
    /// With those that are added to what is there.
    case tooManyTags
    /// Being published.
    case inUse(ContentStatus)
    /// An account is publishing it still, in whichever version.
    case beingPublished(ContentStatus)
}

extension FilingError: HTTPFailure {
    var problem: ProblemDescription {
        switch self {
        case .noSuchSpace:
            ProblemDescription(
                status: .notFound, code: "space.not_found", title: LocalizedText(zh: "项目空间不存在", en: "No such space"))
        case .unknownSpace:
            ValidationFailure(pointer: "/spaceId", code: "not_found", zh: "没有这个项目空间", en: "there is no such space").problem
        case .nameTaken:
            ProblemDescription(
                status: .conflict, code: "space.name_taken",
                title: LocalizedText(zh: "已有同名的项目空间", en: "A space of this name is there already"))
        case .spaceNotEmpty(let count):
            ProblemDescription(
                status: .conflict, code: "space.not_empty", title: LocalizedText(zh: "项目空间不为空", en: "The space is not empty"),
                detail: LocalizedText(zh: "还有 \(count) 个内容，请先移走。", en: "\(count) contents are in it; move them first."))
        case .tooManyTags:
            ProblemDescription(
                status: .unprocessableContent, code: "content.too_many_tags",
                title: LocalizedText(
                    zh: "一个内容最多 \(LabelChange.maxTags) 个标签", en: "A content has at most \(LabelChange.maxTags) tags"))
        case .inUse(let status):
            ProblemDescription(
                status: .conflict, code: "content.wrong_status",
                title: LocalizedText(zh: "当前状态不能删除", en: "Not possible in this status"),
                detail: LocalizedText(
                    zh: "内容状态为“\(status.chineseName)”，请先取消发布。",
                    en: "The content is \(status.englishName); cancel its publishing first."))
        case .beingPublished(let status):
            ProblemDescription(
                status: .conflict, code: "content.being_published",
                title: LocalizedText(zh: "内容仍在发布中", en: "The content is being published still"),
                detail: LocalizedText(
                    zh: "某个账号上的发布状态为“\(status.chineseName)”，请先取消发布。",
                    en: "Its publication on an account is \(status.englishName); cancel it first."))
        }
    }
}
