/// `PATCH /api/contents/{id}`, a JSON merge patch (RFC 7396): an absent member stays as it is. Needs `If-Match`.
///
/// A title set is edited by `candidates` and `selected`, every other kind by `body`.
public struct ContentPatch: Codable, Sendable, Equatable {
    /// The content's own name in lists.
    public var title: String?
    /// The whole new list, in its order. A title that stands in the version before keeps its score and reasons.
    public var candidates: [Candidate]?
    public var selected: Nullable<Int>?
    public var body: ContentBodyPatch?

    public struct Candidate: Codable, Sendable, Equatable {
        public var title: String

        public init(title: String) { self.title = title }
    }

    public init(
        title: String? = nil, candidates: [Candidate]? = nil, selected: Nullable<Int>? = nil, body: ContentBodyPatch? = nil
    ) {
        self.title = title
        self.candidates = candidates
        self.selected = selected
        self.body = body
    }

    /// Written out because a synthesized one reads `"selected": null` as absent.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        title = try container.decodeIfPresent(String.self, forKey: .title)
        candidates = try container.decodeIfPresent([Candidate].self, forKey: .candidates)
        selected = container.contains(.selected) ? try container.decode(Nullable<Int>.self, forKey: .selected) : nil
        body = try container.decodeIfPresent(ContentBodyPatch.self, forKey: .body)
    }
}

/// A member of a merge patch that `null` takes away.
public enum Nullable<Value: Codable & Sendable & Equatable>: Codable, Sendable, Equatable {
    case none
    case value(Value)

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        self = container.decodeNil() ? .none : .value(try container.decode(Value.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .none: try container.encodeNil()
        case .value(let value): try container.encode(value)
        }
    }
}

/// What changes in a body. Lists are replaced whole. Members of another kind than the content's are refused.
public struct ContentBodyPatch: Codable, Sendable, Equatable {
    /// Of `copy` (may be taken away), `image_text` and `video`.
    public var title: Nullable<String>?
    /// Of `copy`, `image_text`, `video` and `reply_template`.
    public var text: String?
    /// Of `copy` and `image_text`.
    public var callToAction: Nullable<String>?
    /// Of `copy`, `image_text`, `video_script` and `video`.
    public var hashtags: [String]?
    /// Of `image_text`.
    public var slots: [ImageSlot]?
    /// Of `video_script`.
    public var hook: String?
    /// Of `video_script`. `index` and `startSecond` follow from the order and the durations, as does the script's `totalSeconds`.
    public var scenes: [SceneEdit]?
    /// Of `video_script`.
    public var cta: String?
    /// Of `video`.
    public var video: VideoFile?
    /// Of `reply_template`.
    public var scene: String?
    /// Of `reply_template`.
    public var variables: [ReplyVariable]?

    public init(
        title: Nullable<String>? = nil, text: String? = nil, callToAction: Nullable<String>? = nil, hashtags: [String]? = nil,
        slots: [ImageSlot]? = nil, hook: String? = nil, scenes: [SceneEdit]? = nil, cta: String? = nil,
        video: VideoFile? = nil, scene: String? = nil, variables: [ReplyVariable]? = nil
    ) {
        self.title = title
        self.text = text
        self.callToAction = callToAction
        self.hashtags = hashtags
        self.slots = slots
        self.hook = hook
        self.scenes = scenes
        self.cta = cta
        self.video = video
        self.scene = scene
        self.variables = variables
    }

    /// Written out because a synthesized one reads `null` as absent.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        title = container.contains(.title) ? try container.decode(Nullable<String>.self, forKey: .title) : nil
        text = try container.decodeIfPresent(String.self, forKey: .text)
        callToAction =
            container.contains(.callToAction) ? try container.decode(Nullable<String>.self, forKey: .callToAction) : nil
        hashtags = try container.decodeIfPresent([String].self, forKey: .hashtags)
        slots = try container.decodeIfPresent([ImageSlot].self, forKey: .slots)
        hook = try container.decodeIfPresent(String.self, forKey: .hook)
        scenes = try container.decodeIfPresent([SceneEdit].self, forKey: .scenes)
        cta = try container.decodeIfPresent(String.self, forKey: .cta)
        video = try container.decodeIfPresent(VideoFile.self, forKey: .video)
        scene = try container.decodeIfPresent(String.self, forKey: .scene)
        variables = try container.decodeIfPresent([ReplyVariable].self, forKey: .variables)
    }
}

/// A ``VideoScene`` as an editor sends it back: its place follows from the order.
public struct SceneEdit: Codable, Sendable, Equatable {
    /// Taken and passed over, so that scenes may be sent back as they were read.
    public var index: Int?
    /// As `index`.
    public var startSecond: Int?
    public var durationSeconds: Int
    public var shot: String
    public var camera: String
    public var visual: String
    public var line: String
    public var subtitle: String
    public var bgm: String
    public var props: [String]

    public init(
        durationSeconds: Int, shot: String, camera: String, visual: String, line: String, subtitle: String, bgm: String,
        props: [String]
    ) {
        self.durationSeconds = durationSeconds
        self.shot = shot
        self.camera = camera
        self.visual = visual
        self.line = line
        self.subtitle = subtitle
        self.bgm = bgm
        self.props = props
    }
}
