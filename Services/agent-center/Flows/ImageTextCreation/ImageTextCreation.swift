import DTO

/// Flow 3, AI 图文创作 (seed 000 §3), agent-center's part: "agent-center 生成文案/描述".
///
/// A text with places for pictures: for each a caption, a description for those who cannot see it, and what an image model is told.
/// The pictures themselves are orchestration-service's part.
struct ImageTextCreation: Sendable {
    static let step = "image_text"

    let writing: TextWriting

    func write(_ order: ImageTextOrder, for caller: Caller) async throws -> ImageTextWritingAnswer {
        let request = order.request
        let words = writing.bannedWords.finder(for: request.bannedWords, of: caller.tenantId)
        let writer = ImageTextWriter(brief: WritingBrief(request, words: words), order: order)
        let written = try await writing.write(
            writer,
            as: ModelCall(
                for: caller, step: Self.step,
                flow: "ImageTextCreation", task: .imageText, scene: "\(request.platform.rawValue)-image-text-zh",
                model: request.model))
        return ImageTextWritingAnswer(
            imageText: written.text, findings: written.findings, checks: written.checks, provider: written.provider,
            modelName: written.modelName, degraded: written.degraded, degradedReason: written.degradedReason,
            usage: written.usage, promptVersion: written.promptVersion, latencyMs: written.latencyMs)
    }
}

/// What is asked for.
struct ImageTextOrder: Sendable {
    var request: WritingRequest
    /// 1–9 pictures.
    var slots: Int
    var imageStyle: String?
    var revision: Revision<ImageTextText>?
}
