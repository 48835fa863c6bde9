import HTTPCore

enum AssetError: Error, Equatable {
    /// No such asset, or another tenant's: the two look the same.
    case notFound
    /// `complete` before the bytes were sent.
    case notUploaded
    /// Its bytes are not here yet.
    case notReady
    /// Another request completes the same upload.
    case completing
    case sizeRefused(most: Int)
    case otherSize(announced: Int, found: Int)
    case otherHash(found: String)
    case flawed(FileFlaw, FileType)
    /// It was not announced as an upload in parts, or is no upload any more.
    case notInParts
    case beyondQuota(used: Int, limit: Int)
    /// Contents show it.
    case inUse(contents: Int)
    /// Closing materials have it, or it is an account's avatar.
    case held(AssetHolders)

    /// Somebody uses it, or it is not there.
    var isAboutItsUse: Bool {
        switch self {
        case .notFound, .inUse, .held: true
        default: false
        }
    }

    var isAboutTheTenant: Bool { if case .beyondQuota = self { true } else { false } }

    /// - Returns: `nil` for what says nothing about the file.
    init?(refusing error: any Error, declared type: FileType) {
        switch error {
        case let error as AssetError where error != .completing: self = error
        case let flaw as FileFlaw: self = .flawed(flaw, type)
        default: return nil
        }
    }
}

extension AssetError: HTTPFailure {
    var problem: ProblemDescription {
        switch self {
        case .notFound:
            ProblemDescription(status: .notFound, code: "asset.not_found", title: LocalizedText(zh: "素材不存在", en: "No such asset"))
        case .notUploaded:
            ProblemDescription(
                status: .conflict, code: "asset.not_uploaded",
                title: LocalizedText(zh: "文件还没有上传", en: "The file has not been uploaded"),
                detail: LocalizedText(
                    zh: "请先把文件（分片上传时为全部分片）上传到所给的地址。",
                    en: "Send the bytes to the given URL first, all of them and every part."))
        case .notReady:
            ProblemDescription(
                status: .conflict, code: "asset.not_ready",
                title: LocalizedText(zh: "素材还没有完成上传", en: "The asset's upload is not complete"))
        case .completing:
            Conflict(
                code: "asset.completing", title: LocalizedText(zh: "该上传正在处理", en: "The upload is being completed"),
                retryable: true
            ).problem
        case .sizeRefused(let most):
            refused("/size", "out_of_range", LocalizedText(zh: "应为 1 到 \(most) 字节", en: "must be 1 to \(most) bytes"))
        case .otherSize(let announced, let found):
            refused(
                "/size", "mismatch",
                LocalizedText(zh: "声明 \(announced) 字节，收到 \(found) 字节", en: "\(announced) bytes were announced, \(found) came"))
        case .otherHash(let found):
            refused(
                "/sha256", "mismatch", LocalizedText(zh: "收到的内容哈希为 \(found)", en: "what came hashes to \(found)"))
        case .flawed(let flaw, let type): refused("/contentType", flaw.code, flaw.message(declared: type))
        case .notInParts:
            ProblemDescription(
                status: .conflict, code: "asset.not_in_parts",
                title: LocalizedText(zh: "该素材不是进行中的分片上传", en: "The asset is no upload in parts that is under way"))
        case .beyondQuota(let used, let limit):
            ProblemDescription(
                status: .conflict, code: "asset.quota_exceeded",
                title: LocalizedText(zh: "存储空间不足", en: "The storage quota is used up"),
                detail: LocalizedText(
                    zh: """
                        套餐共 \(limit) 字节，已用 \(used) 字节（含上传中的）。未完成的上传可用 GET /api/assets?state=pending 查看，用 DELETE \
                        /api/assets/{id} 删除。
                        """,
                    en: """
                        The plan has \(limit) bytes, of which \(used) are used or on their way. GET /api/assets?state=pending shows \
                        uploads that are not complete, and DELETE /api/assets/{id} removes one.
                        """))
        case .inUse(let contents):
            ProblemDescription(
                status: .conflict, code: "asset.in_use", title: LocalizedText(zh: "素材正在使用", en: "The asset is in use"),
                detail: LocalizedText(zh: "\(contents) 个内容正在使用它。", en: "\(contents) contents show it."))
        case .held(AssetHolders()):
            ProblemDescription(
                status: .conflict, code: "asset.in_use", title: LocalizedText(zh: "素材正在使用", en: "The asset is in use"),
                detail: LocalizedText(
                    zh: "成交素材或账号资料刚刚开始使用它。", en: "A closing material or an account has just begun to use it."))
        case .held(let holders):
            ProblemDescription(
                status: .conflict, code: "asset.in_use", title: LocalizedText(zh: "素材正在使用", en: "The asset is in use"),
                detail: LocalizedText(
                    zh: """
                        \(holders.materials) 个成交素材（含回收站）和 \(holders.accounts) 个账号的头像正在使用它；GET /api/assets/{id}/uses \
                        的 holders 列出它们。
                        """,
                    en: """
                        \(holders.materials) closing materials have it, in the library or in its bin, and \(holders.accounts) accounts \
                        as their avatar; the holders of GET /api/assets/{id}/uses name them.
                        """))
        }
    }

    /// 422: the upload is gone, and must be announced anew.
    private func refused(_ pointer: String, _ code: String, _ message: LocalizedText) -> ProblemDescription {
        ProblemDescription(
            status: .unprocessableContent, code: "asset.refused",
            title: LocalizedText(zh: "文件未通过检查", en: "The file was refused"),
            issues: [FieldIssue(pointer: pointer, code: code, message: message)])
    }
}
