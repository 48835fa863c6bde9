public import FoundationEssentials

/// The body of a content of kind `video`: a finished video, or one that is being made, with what stands beside it when it is published.
public struct VideoBody: Codable, Sendable, Equatable {
    public var topic: String
    public var platform: ContentPlatform
    public var title: String
    /// The description (简介).
    public var text: String
    /// Without `#`.
    public var hashtags: [String]
    public var video: VideoFile

    public init(topic: String, platform: ContentPlatform, title: String, text: String, hashtags: [String], video: VideoFile) {
        self.topic = topic
        self.platform = platform
        self.title = title
        self.text = text
        self.hashtags = hashtags
        self.video = video
    }
}

/// The files of a video; replaced whole by an edit.
public struct VideoFile: Codable, Sendable, Equatable {
    /// Absent until there is one.
    public var assetId: UUID?
    public var coverAssetId: UUID?
    /// A SubRip or WebVTT file: what is said in the video, as somebody has it written. The content is found by it.
    public var subtitleAssetId: UUID?
    /// The content of kind `video_script` that it was made from.
    public var scriptId: UUID?

    public init(
        assetId: UUID? = nil, coverAssetId: UUID? = nil, subtitleAssetId: UUID? = nil, scriptId: UUID? = nil
    ) {
        self.assetId = assetId
        self.coverAssetId = coverAssetId
        self.subtitleAssetId = subtitleAssetId
        self.scriptId = scriptId
    }
}

/// The body of a content of kind `reply_template`: what customers are answered, with places to fill in.
public struct ReplyTemplateBody: Codable, Sendable, Equatable {
    /// When it is used, e.g. 询价.
    public var scene: String
    /// `{{name}}` stands for the variable of that name.
    public var text: String
    /// Each stands in the text, and everything that the text asks for stands here.
    public var variables: [ReplyVariable]

    public init(scene: String, text: String, variables: [ReplyVariable]) {
        self.scene = scene
        self.text = text
        self.variables = variables
    }
}

public struct ReplyVariable: Codable, Sendable, Equatable {
    /// Letters, digits and `_`; any script.
    public var name: String
    /// What is filled in where nothing is known.
    public var fallback: String?

    public init(name: String, fallback: String? = nil) {
        self.name = name
        self.fallback = fallback
    }
}
