public import FoundationEssentials

// The DTOs of flow `ImageTextCreation` (seed 000 §3): a text with pictures.

/// The shape of a flow's pictures.
public enum ImageShape: String, Codable, Sendable, CaseIterable {
    case square
    case portrait
    case landscape
}

/// `POST /api/image-texts`. Limits are checked by the flow's input rules, not here.
public struct ImageTextGenerationRequest: Codable, Sendable, Equatable {
    public var topic: String
    public var platform: ContentPlatform?
    public var audience: String?
    public var sellingPoints: [String]?
    public var tone: String?
    public var keywords: [String]?
    public var bannedWords: [String]?
    public var callToAction: String?
    /// How many pictures, 1–9; 3 when absent.
    public var slots: Int?
    /// The platform's usual one when absent.
    public var imageShape: ImageShape?
    /// e.g. `手绘水彩`.
    public var imageStyle: String?
    /// `auto` or a model's name; for the text.
    public var model: String?
    /// As in ``TitleGenerationRequest``; for the text.
    public var promptLabel: String?

    public init(
        topic: String, platform: ContentPlatform? = nil, audience: String? = nil, sellingPoints: [String]? = nil,
        tone: String? = nil, keywords: [String]? = nil, bannedWords: [String]? = nil, callToAction: String? = nil,
        slots: Int? = nil, imageShape: ImageShape? = nil, imageStyle: String? = nil, model: String? = nil,
        promptLabel: String? = nil
    ) {
        self.topic = topic
        self.platform = platform
        self.audience = audience
        self.sellingPoints = sellingPoints
        self.tone = tone
        self.keywords = keywords
        self.bannedWords = bannedWords
        self.callToAction = callToAction
        self.slots = slots
        self.imageShape = imageShape
        self.imageStyle = imageStyle
        self.model = model
        self.promptLabel = promptLabel
    }
}

/// The answer of `POST /api/image-texts` (201).
public struct ImageTextGenerationAnswer: Codable, Sendable, Equatable {
    public var contentId: UUID
    public var status: ContentStatus
    public var completeness: ContentCompleteness
    public var version: Int
    /// The run whose steps are the text and each picture.
    public var runId: UUID
    public var body: ImageTextBody
    public var findings: [ComplianceFinding]
    public var provider: String
    public var modelName: String
    public var degraded: Bool
    public var degradedReason: String?
    public var usage: TokenUsage
    public var latencyMs: Int
    public var requestId: String

