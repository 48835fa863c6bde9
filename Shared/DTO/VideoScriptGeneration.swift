public import FoundationEssentials

// The DTOs of flow `VideoScriptGeneration` (seed 000 §4): a script in shots and lines.

public enum VideoScriptType: String, Codable, Sendable, CaseIterable {
    case product
    case story
    case tutorial
    case review
    case vlog
    case liveTeaser = "live_teaser"
}

/// `POST /api/video-scripts`. Limits are checked by the flow's input rules, not here.
public struct VideoScriptGenerationRequest: Codable, Sendable, Equatable {
    public var topic: String
    public var scriptType: VideoScriptType
    /// 10–900.
    public var durationSeconds: Int
    public var platform: ContentPlatform?
    public var audience: String?
    public var sellingPoints: [String]?
    public var tone: String?
    public var keywords: [String]?
    public var bannedWords: [String]?
    public var callToAction: String?
    /// `auto` or a model's name.
    public var model: String?
    /// As in ``TitleGenerationRequest``.
    public var promptLabel: String?

    public init(
        topic: String, scriptType: VideoScriptType, durationSeconds: Int, platform: ContentPlatform? = nil,
        audience: String? = nil, sellingPoints: [String]? = nil, tone: String? = nil, keywords: [String]? = nil,
        bannedWords: [String]? = nil, callToAction: String? = nil, model: String? = nil, promptLabel: String? = nil
    ) {
        self.topic = topic
        self.scriptType = scriptType
        self.durationSeconds = durationSeconds
        self.platform = platform
        self.audience = audience
        self.sellingPoints = sellingPoints
        self.tone = tone
        self.keywords = keywords
        self.bannedWords = bannedWords
        self.callToAction = callToAction
        self.model = model
        self.promptLabel = promptLabel
    }
}

/// The answer of `POST /api/video-scripts` (201).
public struct VideoScriptGenerationAnswer: Codable, Sendable, Equatable {
    public var contentId: UUID
    public var status: ContentStatus
    public var version: Int
    public var runId: UUID
    public var script: VideoScript
    public var findings: [ComplianceFinding]
    public var provider: String
    public var modelName: String
    public var degraded: Bool
    public var degradedReason: String?
    public var usage: TokenUsage
    public var latencyMs: Int
    public var requestId: String

    public init(
        contentId: UUID, status: ContentStatus, version: Int, runId: UUID, script: VideoScript, findings: [ComplianceFinding],
        provider: String, modelName: String, degraded: Bool, degradedReason: String?, usage: TokenUsage, latencyMs: Int,
        requestId: String
    ) {
        self.contentId = contentId
        self.status = status
        self.version = version
        self.runId = runId
        self.script = script
        self.findings = findings
        self.provider = provider
        self.modelName = modelName
        self.degraded = degraded
        self.degradedReason = degradedReason
        self.usage = usage
        self.latencyMs = latencyMs
        self.requestId = requestId
    }
}

/// A script. Scenes follow each other without gaps, `index` from 1, and their durations sum up to `totalSeconds`, which is within 10 % of
/// what was asked for.
public struct VideoScript: Codable, Sendable, Equatable {
    /// What holds the viewer in the first three seconds.
    public var hook: String
    public var scenes: [VideoScene]
    public var cta: String
    /// Without `#`.
    public var hashtags: [String]
    public var totalSeconds: Int

    public init(hook: String, scenes: [VideoScene], cta: String, hashtags: [String], totalSeconds: Int) {
        self.hook = hook
        self.scenes = scenes
        self.cta = cta
        self.hashtags = hashtags
        self.totalSeconds = totalSeconds
    }
}

/// One shot of a script.
public struct VideoScene: Codable, Sendable, Equatable {
    /// From 1.
    public var index: Int
    public var startSecond: Int
    public var durationSeconds: Int
    /// 景别, e.g. `特写`.
    public var shot: String
    /// 运镜, e.g. `推进`.
    public var camera: String
    public var visual: String
    /// What is spoken, at 4–5 characters a second; empty for a silent shot.
    public var line: String
    /// What is written into the picture; may be empty.
    public var subtitle: String
    public var bgm: String
    public var props: [String]

