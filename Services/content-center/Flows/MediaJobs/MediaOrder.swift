import DTO
import FoundationEssentials

/// A job as it was ordered, with what its source turned out to be: a signed address ends, the object behind it does not.
struct MediaOrder: Codable, Sendable, Equatable {
    var type: MediaJobType
    var priority: MediaPriority
    var source: MediaSource?
    var profiles: [MediaProfile]?
    var params: MediaJobParams?
    /// Who ordered it.
    var subject: String
    /// The content that shows what is made.
    var contentId: UUID?

    /// Every file that the job reads, in the order in which its plan counts them.
    var sources: [MediaSource] {
        let others = (params?.assetIds ?? []) + (params?.overlayAssetId.map { [$0] } ?? [])
        return (source.map { [$0] } ?? []) + others.map(MediaSource.asset)
    }
}

extension MediaOrder {
    /// The mark that somebody wished for with an upload. The copy is another asset; what was uploaded stays as it is.
    init(marking asset: LibraryAsset, with mark: AssetWatermark, by author: Author) {
        self.init(
            type: .watermark, priority: .batch, source: .asset(asset.id),
            params: MediaJobParams(mark), subject: author.subject)
    }
}

extension MediaJobParams {
    init(_ mark: AssetWatermark) {
        self.init(
            format: mark.format, text: mark.text, overlayAssetId: mark.overlayAssetId, corner: mark.corner,
            opacity: mark.opacity, size: mark.size)
    }
}

enum MediaSource: Codable, Sendable, Equatable {
    /// Of the tenant.
    case asset(UUID)
    /// What a signed URL of ours showed.
    case object(UUID, mediaType: String)
    /// Of an origin that the installation allows.
    case address(String)

    var assetId: UUID? { if case .asset(let id) = self { id } else { nil } }
}

extension MediaPriority {
    /// The kind of its jobs.
    var jobKind: String { "media.\(rawValue)" }

    /// Less comes first.
    var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