    public init(
        contentId: UUID, status: ContentStatus, completeness: ContentCompleteness, version: Int, runId: UUID,
        body: ImageTextBody, findings: [ComplianceFinding], provider: String, modelName: String, degraded: Bool,
        degradedReason: String?, usage: TokenUsage, latencyMs: Int, requestId: String
    ) {
        self.contentId = contentId
        self.status = status
        self.completeness = completeness
        self.version = version
        self.runId = runId
        self.body = body
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

/// `POST /api/contents/{id}/pictures`: a person asks for pictures that an image-text still lacks.
public struct ImageTextPicturesRequest: Codable, Sendable, Equatable {
    /// Numbers of slots without a picture, from 1, each once.
    public var slots: [Int]
    /// The platform's usual one when absent.
    public var imageShape: ImageShape?

    public init(slots: [Int], imageShape: ImageShape? = nil) {
        self.slots = slots
        self.imageShape = imageShape
    }
}

/// What the image-text has become.
public struct ImageTextPicturesAnswer: Codable, Sendable, Equatable {
    public var contentId: UUID
    public var status: ContentStatus
    public var completeness: ContentCompleteness
    public var version: Int
    /// The run whose steps are the pictures.
    public var runId: UUID
    public var body: ImageTextBody

    public init(
        contentId: UUID, status: ContentStatus, completeness: ContentCompleteness, version: Int, runId: UUID, body: ImageTextBody
    ) {
        self.contentId = contentId
        self.status = status
        self.completeness = completeness
        self.version = version
        self.runId = runId
        self.body = body
    }
}

/// Whether everything that belongs to a content has been made. Derived from its body: only an image-text whose every slot has its
/// picture is `finished` (成品); everything else is an operator's `draft`. It stands beside the publish status and does not change it.
public enum ContentCompleteness: String, Codable, Sendable, CaseIterable {
    case draft
    case finished
}

/// A text with places for pictures.
public struct ImageTextText: Codable, Sendable, Equatable {
    public var title: String
    public var text: String
    /// Without `#`.
    public var hashtags: [String]
    public var callToAction: String?
    public var slots: [ImageSlotText]

    public init(title: String, text: String, hashtags: [String], callToAction: String? = nil, slots: [ImageSlotText]) {
        self.title = title
        self.text = text
        self.hashtags = hashtags
        self.callToAction = callToAction
        self.slots = slots
    }
}

/// What a picture is to show.
public struct ImageSlotText: Codable, Sendable, Equatable {
    /// Shown under the picture.
    public var caption: String
    /// Read aloud where the picture cannot be seen.
    public var alt: String
    /// What an image model is told.
    public var prompt: String

    public init(caption: String, alt: String, prompt: String) {
        self.caption = caption
        self.alt = alt
        self.prompt = prompt
    }
}

/// orchestration-service → agent-center, `POST /v1/image-texts`. agent-center's ledger step is `image_text`.
public struct ImageTextWritingRequest: Codable, Sendable, Equatable {
    public var topic: String
    public var platform: ContentPlatform
    public var rules: CopyRules
    /// 1–9; the answer has exactly so many.
    public var slots: Int
    public var imageStyle: String?
    public var audience: String?
    public var sellingPoints: [String]
    public var tone: String?
    public var keywords: [String]
    /// As in ``CopyWritingRequest``.
    public var bannedWords: [String]
    public var brandWords: [String]
    public var callToAction: String?
    public var model: String
    public var revision: ImageTextRevision?
    /// As in ``TitleGenerationRequest``.
    public var promptLabel: String?

    public init(
        topic: String, platform: ContentPlatform, rules: CopyRules, slots: Int, imageStyle: String?, audience: String?,
        sellingPoints: [String], tone: String?, keywords: [String], bannedWords: [String], brandWords: [String],
        callToAction: String?, model: String, revision: ImageTextRevision? = nil, promptLabel: String? = nil
    ) {
        self.topic = topic
        self.platform = platform
        self.rules = rules
        self.slots = slots
        self.imageStyle = imageStyle
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

/// agent-center's answer to ``ImageTextWritingRequest``.
public struct ImageTextWritingAnswer: Codable, Sendable, Equatable {
    public var imageText: ImageTextText
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
        imageText: ImageTextText, findings: [ComplianceFinding], checks: [TextCheck], provider: String, modelName: String,
        degraded: Bool, degradedReason: String?, usage: TokenUsage, promptVersion: String, latencyMs: Int
    ) {
        self.imageText = imageText
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

/// The body of a content of kind `image_text`.
public struct ImageTextBody: Codable, Sendable, Equatable {
    public var topic: String
    public var platform: ContentPlatform
    public var title: String
    public var text: String
    /// Without `#`.
    public var hashtags: [String]
    public var callToAction: String?
    /// 1–9 pictures in their order.
    public var slots: [ImageSlot]
    public var brief: ContentBrief?

    public init(
        topic: String, platform: ContentPlatform, title: String, text: String, hashtags: [String], callToAction: String? = nil,
        slots: [ImageSlot], brief: ContentBrief? = nil
    ) {
        self.topic = topic
        self.platform = platform
        self.title = title
        self.text = text
        self.hashtags = hashtags
        self.callToAction = callToAction
        self.slots = slots
        self.brief = brief
    }
}

/// One picture, made or still to be made.
public struct ImageSlot: Codable, Sendable, Equatable {
    public var caption: String
    public var alt: String
    public var prompt: String
    /// The picture; absent until there is one.
    public var assetId: UUID?
    /// Why there is none although one was asked for, in a sentence.
    public var problem: String?

    public init(caption: String, alt: String, prompt: String, assetId: UUID? = nil, problem: String? = nil) {
        self.caption = caption
        self.alt = alt
        self.prompt = prompt
        self.assetId = assetId
        self.problem = problem
    }
}

/// A picture that belongs to a tenant's contents, as `POST /v1/assets` answers it.
public struct Asset: Codable, Sendable, Equatable {
    public var id: UUID
    public var mediaType: String
    /// Bytes.
    public var size: Int
    /// Lower-case hexadecimal.
    public var sha256: String
    public var createdAt: Date

    public init(id: UUID, mediaType: String, size: Int, sha256: String, createdAt: Date) {
        self.id = id
        self.mediaType = mediaType
        self.size = size
        self.sha256 = sha256
        self.createdAt = createdAt
    }
}

/// The text as it stands and what its editor wants changed.
public struct ImageTextRevision: Codable, Sendable, Equatable {
    public var previous: ImageTextText
    /// 1–500 characters.
    public var feedback: String

    public init(previous: ImageTextText, feedback: String) {
        self.previous = previous
        self.feedback = feedback
    }
}
