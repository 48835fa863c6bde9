import DTO
import HTTPCore

/// Why a job is not ordered, or not found.
enum MediaJobRefusal: Error, Equatable {
    case notFound
    /// The pointer of the member that names the asset.
    case unknownAsset(String)
    case assetNotReady(String)
    case wrongMediaType(String, found: String)
    case addressNotAllowed
    case addressNotValid
    /// A signature or a token stands in it.
    case addressCarriesSecret
    /// So many bytes.
    case tooLargeTogether(Int)
    /// No speech recogniser is set.
    case cannotHear
    /// What is to show it is no content of kind `video`.
    case unknownVideo
}

extension MediaJobRefusal: HTTPFailure {
    var problem: ProblemDescription {
        switch self {
        case .notFound:
            ProblemDescription(
                status: .notFound, code: "media_job.not_found", title: LocalizedText(zh: "作业不存在", en: "No such job"))
        case .unknownAsset(let pointer):
            ValidationFailure(pointer: pointer, code: "not_found", zh: "没有这个素材", en: "there is no such asset").problem
        case .assetNotReady(let pointer):
            ValidationFailure(
                pointer: pointer, code: "not_ready", zh: "素材还没有完成上传", en: "the asset's upload is not complete"
            ).problem
        case .wrongMediaType(let pointer, let found):
            ValidationFailure(
                pointer: pointer, code: "wrong_type", zh: "该类型的作业不能处理 \(found)", en: "this type of job takes no \(found)"
            ).problem
        case .addressNotAllowed:
            ValidationFailure(
                pointer: "/sourceUrl", code: "not_allowed", zh: "只能是本平台的签名链接或已允许的来源",
                en: "must be a signed URL of ours, or of an allowed origin"
            ).problem
        case .unknownVideo:
            ValidationFailure(
                pointer: "/contentId", code: "not_found", zh: "没有这个视频内容", en: "there is no such content of kind video"
            ).problem
        case .cannotHear:
            ValidationFailure(
                pointer: "/type", code: "not_available", zh: "未配置语音识别服务", en: "no speech recogniser is set"
            ).problem
        case .addressCarriesSecret:
            ValidationFailure(
                pointer: "/sourceUrl", code: "carries_secret", zh: "不能带签名或令牌：请先上传为素材",
                en: "must carry no signature or token: upload it as an asset instead"
            ).problem
        case .tooLargeTogether(let size):
            ValidationFailure(
                pointer: "/params/assetIds", code: "too_large", zh: "合计 \(size) 字节，最多 \(MediaSources.largest) 字节",
                en: "are \(size) bytes together, of at most \(MediaSources.largest)"
            ).problem
        case .addressNotValid:
            ValidationFailure(
                pointer: "/sourceUrl", code: "expired", zh: "签名链接无效或已过期", en: "the signed URL is not valid or has expired"
            ).problem
        }
    }
}

extension MediaJobType {
    /// Done in moments, so that somebody may wait for it. Nothing else stands before what others have ordered.
    var isQuick: Bool {
        switch self {
        case .probe, .cover, .thumbnail, .imageVariants: true
        case .transcode, .subtitle, .burnSubtitle, .concat, .audio, .watermark: false
        }
    }

    /// What it works on.
    func takes(_ type: FileType) -> Bool {
        guard type.demuxer != nil else { return false }
        return switch self {
        case .transcode, .cover, .concat, .burnSubtitle: type.kind == .video
        case .audio, .subtitle: type.kind == .video || type.kind == .audio
        case .thumbnail, .watermark: type.kind == .video || type.kind == .image
        case .imageVariants: type.kind == .image
        case .probe: true
        }
    }
}
