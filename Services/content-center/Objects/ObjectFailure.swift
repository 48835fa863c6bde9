import HTTPCore

/// What the object listener refuses.
enum ObjectFailure: Error, Equatable {
    /// The URL is not one of ours, or was changed.
    case signatureInvalid
    case expired
    /// The upload's media type is not the signed one.
    case wrongType
    /// The upload is not as long as was signed.
    case wrongSize
    /// The same part of an upload is on its way already.
    case partBusy
    /// The object was completed: its bytes never change.
    case kept

    init(_ refusal: ObjectSigner.Refusal) { self = refusal == .expired ? .expired : .signatureInvalid }
}

extension ObjectFailure: HTTPFailure {
    var problem: ProblemDescription {
        switch self {
        case .signatureInvalid:
            ProblemDescription(
                status: .forbidden, code: "object.signature_invalid",
                title: LocalizedText(zh: "链接签名无效", en: "The URL's signature is not valid"))
        case .expired:
            ProblemDescription(
                status: .forbidden, code: "object.expired", title: LocalizedText(zh: "链接已过期", en: "The URL has expired"))
        case .wrongType:
            ProblemDescription(
                status: .forbidden, code: "object.wrong_type",
                title: LocalizedText(zh: "Content-Type 与签名不符", en: "Content-Type is not the signed one"))
        case .wrongSize:
            ProblemDescription(
                status: .forbidden, code: "object.wrong_size",
                title: LocalizedText(zh: "大小与签名不符", en: "The size is not the signed one"))
        case .partBusy:
            Conflict(
                code: "object.part_busy", title: LocalizedText(zh: "该分片正在上传", en: "The part is being sent already"),
                retryable: true
            ).problem
        case .kept:
            Conflict(
                code: "object.kept",
                title: LocalizedText(zh: "该文件已完成上传，内容不再改变", en: "The upload was completed; its bytes never change")
            ).problem
        }
    }
}
