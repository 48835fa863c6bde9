public import FoundationEssentials

// The cues of subtitle files, for whoever edits them.

/// The two forms of subtitle files.
public enum AssetCueForm: String, Codable, Sendable, CaseIterable {
    /// SubRip.
    case srt
    /// WebVTT.
    case vtt
}

/// What stands under the picture, and when.
public struct AssetCue: Codable, Sendable, Equatable {
    public var startMs: Int
    /// Later than `startMs`.
    public var endMs: Int
    public var lines: [String]

    public init(startMs: Int, endMs: Int, lines: [String]) {
        self.startMs = startMs
        self.endMs = endMs
        self.lines = lines
    }
}

/// `GET /api/assets/{id}/cues`: what a subtitle file says.
public struct AssetCues: Codable, Sendable, Equatable {
    public var assetId: UUID
    public var form: AssetCueForm
    /// In the order of their beginnings.
    public var cues: [AssetCue]

    public init(assetId: UUID, form: AssetCueForm, cues: [AssetCue]) {
        self.assetId = assetId
        self.form = form
        self.cues = cues
    }
}

/// `POST /api/assets/{id}/cues`: all cues of the edited file.
public struct AssetCuesEdit: Codable, Sendable, Equatable {
    /// Absent = that of the file which is edited.
    public var form: AssetCueForm?
    public var cues: [AssetCue]

    public init(form: AssetCueForm? = nil, cues: [AssetCue]) {
        self.form = form
        self.cues = cues
    }
}
