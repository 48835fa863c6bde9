import ConcurrencySupport
import DTO
import FoundationEssentials
import HTTPCalling
import HTTPCore

/// Brings a job's sources into its folder. FFmpeg itself fetches nothing.
struct MediaSources: Sendable {
    static let largest = 5 << 30
    /// For one download.
    private static let patience = Duration.seconds(3_600)

    let assets: Assets
    let objects: any ObjectStore
    let origins: MediaOrigins
    let http: HTTPClient
    let inspector: FileInspector

    struct Source: Sendable, Equatable {
        let input: MediaInput
        let size: Int
        /// Without its ending; for the names of what is made of it.
        let title: String
    }

    /// - Throws: ``MediaFailure``, or what may mend by itself.
    func fetch(_ source: MediaSource, as name: String, into folder: MediaFolder, of tenantId: UUID) async throws -> Source {
        switch source {
        case .asset(let id):
            guard let asset = try await assets.store.asset(id, of: tenantId), asset.state == .ready,
                let object = try await assets.object(of: asset, tenantId)
            else { throw MediaFailure.sourceGone }
            return try await fetch(object, asset.mediaType, Self.title(of: asset.filename), name, folder)
        case .object(let object, let mediaType): return try await fetch(object, mediaType, "media", name, folder)
        case .address(let address): return try await download(address, name, folder)
        }
    }

    /// - Throws: ``MediaFailure/badSubtitles``
    func subtitles(_ id: UUID, of tenantId: UUID) async throws -> [SubtitleCue] {
        guard let asset = try await assets.store.asset(id, of: tenantId), asset.state == .ready,
            let object = try await assets.object(of: asset, tenantId)
        else { throw MediaFailure.sourceGone }
        guard let bytes = try await objects.read(object, atMost: SubtitleForm.largestFile),
            let text = String(validating: bytes, as: UTF8.self), let cues = try? SubtitleForm.cues(in: text)
        else { throw MediaFailure.badSubtitles }
        return cues
    }

    private func fetch(
        _ object: UUID, _ mediaType: String, _ title: String, _ name: String, _ folder: MediaFolder
    ) async throws -> Source {
        guard let type = FileType(rawValue: mediaType), let input = MediaInput(name: Self.file(name, type), type: type) else {
            throw MediaFailure.unreadable
        }
        guard try await objects.fetch(object, to: folder.path(of: input.name)), let size = try await folder.size(of: input.name)
        else { throw MediaFailure.sourceGone }
        return Source(input: input, size: size, title: title)
    }

    /// From outside: looked at as an upload is.
    private func download(_ address: String, _ name: String, _ folder: MediaFolder) async throws -> Source {
        guard origins.allow(address), let target = target(of: address) else { throw MediaFailure.sourceUnreachable }
        let arrived = "\(name).part"
        let size: Int
        do {
            let answer = try await http.stream(
                ClientRequest(.get, target, deadline: .after(Self.patience), maxResponseBytes: Self.largest))
            // A redirect might lead inside.
            guard answer.status == .ok else {
                if answer.status.code >= 500 || answer.status.code == 429 { throw SourceAway(status: answer.status.code) }
                throw MediaFailure.sourceUnreachable
            }
            size = try await folder.receive(arrived, answer.body)
        } catch let error as HTTPClientError where error.kind == .responseTooLarge {
            throw MediaFailure.sourceRefused
        } catch let error as HTTPClientError where error.kind == .malformed || error.kind == .tls {
            throw MediaFailure.sourceUnreachable
        }
        let path = folder.path(of: arrived)
        guard let type = FileMagic(try await folder.head(of: arrived)).flatMap(\.media), type.largest >= size else {
            throw MediaFailure.sourceRefused
        }
        do {
            try await inspector.check(ArrivedObject(object: UUID(), size: size, sha256: [], path: path), declared: type)
        } catch is FileFlaw {
            throw MediaFailure.sourceRefused
        }
        guard let input = MediaInput(name: arrived, type: type) else { throw MediaFailure.sourceRefused }
        return Source(input: input, size: size, title: "media")
    }

    /// What lies in a bucket is asked for with our own rights, which nobody gets to see.
    private func target(of address: String) -> String? {
        guard let name = S3Name(address) else { return address }
        return objects.address(of: name, seconds: Int(Self.patience.components.seconds))
    }

    private static func file(_ name: String, _ type: FileType) -> String { "\(name).\(type.extensions.first ?? "bin")" }

    private static func title(of filename: String) -> String {
        guard let dot = filename.lastIndex(of: "."), dot > filename.startIndex else { return filename }
        return String(filename[..<dot])
    }
}

/// The host answers that it cannot just now.
struct SourceAway: Error {
    let status: Int
}

extension FileMagic {
    /// The picture, video or sound that it is.
    fileprivate var media: FileType? {
        switch self {
        case .type(let type): type.demuxer == nil ? nil : type
        case .zip: nil
        case .movie, .ebml, .ogg: [FileType.mp4, .quickTime, .m4a, .webm, .ogg].first(where: fits)
        }
    }
}
