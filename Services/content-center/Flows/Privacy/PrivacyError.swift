import HTTPCore

enum PrivacyError: Error, Equatable {
    case noSuchExport
    /// One at a time.
    case exportRunning
    case notConfirmed
    case erasedBefore
    /// Nobody has ordered an erasure.
    case notErased
    /// A write after the order to erase.
    case erased
}

extension PrivacyError: HTTPFailure {
    var problem: ProblemDescription {
        switch self {
        case .noSuchExport:
            ProblemDescription(
                status: .notFound, code: "tenant.export_not_found", title: LocalizedText(zh: "导出不存在", en: "No such export"))
        case .exportRunning:
            ProblemDescription(
                status: .conflict, code: "tenant.export_running",
                title: LocalizedText(zh: "已有导出正在进行", en: "An export is under way"),
                detail: LocalizedText(zh: "请等待它完成或先取消。", en: "Wait for its end, or cancel it."))
        case .notConfirmed:
            ValidationFailure(
                pointer: "/confirmation", code: "mismatch", zh: "应为 erase 加空格和本企业的 ID",
                en: "must be `erase `, then the tenant's id"
            ).problem
        case .erasedBefore:
            ProblemDescription(
                status: .conflict, code: "tenant.erased_before",
                title: LocalizedText(zh: "本企业的数据已删除或正在删除", en: "The tenant was erased, or is being erased"))
        case .notErased:
            ProblemDescription(
                status: .notFound, code: "tenant.not_erased", title: LocalizedText(zh: "没有删除记录", en: "There was no erasure"))
        case .erased:
            ProblemDescription(
                status: .forbidden, code: "tenant.erased",
                title: LocalizedText(zh: "本企业的数据已删除，不能再写入", en: "The tenant was erased; nothing is taken any more"))
        }
    }
}
