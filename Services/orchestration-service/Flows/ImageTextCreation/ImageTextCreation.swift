import DTO
import FoundationEssentials
import ServiceDefaults

/// AI 图文创作 (seed 000 §3): a text with places for pictures, and the pictures where an outside image service is set.
///
/// 1. agent-center writes the text, with a caption, an alternative text and a prompt for each picture; content-center keeps it as a draft
///    at once.
/// 2. Each picture is a step of its own (``PictureMaking``): paid through agent-center's budget, made, kept as an asset. A picture that
///    does not come about leaves its prompt and says why; the others go on.
/// 3. The pictures are linked in a new version. With all of them the content is finished (成品), else it stays a draft.
///
/// Without an image service, step 1 is all there is. A run that is cancelled between two pictures links those that it has.
struct ImageTextCreation: DurableFlow {
    static let name = "ImageTextCreation"
    static let permissions = ["image_texts:generate"]
    /// Also names the draft among those of its operation, and agent-center's entry in the ledger.
    static let textStep = "image_text"

    static let closingSteps: Set = [PictureSet.linkStep]

    let words: any TenantVocabularies
    let agentCenter: any AgentCenter
    let contentCenter: any ContentCenter
    /// Absent where no image service is set.
    let pictures: PictureMaking?

    static func steps(for brief: ImageTextBrief) -> [String] {
        [textStep] + (brief.hasPicturesMade ? (1...brief.slots).map(PictureMaking.step) + [PictureSet.linkStep] : [])
    }

    func run(_ brief: ImageTextBrief, in run: RunContext) async throws -> ImageTextGenerationAnswer {
        let draft = try await text(brief, run)
        guard brief.hasPicturesMade, let pictures else { return draft }
        let set = PictureSet(
            contentId: draft.contentId, platform: draft.body.platform,
            prompts: Dictionary(uniqueKeysWithValues: draft.body.slots.enumerated().map { ($0.offset, $0.element.prompt) }),
            shape: brief.imageShape, pictures: pictures)
        let known = PictureSet.Reading(version: draft.version, body: draft.body)
        let linked = try await set.madeAndLinked(into: known, contentCenter, in: run) { draft.showing($0) ?? draft }
        return linked ?? draft
    }

    // MARK: The text

    private func text(_ brief: ImageTextBrief, _ run: RunContext) async throws -> ImageTextGenerationAnswer {
        try await run.step(Self.textStep) {
            let vocabulary = try await words.vocabulary(of: run.principal.tenantId)
            return try await agentCenter.writeImageText(Self.writingRequest(brief, vocabulary), as: run.principal)
        } keep: { written in
            let draft = try await contentCenter.saveDraft(Self.draft(of: written, for: brief), as: run.principal)
            let answer = ImageTextGenerationAnswer(
                contentId: draft.id, status: draft.status, completeness: draft.completeness, version: draft.version,
                runId: run.id,
                body: Self.body(of: written, for: brief), findings: written.findings, provider: written.provider,
                modelName: written.modelName, degraded: written.degraded, degradedReason: written.degradedReason,
                usage: written.usage, latencyMs: written.latencyMs, requestId: "")
            return StepResult(value: answer, contentId: draft.id)
        }
    }

    static func writingRequest(_ brief: ImageTextBrief, _ vocabulary: TenantVocabulary) -> ImageTextWritingRequest {
        let text = brief.text
        return ImageTextWritingRequest(
            topic: text.topic, platform: text.platform, rules: .of(text.platform), slots: brief.slots,
            imageStyle: brief.imageStyle, audience: text.audience, sellingPoints: text.sellingPoints, tone: text.tone,
            keywords: text.keywords, bannedWords: vocabulary.bannedWords(besides: text.bannedWords, on: text.platform),
            brandWords: vocabulary.brandWords, callToAction: text.callToAction, model: text.model,
            promptLabel: text.promptLabel)
    }

    /// The draft is named after its topic until an editor renames it.
    static func draft(of written: ImageTextWritingAnswer, for brief: ImageTextBrief) -> NewContent {
        NewContent(
            step: textStep, title: brief.text.topic, body: .imageText(body(of: written, for: brief)),
            source: .writer(written.provider, model: written.modelName, promptVersion: written.promptVersion))
    }

    private static func body(of written: ImageTextWritingAnswer, for brief: ImageTextBrief) -> ImageTextBody {
        let text = written.imageText
        return ImageTextBody(
            topic: brief.text.topic, platform: brief.text.platform, title: text.title, text: text.text, hashtags: text.hashtags,
            callToAction: text.callToAction,
            slots: text.slots.map { ImageSlot(caption: $0.caption, alt: $0.alt, prompt: $0.prompt) },
            brief: brief.text.kept(imageStyle: brief.imageStyle))
    }
}

/// What an operator asked for, checked: see `ImageTextCreationInput`.
struct ImageTextBrief: Codable, Sendable, Equatable {
    var text: TextBrief
    var slots: Int
    var imageShape: ImageShape
    var imageStyle: String?
    /// Decided when the run begins, so that its steps stay the same.
    var hasPicturesMade: Bool
}

extension PictureSet {
    private struct Linked<Value: Codable & Sendable>: Codable, Sendable { var shown: Value? }

    /// Names the step that links.
    static let linkStep = "pictures"

    /// Makes the pictures and links them.
    ///
    /// - Parameter showing: what the linking step keeps of the content.
    /// - Returns: `nil` where there was nothing to link.
    func madeAndLinked<Value: Codable & Sendable>(
        into known: Reading?, _ contentCenter: any ContentCenter, in run: RunContext,
        _ showing: @escaping @Sendable (Content) -> Value
    ) async throws -> Value? {
        do {
            let results = try await make(in: run)
            let linked = try await run.step(Self.linkStep) {
                let content = try await link(results, into: known, contentCenter, as: run.principal)
                return StepResult(value: Linked(shown: content.map(showing)), contentId: contentId)
            }
            return linked.shown
        } catch {
            // Somebody wants the run to stop, or this process is to end: what was made is shown all the same. A run that goes on later
            // links again.
            let task = Task { try await link(made(in: run), into: known, contentCenter, as: run.principal) }
            _ = try? await task.value
            throw error
        }
    }
}

extension ImageTextGenerationAnswer {
    /// With what the content has become.
    fileprivate func showing(_ content: Content) -> ImageTextGenerationAnswer? {
        guard case .imageText(let body) = content.body else { return nil }
        var answer = self
        (answer.status, answer.completeness, answer.version, answer.body) = (
            content.status, content.completeness, content.version, body
        )
        return answer
    }
}
