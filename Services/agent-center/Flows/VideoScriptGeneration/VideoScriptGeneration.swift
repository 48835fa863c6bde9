import DTO

/// Flow 4, 视频脚本生成 (seed 000 §4), agent-center's part: "agent-center 输出脚本结构(分镜/台词)".
///
/// A script whose scenes follow one another, whose lines can be spoken in their seconds, and whose length is the one asked for.
struct VideoScriptGeneration: Sendable {
    static let step = "video_script"

    let writing: TextWriting

    func write(_ order: VideoScriptOrder, for caller: Caller) async throws -> VideoScriptWritingAnswer {
        let request = order.request
        let words = writing.bannedWords.finder(for: request.bannedWords, of: caller.tenantId)
        let writer = VideoScriptWriter(brief: WritingBrief(request, words: words), order: order)
        let written = try await writing.write(
            writer,
            as: ModelCall(
                for: caller, step: Self.step,
                flow: "VideoScriptGeneration", task: .videoScript, scene: "\(request.platform.rawValue)-video-script-zh",
                model: request.model))
        return VideoScriptWritingAnswer(
            script: written.text, findings: written.findings, checks: written.checks, provider: written.provider,
            modelName: written.modelName, degraded: written.degraded, degradedReason: written.degradedReason,
            usage: written.usage, promptVersion: written.promptVersion, latencyMs: written.latencyMs)
    }
}

/// What is asked for.
struct VideoScriptOrder: Sendable {
    var request: WritingRequest
    var scriptType: VideoScriptType
    /// 10–900.
    var durationSeconds: Int
    var revision: Revision<VideoScript>?
}
