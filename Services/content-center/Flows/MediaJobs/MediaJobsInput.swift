import DTO
import FoundationEssentials
import HTTPCore
import Observability

/// The input rules of media jobs.
enum MediaJobsInput {
    static let cursor = PageCursor.Kind("media_jobs", of: UUID.self)
    static let addressLength = 1...4_096
    static let width = 16...4_096
    static let widthCount = 1...8
    static let concatCount = 2...20
    static let textLength = 1...80
    static let percent = 1...100

    static func order(_ json: JSONValue) throws -> MediaJobRequest {
        var fields = FieldReader(json)
        let type = fields.choice("type", of: MediaJobType.self)
        let assetId = type == .concat ? nil : fields.optionalUUID("assetId")
        let sourceUrl = type == .concat ? nil : fields.optionalText("sourceUrl", length: addressLength)
        let priority = fields.choice("priority", of: MediaPriority.self, default: .normal)
        if let type, priority == .interactive, !type.isQuick {
            let quick = MediaJobType.allCases.filter(\.isQuick).map(\.rawValue).joined(separator: ", ")
            fields.refuse(
                "priority", code: "not_available", zh: "interactive 仅用于 \(quick)", en: "is interactive only for \(quick)")
        }
        let profiles =
            type == .transcode && fields.has("profiles") ? fields.choices("profiles", of: MediaProfile.self, minItems: 1) : []
        let params = params(of: type, &fields)
        let contentId = fields.optionalUUID("contentId")
        if type != .concat, type != nil {
            if !fields.has("assetId"), !fields.has("sourceUrl") {
                fields.refuse("assetId", code: "required", zh: "assetId 与 sourceUrl 必填其一", en: "or sourceUrl is required")
            } else if fields.has("assetId"), fields.has("sourceUrl") {
                fields.refuse("sourceUrl", code: "excluded", zh: "不能与 assetId 同时出现", en: "must not stand beside assetId")
            }
        }
        try fields.finish()
        guard let type else { throw InternalFailure() }
        return MediaJobRequest(
            type: type, assetId: assetId, sourceUrl: sourceUrl, profiles: profiles.isEmpty ? nil : profiles, params: params,
            priority: priority, contentId: contentId)
    }

    private static func params(of type: MediaJobType?, _ fields: inout FieldReader) -> MediaJobParams? {
        switch type {
        case .concat: fields.object("params") { MediaJobParams(assetIds: assets(in: &$0)) }
        case .watermark: fields.object("params", watermark)
        case .transcode:
            fields.optionalObject("params") { params in
                let (hls, mp4) = (params.bool("hls", default: true), params.bool("mp4", default: true))
                let cover = params.bool("cover", default: true)
                if !hls, !mp4, !cover {
                    params.refuse("hls", code: "required", zh: "hls、mp4、cover 至少一项", en: "one of hls, mp4 and cover is required")
                }
                return MediaJobParams(hls: hls, mp4: mp4, cover: cover)
            }
        case .cover:
            fields.optionalObject("params") { params in
                MediaJobParams(
                    atSecond: second(in: &params), format: params.optionalChoice("format", of: MediaPictureFormat.self))
            }
        case .thumbnail:
            fields.optionalObject("params") { params in
                MediaJobParams(
                    atSecond: second(in: &params), format: params.optionalChoice("format", of: MediaPictureFormat.self),
                    widths: widths(in: &params))
            }
        case .imageVariants:
            fields.optionalObject("params") { params in
                MediaJobParams(
                    format: params.optionalChoice("format", of: MediaPictureFormat.self), widths: widths(in: &params))
            }
        case .subtitle: fields.optionalObject("params") { MediaJobParams(language: language(in: &$0)) }
        case .burnSubtitle:
            fields.object("params") { params in
                let subtitles = params.optionalUUID("subtitleAssetId")
                if !params.has("subtitleAssetId") {
                    params.refuse("subtitleAssetId", code: "required", zh: "必填", en: "is required")
                }
                return MediaJobParams(
                    subtitleAssetId: subtitles, mode: params.optionalChoice("mode", of: MediaSubtitleMode.self))
            }
        case .audio, .probe: fields.optionalObject("params") { _ in MediaJobParams() }
        case nil: nil
        }
    }

    private static func watermark(_ params: inout FieldReader) -> MediaJobParams { MediaJobParams(mark(&params)) }

