import DTO
import HTTPCore

enum MaterialError: Error, Equatable {
    /// No such material, another tenant's, or one that is not there for whoever asks: they all look the same.
    case notFound
    case versionConflict
    /// The review does not lead anywhere from here.
    case wrongStatus(MaterialStatus)
    /// A file without a file.
    case noFile
    case nothingInIt
    /// These members name files that the tenant does not have, or that are not complete.
    case unknownAssets([Int])
}

extension MaterialError: HTTPFailure {
    var problem: ProblemDescription {
        switch self {
        case .notFound:
            ProblemDescription(
                status: .notFound, code: "material.not_found", title: LocalizedText(zh: "成交素材不存在", en: "No such material"))
        case .versionConflict:
            ProblemDescription(
                status: .preconditionFailed, code: "material.version_conflict",
                title: LocalizedText(zh: "成交素材已被修改", en: "The material has changed"),
                detail: LocalizedText(zh: "请重新读取后再操作。", en: "Read it again, then name what you have read."))
        case .wrongStatus(let status):
            ProblemDescription(
                status: .conflict, code: "material.wrong_status",
                title: LocalizedText(zh: "当前状态不能执行此操作", en: "Not possible in this status"),
                detail: LocalizedText(zh: "素材状态为“\(status.chineseName)”。", en: "The material is \(status.rawValue)."))
        case .noFile:
            ValidationFailure(
                pointer: "/assetIds", code: "required", zh: "文件类素材须有附件", en: "a file has at least one asset"
            ).problem
        case .nothingInIt:
            ValidationFailure(
                pointer: "/text", code: "required", zh: "须有正文或附件", en: "is required where there are no assets"
            ).problem
        case .unknownAssets(let indices):
            ValidationFailure(
                indices.map {
                    FieldIssue(
                        pointer: "/assetIds/\($0)", code: "not_found",
                        message: LocalizedText(zh: "没有这个素材", en: "there is no such asset"))
                }
            ).problem
        }
    }
}
