import DTO
import FoundationEssentials
import ServiceDefaults

/// 多平台文案生成 (seed 000 §2): one brief, one copy per platform in that platform's way, kept as drafts that belong together.
///
/// Each platform is a step of its own, and some go side by side:
///
/// 1. agent-center writes, with the platform's rules and everybody's words.
/// 2. content-center keeps the copy as a draft of the run's group.
///
/// A platform that fails leaves the others alone and says why. Both halves of a step are repeatable by the operation's id, so a run that
/// is taken up again after a crash pays for no copy twice and saves no draft twice.
struct CopyGeneration: DurableFlow {
    static let name = "CopyGeneration"
    /// content-center asks for the second: better known before a copy is paid for than after.
    static let permissions = ["copies:generate", "contents:write"]
    /// How many platforms are written for at a time.
    static let width = 4

    let words: any TenantVocabularies
    let agentCenter: any AgentCenter
    let contentCenter: any ContentCenter

    static func steps(for brief: CopyBrief) -> [String] { brief.platforms.map(step) }

    static func step(_ platform: ContentPlatform) -> String { "copy:\(platform.rawValue)" }

    /// - Returns: what became of each platform, in the brief's order.
    /// - Throws: `FlowFailure` if there is no copy for any.
    func run(_ brief: CopyBrief, in run: RunContext) async throws -> [CopyGenerationItem] {
        let vocabulary = try await words.vocabulary(of: run.principal.tenantId)
        let items = try await brief.platforms.mapConcurrently(atMost: Self.width) { platform in
            do {
                return try await copy(for: platform, brief, vocabulary, in: run)
            } catch let failure as FlowFailure {
                return CopyGenerationItem(platform: platform, status: .failed, problem: failure.flowProblem)
            }
        }
        let problems = items.compactMap(\.problem)
        guard problems.count == items.count else { return items }
        // One that passes is worth a repeat, whatever the others say.
        guard let problem = problems.first(where: \.retryable) ?? problems.first else { return items }
        throw FlowFailure(problem)
    }

    private func copy(
        for platform: ContentPlatform, _ brief: CopyBrief, _ vocabulary: TenantVocabulary, in run: RunContext
    ) async throws -> CopyGenerationItem {
        try await run.step(Self.step(platform)) {
            try await agentCenter.writeCopy(Self.writingRequest(for: platform, brief, vocabulary), as: run.principal)
        } keep: { written in
            let draft = try await contentCenter.saveDraft(
                Self.draft(of: written, for: platform, brief, group: run.id), as: run.principal)
            let item = CopyGenerationItem(
                platform: platform, status: .succeeded, contentId: draft.id, version: draft.version, copy: written.copy,
                findings: written.findings, provider: written.provider, modelName: written.modelName, degraded: written.degraded,
                degradedReason: written.degradedReason, usage: written.usage, latencyMs: written.latencyMs)
            return StepResult(value: item, contentId: draft.id)
        }
    }

    static func writingRequest(
        for platform: ContentPlatform, _ brief: CopyBrief, _ vocabulary: TenantVocabulary
    ) -> CopyWritingRequest {
        CopyWritingRequest(
            topic: brief.topic, platform: platform, rules: .of(platform), audience: brief.audience,
            sellingPoints: brief.sellingPoints, tone: brief.tone, keywords: brief.keywords,
            bannedWords: vocabulary.bannedWords(besides: brief.bannedWords, on: platform), brandWords: vocabulary.brandWords,
            callToAction: brief.callToAction, model: brief.model, promptLabel: brief.promptLabel)
    }

    /// What is kept. The draft is named as its copy is, or after its topic where the platform shows no title.
    static func draft(
        of written: CopyWritingAnswer, for platform: ContentPlatform, _ brief: CopyBrief, group: UUID
    ) -> NewContent {
        NewContent(
            step: "copy.\(platform.rawValue)", title: written.copy.title ?? brief.topic,
            body: .copy(CopyBody(written.copy, topic: brief.topic, platform: platform, brief: brief.kept)),
            source: .writer(written.provider, model: written.modelName, promptVersion: written.promptVersion), groupId: group)
    }
}

/// What an operator asked for, checked: see `CopyGenerationInput`.
struct CopyBrief: Codable, Sendable, Equatable {
    var topic: String
    /// Each once, in the operator's order.
    var platforms: [ContentPlatform]
    var audience: String?
    var sellingPoints: [String]
    var tone: String?
    var keywords: [String]
    var bannedWords: [String]
    var callToAction: String?
    /// `auto` or a model's name.
    var model: String
    var promptLabel: String?

    /// What is kept of it with each copy.
    var kept: ContentBrief? {
        ContentBrief(
            audience: audience, sellingPoints: sellingPoints, tone: tone, keywords: keywords, bannedWords: bannedWords,
            callToAction: callToAction)
    }
}

extension CopyBody {
    init(_ copy: CopyText, topic: String, platform: ContentPlatform, brief: ContentBrief?) {
        self.init(
            topic: topic, platform: platform, title: copy.title, text: copy.text, hashtags: copy.hashtags,
            callToAction: copy.callToAction, brief: brief)
    }
}
