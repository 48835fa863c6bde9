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
struct TitleGeneration: Sendable {
    let words: any TenantVocabularies
    let agentCenter: any AgentCenter
    let contentCenter: any ContentCenter

    /// What the writing must leave of the caller's time for saving the draft.
    static let timeToSave = Duration.seconds(2)
    /// Names the draft among those of its operation.
    static let step = "title_set"

    func callAsFunction(_ brief: TitleBrief, as principal: Principal) async throws -> TitleGenerationAnswer {
        let vocabulary = try await words.vocabulary(of: principal.tenantId)
        let request = Self.writingRequest(brief, vocabulary)
        let written = try await TimeBudget.leaving(Self.timeToSave) {
            try await agentCenter.writeTitles(request, as: principal)
        }
        let draft = try await contentCenter.saveDraft(Self.draft(of: written, for: brief), as: principal)
        return TitleGenerationAnswer(
            contentId: draft.id, status: draft.status, version: draft.version, candidates: written.candidates,
            provider: written.provider, modelName: written.modelName, degraded: written.degraded,
            degradedReason: written.degradedReason, usage: written.usage, latencyMs: written.latencyMs,
            requestId: CallContext.current?.requestId ?? "")
    }

    /// Step 1: one request in which everything is decided that the flow decides.
    static func writingRequest(_ brief: TitleBrief, _ vocabulary: TenantVocabulary) -> TitleWritingRequest {
        let rules = PlatformRules.of(brief.platform)
        return TitleWritingRequest(
            topic: brief.topic, platform: brief.platform, audience: brief.audience, sellingPoints: brief.sellingPoints,
            tone: brief.tone, keywords: brief.keywords,
            bannedWords: vocabulary.bannedWords(besides: brief.bannedWords, on: brief.platform),
            brandWords: vocabulary.brandWords, count: brief.count, maxLength: brief.maxLength ?? rules.titleLength,
            model: brief.model)
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
struct TitleBrief: Sendable, Equatable {
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

    /// What is kept of it with the titles.
    var kept: ContentBrief? {
        ContentBrief(
            audience: audience, sellingPoints: sellingPoints, tone: tone, keywords: keywords, bannedWords: bannedWords,
            maxLength: maxLength)
    }
}
