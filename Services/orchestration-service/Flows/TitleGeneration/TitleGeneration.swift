import DTO
import FoundationEssentials
import Observability
import ServiceDefaults

/// 爆款标题生成器 (seed 000 §1): titles for a topic, kept as a draft that an operator edits further.
///
/// 1. Assemble what the writer must know: the platform's rules, the tenant's brand words and everybody's banned words.
/// 2. Let agent-center write, leaving time to save what it wrote.
/// 3. Save the candidates as a draft in content-center.
///
/// Every step is repeatable by the operation's id: agent-center finds the completion it already paid for and content-center the draft it
/// already saved, so a repeat after a crash at any point ends in the same draft.
///
/// Whoever waits for the titles gets them by a plain call, which leaves nothing behind but the draft. Whoever does not has a run of one
/// step, with the same story: shown while it goes on, cancelled and taken up again as runs are. An operation may even change between the two.
struct TitleGeneration: DurableFlow {
    static let name = "TitleGeneration"
    /// What one must be allowed to do to have it done.
    static let permissions = [TitleGenerationRoutes.permission]
    /// Also names the draft among those of its operation.
    static let step = "title_set"

    let words: any TenantVocabularies
    let agentCenter: any AgentCenter
    let contentCenter: any ContentCenter

    /// What the writing must leave of the caller's time for saving the draft.
    static let timeToSave = Duration.seconds(2)

    static func steps(for brief: TitleBrief) -> [String] { [step] }

    func callAsFunction(_ brief: TitleBrief, as principal: Principal) async throws -> TitleGenerationAnswer {
        let written = try await TimeBudget.leaving(Self.timeToSave) { try await write(brief, as: principal) }
        return try await keep(written, for: brief, as: principal)
    }

    func run(_ brief: TitleBrief, in run: RunContext) async throws -> TitleGenerationAnswer {
        try await run.step(Self.step) {
            try await write(brief, as: run.principal)
        } keep: { written in
            let answer = try await keep(written, for: brief, as: run.principal)
            return StepResult(value: answer, contentId: answer.contentId)
        }
    }

    /// Steps 1 and 2.
    private func write(_ brief: TitleBrief, as principal: Principal) async throws -> TitleWritingAnswer {
        let vocabulary = try await words.vocabulary(of: principal.tenantId)
        return try await agentCenter.writeTitles(Self.writingRequest(brief, vocabulary), as: principal)
    }

    /// Step 3.
    private func keep(
        _ written: TitleWritingAnswer, for brief: TitleBrief, as principal: Principal
    ) async throws -> TitleGenerationAnswer {
        let draft = try await contentCenter.saveDraft(Self.draft(of: written, for: brief), as: principal)
        return TitleGenerationAnswer(
            contentId: draft.id, status: draft.status, version: draft.version, candidates: written.candidates,
            provider: written.provider, modelName: written.modelName, degraded: written.degraded,
            degradedReason: written.degradedReason, usage: written.usage, latencyMs: written.latencyMs,
            requestId: CallContext.current?.requestId ?? "", findings: written.findings)
    }

    /// Step 1: one request in which everything is decided that the flow decides.
    static func writingRequest(_ brief: TitleBrief, _ vocabulary: TenantVocabulary) -> TitleWritingRequest {
        let rules = PlatformRules.of(brief.platform)
        return TitleWritingRequest(
            topic: brief.topic, platform: brief.platform, audience: brief.audience, sellingPoints: brief.sellingPoints,
            tone: brief.tone, keywords: brief.keywords,
            bannedWords: vocabulary.bannedWords(besides: brief.bannedWords, on: brief.platform),
            brandWords: vocabulary.brandWords, count: brief.count, maxLength: brief.maxLength ?? rules.titleLength,
            model: brief.model, promptLabel: brief.promptLabel)
    }

    /// Step 3: what is kept. The draft is named after its topic until an editor renames it.
    static func draft(of written: TitleWritingAnswer, for brief: TitleBrief) -> NewContent {
        NewContent(
            step: step, title: brief.topic,
            body: .titleSet(
                TitleSetBody(
                    topic: brief.topic, platform: brief.platform, candidates: written.candidates.map(TitleSetCandidate.init),
                    brief: brief.kept)),
            source: .writer(written.provider, model: written.modelName, promptVersion: written.promptVersion))
    }
}

/// What an operator asked for, checked: see `TitleGenerationInput`.
struct TitleBrief: Codable, Sendable, Equatable {
    var topic: String
    var platform: ContentPlatform
    var audience: String?
    var sellingPoints: [String]
    var tone: String?
    var keywords: [String]
    var bannedWords: [String]
    var count: Int
    /// Grapheme clusters; the platform's rule when `nil`.
    var maxLength: Int?
    /// `auto` or a model's name.
    var model: String
    var promptLabel: String?

    /// What is kept of it with the titles.
    var kept: ContentBrief? {
        ContentBrief(
            audience: audience, sellingPoints: sellingPoints, tone: tone, keywords: keywords, bannedWords: bannedWords,
            maxLength: maxLength)
    }
}
