import DTO
import FoundationEssentials
import ServiceDefaults

/// 视频脚本生成 (seed 000 §4): a script in shots and lines, kept as a draft that a crew can shoot from.
///
/// One step: agent-center writes (and holds shots and lines against the clock), content-center keeps. Both find by the operation's id what
/// they did before, so a run that begins again pays and saves once. Files for the crew are content-center's exports.
struct VideoScriptGeneration: DurableFlow {
    static let name = "VideoScriptGeneration"
    static let permissions = ["video_scripts:generate"]
    /// Also names the draft among those of its operation, and agent-center's entry in the ledger.
    static let step = "video_script"

    /// The two minutes that agent-center gives a script, and what the way there takes.
    static let timeToWrite = Duration.seconds(124)

    let words: any TenantVocabularies
    let agentCenter: any AgentCenter
    let contentCenter: any ContentCenter

    static func steps(for brief: VideoScriptBrief) -> [String] { [step] }

    func run(_ brief: VideoScriptBrief, in run: RunContext) async throws -> VideoScriptGenerationAnswer {
        try await run.step(Self.step) {
            let vocabulary = try await words.vocabulary(of: run.principal.tenantId)
            return try await TimeBudget.of(Self.timeToWrite) {
                try await agentCenter.writeVideoScript(Self.writingRequest(brief, vocabulary), as: run.principal)
            }
        } keep: { written in
            let draft = try await contentCenter.saveDraft(Self.draft(of: written, for: brief), as: run.principal)
            return StepResult(value: Self.answer(written, draft, run.id), contentId: draft.id)
        }
    }

    static func writingRequest(_ brief: VideoScriptBrief, _ vocabulary: TenantVocabulary) -> VideoScriptWritingRequest {
        let text = brief.text
        return VideoScriptWritingRequest(
            topic: text.topic, scriptType: brief.scriptType, durationSeconds: brief.durationSeconds, platform: text.platform,
            rules: .of(text.platform), audience: text.audience, sellingPoints: text.sellingPoints, tone: text.tone,
            keywords: text.keywords, bannedWords: vocabulary.bannedWords(besides: text.bannedWords, on: text.platform),
            brandWords: vocabulary.brandWords, callToAction: text.callToAction, model: text.model,
            promptLabel: text.promptLabel)
    }

    /// The draft is named after its topic until an editor renames it.
    static func draft(of written: VideoScriptWritingAnswer, for brief: VideoScriptBrief) -> NewContent {
        let script = written.script
        return NewContent(
            step: step, title: brief.text.topic,
            body: .videoScript(
                VideoScriptBody(
                    topic: brief.text.topic, platform: brief.text.platform, scriptType: brief.scriptType,
                    durationSeconds: brief.durationSeconds, hook: script.hook, scenes: script.scenes, cta: script.cta,
                    hashtags: script.hashtags, totalSeconds: script.totalSeconds, brief: brief.text.kept())),
            source: .writer(written.provider, model: written.modelName, promptVersion: written.promptVersion))
    }

    private static func answer(
        _ written: VideoScriptWritingAnswer, _ draft: Content, _ runId: UUID
    ) -> VideoScriptGenerationAnswer {
        VideoScriptGenerationAnswer(
            contentId: draft.id, status: draft.status, version: draft.version, runId: runId, script: written.script,
            findings: written.findings, provider: written.provider, modelName: written.modelName, degraded: written.degraded,
            degradedReason: written.degradedReason, usage: written.usage, latencyMs: written.latencyMs, requestId: "")
    }
}

/// What an operator asked for, checked: see `VideoScriptGenerationInput`.
struct VideoScriptBrief: Codable, Sendable, Equatable {
    var text: TextBrief
    var scriptType: VideoScriptType
    var durationSeconds: Int
}
