import DTO

/// Flow 2, 多平台文案生成 (seed 000 §2), agent-center's part: "agent-center 输出平台适配文案".
///
/// One platform's text. What the platform asks for comes with the request as data; a model writes, or the templates do and say so.
struct CopyGeneration: Sendable {
    let writing: TextWriting

    func write(
        _ request: WritingRequest, revising revision: Revision<CopyText>?, for caller: Caller
    ) async throws -> CopyWritingAnswer {
        let words = writing.bannedWords.finder(for: request.bannedWords, of: caller.tenantId)
        let writer = CopyWriter(brief: WritingBrief(request, words: words), revision: revision)
        let platform = request.platform.rawValue
        let written = try await writing.write(
            writer,
            as: ModelCall(
                for: caller, step: "copy:\(platform)",
                flow: "CopyGeneration", task: .copy, scene: "\(platform)-copy-zh", model: request.model))
        return CopyWritingAnswer(
            copy: written.text, findings: written.findings, checks: written.checks, provider: written.provider,
            modelName: written.modelName, degraded: written.degraded, degradedReason: written.degradedReason,
            usage: written.usage, promptVersion: written.promptVersion, latencyMs: written.latencyMs)
    }
}