    public init(
        index: Int, startSecond: Int, durationSeconds: Int, shot: String, camera: String, visual: String, line: String,
        subtitle: String, bgm: String, props: [String]
    ) {
        self.index = index
        self.startSecond = startSecond
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

/// orchestration-service → agent-center, `POST /v1/video-scripts`. agent-center's ledger step is `video_script`.
public struct VideoScriptWritingRequest: Codable, Sendable, Equatable {
    public var topic: String
    public var scriptType: VideoScriptType
    /// 10–900.
    public var durationSeconds: Int
    public var platform: ContentPlatform
    /// Its hashtag limits and voice hold for scripts too.
    public var rules: CopyRules
    public var audience: String?
    public var sellingPoints: [String]
    public var tone: String?
    public var keywords: [String]
    /// As in ``CopyWritingRequest``.
    public var bannedWords: [String]
    public var brandWords: [String]
    public var callToAction: String?
    public var model: String
    public var revision: VideoScriptRevision?
    /// As in ``TitleGenerationRequest``.
    public var promptLabel: String?

    public init(
        topic: String, scriptType: VideoScriptType, durationSeconds: Int, platform: ContentPlatform, rules: CopyRules,
        audience: String?, sellingPoints: [String], tone: String?, keywords: [String], bannedWords: [String],
        brandWords: [String], callToAction: String?, model: String, revision: VideoScriptRevision? = nil,
        promptLabel: String? = nil
    ) {
        self.topic = topic
        self.scriptType = scriptType
        self.durationSeconds = durationSeconds
        self.platform = platform
        self.rules = rules
        self.audience = audience
        self.sellingPoints = sellingPoints
        self.tone = tone
        self.keywords = keywords
        self.bannedWords = bannedWords
        self.brandWords = brandWords
        self.callToAction = callToAction
        self.model = model
        self.revision = revision
        self.promptLabel = promptLabel
    }
}

/// agent-center's answer to ``VideoScriptWritingRequest``.
public struct VideoScriptWritingAnswer: Codable, Sendable, Equatable {
    public var script: VideoScript
    public var findings: [ComplianceFinding]
    /// Every rule that the text was held against; one that did not pass is advice (what must pass has passed).
    public var checks: [TextCheck]
    public var provider: String
    public var modelName: String
    public var degraded: Bool
    public var degradedReason: String?
    public var usage: TokenUsage
    public var promptVersion: String
    public var latencyMs: Int

    public init(
        script: VideoScript, findings: [ComplianceFinding], checks: [TextCheck], provider: String, modelName: String,
        degraded: Bool, degradedReason: String?, usage: TokenUsage, promptVersion: String, latencyMs: Int
    ) {
        self.script = script
        self.findings = findings
        self.checks = checks
        self.provider = provider
        self.modelName = modelName
        self.degraded = degraded
        self.degradedReason = degradedReason
        self.usage = usage
        self.promptVersion = promptVersion
        self.latencyMs = latencyMs
    }
}

/// The body of a content of kind `video_script`.
public struct VideoScriptBody: Codable, Sendable, Equatable {
    public var topic: String
    public var platform: ContentPlatform
    public var scriptType: VideoScriptType
    /// What was asked for.
    public var durationSeconds: Int
    public var hook: String
    public var scenes: [VideoScene]
    public var cta: String
    /// Without `#`.
    public var hashtags: [String]
    public var totalSeconds: Int
    public var brief: ContentBrief?

    public init(
        topic: String, platform: ContentPlatform, scriptType: VideoScriptType, durationSeconds: Int, hook: String,
        scenes: [VideoScene], cta: String, hashtags: [String], totalSeconds: Int, brief: ContentBrief? = nil
    ) {
        self.topic = topic
        self.platform = platform
        self.scriptType = scriptType
        self.durationSeconds = durationSeconds
        self.hook = hook
        self.scenes = scenes
        self.cta = cta
        self.hashtags = hashtags
        self.totalSeconds = totalSeconds
        self.brief = brief
    }
}

/// The text as it stands and what its editor wants changed.
public struct VideoScriptRevision: Codable, Sendable, Equatable {
    public var previous: VideoScript
    /// 1–500 characters.
    public var feedback: String

    public init(previous: VideoScript, feedback: String) {
        self.previous = previous
        self.feedback = feedback
    }
}
