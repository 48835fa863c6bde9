import DTO
import HTTPCore

enum ContentsError: Error, Equatable {
    /// No such content, or another tenant's: the two look the same.
    case notFound
    /// The content is there.
    case noSuchVersion(Int)
    case versionConflict
    case versionRequired
    case selectionOutOfRange(count: Int)
    /// The operation's id already wrote a version of another content.
    case operationReused
    /// Members that the content's kind does not have, or values that do not fit it.
    case editRefused([FieldIssue])
    /// A version of another kind than its content.
    case otherKind(ContentKind)
    /// These members name files that the tenant does not have.
    case unknownAssets([String])
    /// This member names no script of the tenant.
    case unknownScript(String)
    /// Contents of this kind have no such file.
    case formatRefused(ContentExportFormat, ContentKind)
    /// Subtitles of a script in which nobody speaks.
    case nothingSpoken
}

extension ContentsError: HTTPFailure {
    var problem: ProblemDescription {
        switch self {
        case .notFound:
            ProblemDescription(
                status: .notFound, code: "content.not_found", title: LocalizedText(zh: "内容不存在", en: "No such content"))
        case .noSuchVersion(let version):
            ProblemDescription(
                status: .notFound, code: "content.version_not_found",
                title: LocalizedText(zh: "内容没有这个版本", en: "The content has no such version"),
                detail: LocalizedText(zh: "没有版本 \(version)。", en: "There is no version \(version)."))
        case .versionConflict:
            ProblemDescription(
                status: .preconditionFailed, code: "content.version_conflict",
                title: LocalizedText(zh: "内容已被修改", en: "The content has changed"),
                detail: LocalizedText(
                    zh: "请重新读取最新版本后再编辑。", en: "Read the newest version, then edit that one."))
        case .versionRequired:
            ProblemDescription(
                status: .preconditionRequired, code: "content.version_required",
                title: LocalizedText(zh: "缺少 If-Match", en: "If-Match is missing"),
                detail: LocalizedText(
                    zh: "编辑时须用 If-Match 带上所读版本的 ETag。", en: "An edit names the ETag of the version it edits in If-Match."))
        case .selectionOutOfRange(let count):
            ProblemDescription(
                status: .unprocessableContent, code: "request.invalid",
                title: LocalizedText(zh: "请求内容有误", en: "The request is invalid"),
                issues: [
                    FieldIssue(
                        pointer: "/selected", code: "out_of_range",
                        message: LocalizedText(
                            zh: "须小于候选数 \(count)", en: "Must be less than the number of candidates, \(count)"))
                ])
        case .editRefused(let issues): ValidationFailure(issues).problem
        case .otherKind(let kind):
            ValidationFailure(
                pointer: "/kind", code: "other_kind", zh: "该内容的类型是\(kind.chineseName)",
                en: "the content is of kind \(kind.rawValue)"
            ).problem
        case .unknownAssets(let pointers):
            ValidationFailure(
                pointers.map {
                    FieldIssue(
                        pointer: $0, code: "not_found", message: LocalizedText(zh: "没有这个素材", en: "there is no such asset"))
                }
            ).problem
        case .unknownScript(let pointer):
            ValidationFailure(pointer: pointer, code: "not_found", zh: "没有这个视频脚本", en: "there is no such video script").problem
        case .formatRefused(let format, let kind):
            ValidationFailure(
                pointer: "?format", code: "other_kind", zh: "\(kind.chineseName)不能导出为 \(format.rawValue)",
                en: "a content of kind \(kind.rawValue) cannot be exported as \(format.rawValue)"
            ).problem
        case .nothingSpoken:
            ValidationFailure(
                pointer: "?format", code: "nothing_spoken", zh: "脚本没有台词，也没有字幕，没有可导出的内容",
                en: "no scene of this script has a line or a subtitle"
            ).problem
        case .operationReused:
            ProblemDescription(
                status: .conflict, code: "operation.reused",
                title: LocalizedText(zh: "操作编号已被使用", en: "The operation id is already used"))
        }
    }
}
