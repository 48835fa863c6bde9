import Cryptography
import DTO
import FoundationEssentials
import HTTPCore

/// Subtitle files cue by cue: what a recogniser has heard is read and mended without a file going back and forth.
///
/// Assets never change: an edit is an asset of its own, which lies where its source lies, is for the same people and counts as what was
/// heard where its source did.
struct SubtitleEditing: Sendable {
    let assets: Assets
    let store: SubtitleEditingStore

    /// A subtitle file that is there for the viewer.
    func file(_ id: UUID, for viewer: AssetViewer) async throws -> SubtitleFile {
        let asset = try await assets.asset(id, for: viewer)
        guard asset.state == .ready, let sha256 = asset.sha256 else { throw AssetError.notReady }
        guard let form = SubtitleForm(mediaType: asset.mediaType) else {
            throw SubtitleEditingError.notSubtitles(found: asset.mediaType)
        }
        return SubtitleFile(asset: asset, form: form, sha256: sha256)
    }

    /// What it says, as ``SubtitleForm/cues(in:)`` reads it.
    func cues(in file: SubtitleFile, of tenantId: UUID) async throws -> AssetCues {
        if let size = file.asset.size, size > SubtitleForm.largestFile { throw SubtitleEditingError.tooLarge(size) }
        guard let object = try await assets.object(of: file.asset, tenantId),
            let bytes = try await assets.objects.read(object, atMost: SubtitleForm.largestFile)
        else { throw AssetError.notFound }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw SubtitleEditingError.unreadable(nil) }
        do {
            return AssetCues(
                assetId: file.asset.id, form: file.form.shown, cues: try SubtitleForm.cues(in: text).map(AssetCue.init))
        } catch {
            throw SubtitleEditingError.unreadable(error)
        }
    }

    /// Keeps edited cues as an asset. The repeat of an operation answers the asset that it has made, whatever has become of the source.
    func edit(_ id: UUID, _ edit: SubtitleEdit, by author: Author) async throws -> LibraryAsset {
        if let made = try await store.made(from: id, by: author) { return made }
        let source = try await file(id, for: author.viewer)
        let form = edit.form ?? source.form
        let bytes = try SubtitleEditRule.file(of: edit.cues, as: form)
        let edited = EditedSubtitles(
            source: id, filename: SubtitleEditRule.filename(editing: source.asset.filename, as: form), form: form,
            sha256: SHA256.hash(bytes), size: bytes.count)
        return try await assets.keep(bytes, of: author.tenantId) { try await store.keep(edited, $0, by: author) }
    }
}

/// An asset that is one.
struct SubtitleFile: Sendable, Equatable {
    let asset: LibraryAsset
    let form: SubtitleForm
    /// Hexadecimal.
    let sha256: String
}

/// What somebody wants it to say.
struct SubtitleEdit: Sendable, Equatable {
    /// `nil`: that of the source.
    var form: SubtitleForm?
    var cues: [SubtitleCue]
}

/// An edit as it is about to be kept.
struct EditedSubtitles: Sendable, Equatable {
    let source: UUID
    let filename: String
    let form: SubtitleForm
    /// 32 bytes.
    let sha256: [UInt8]
    let size: Int
}

extension SubtitleForm {
    init?(mediaType: String) {
        guard let form = Self.allCases.first(where: { $0.mediaType == mediaType }) else { return nil }
        self = form
    }

    init(_ form: AssetCueForm) {
        switch form {
        case .srt: self = .srt
        case .vtt: self = .vtt
        }
    }

    var shown: AssetCueForm {
        switch self {
        case .srt: .srt
        case .vtt: .vtt
        }
    }
}

extension AssetCue {
    init(_ cue: SubtitleCue) {
        self.init(startMs: cue.startMilliseconds, endMs: cue.endMilliseconds, lines: cue.lines)
    }
}