    static func mark(_ params: inout FieldReader) -> AssetWatermark {
        let text = params.optionalText("text", length: textLength)
        let overlay = params.optionalUUID("overlayAssetId")
        if !params.has("text"), !params.has("overlayAssetId") {
            params.refuse("text", code: "required", zh: "text 与 overlayAssetId 必填其一", en: "or overlayAssetId is required")
        } else if params.has("text"), params.has("overlayAssetId") {
            params.refuse("overlayAssetId", code: "excluded", zh: "不能与 text 同时出现", en: "must not stand beside text")
        }
        let missing = WatermarkFont.missing(in: text ?? "").map { "“\($0)”" }.joined()
        if !missing.isEmpty {
            params.refuse("text", code: "not_drawable", zh: "水印字体没有\(missing)", en: "the font of watermarks lacks \(missing)")
        }
        return AssetWatermark(
            text: text, overlayAssetId: overlay, corner: params.optionalChoice("corner", of: MediaCorner.self),
            opacity: params.optionalInteger("opacity", in: percent), size: params.optionalInteger("size", in: percent),
            format: params.optionalChoice("format", of: MediaPictureFormat.self))
    }

    private static func second(in params: inout FieldReader) -> Double? {
        guard let value = params.value("atSecond") else { return nil }
        guard let second = value.double else {
            params.refuse("atSecond", code: "wrong_type", zh: "应为数字", en: "must be a number")
            return nil
        }
        guard (0...86_400).contains(second) else {
            params.refuse("atSecond", code: "out_of_range", zh: "应在 0 到 86400 之间", en: "must be from 0 to 86400")
            return nil
        }
        return second
    }

    private static func language(in params: inout FieldReader) -> String? {
        guard let language = params.optionalText("language", length: 2...3) else { return nil }
        if !language.utf8.allSatisfy({ (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }) {
            params.refuse("language", code: "malformed", zh: "应为 ISO 639 语言代码，如 zh", en: "must be an ISO 639 code such as zh")
        }
        return language
    }

    private static func widths(in params: inout FieldReader) -> [Int]? {
        guard let value = params.value("widths") else { return nil }
        guard let items = value.array else {
            params.refuse("widths", code: "wrong_type", zh: "应为数组", en: "must be an array")
            return nil
        }
        guard widthCount.contains(items.count) else {
            params.refuse(
                "widths", code: items.isEmpty ? "too_few_items" : "too_many_items", zh: "应有 1 到 8 项", en: "must have 1 to 8 items"
            )
            return nil
        }
        var widths: [Int] = []
        for (index, item) in items.enumerated() {
            guard let number = item.int, width.contains(number) else {
                params.refuse(
                    "widths", item: index, code: "out_of_range", zh: "应为 16 到 4096 的整数", en: "must be an integer from 16 to 4096")
                continue
            }
            widths.append(number)
        }
        return widths
    }

    private static func assets(in params: inout FieldReader) -> [UUID] {
        let texts = params.textList(
            "assetIds", minItems: concatCount.lowerBound, maxItems: concatCount.upperBound, length: 1...36)
        var ids: [UUID] = []
        for (index, text) in texts.enumerated() {
            guard let id = UUID(text: text) else {
                params.refuse("assetIds", item: index, code: "malformed", zh: "应为 UUID", en: "must be a UUID")
                continue
            }
            ids.append(id)
        }
        return ids
    }

    static func list(_ query: [(name: String, value: String)]) throws -> MediaJobFilter {
        var query = QueryReader(query)
        let limit = query.integer("limit", in: ContentsInput.pageSize, default: ContentsInput.defaultPageSize)
        let olderThan = query.cursor(cursor)
        let type = query.optionalChoice("type", of: MediaJobType.self)
        let status = query.optionalChoice("status", of: MediaJobStatus.self)
        let assetId = query.optionalUUID("assetId")
        try query.finish()
        return MediaJobFilter(type: type, status: status, assetId: assetId, olderThan: olderThan, limit: limit)
    }
}

/// What a list shows.
struct MediaJobFilter: Sendable, Equatable {
    var type: MediaJobType?
    var status: MediaJobStatus?
    /// Of this source.
    var assetId: UUID?
    /// Only jobs that are older than this one.
    var olderThan: UUID?
    var limit: Int
}
