import DTO
import FoundationEssentials
import HTTPCore
import ServiceDefaults

/// The editor's word on a text (seed 000 §1 step 6, 二次编辑): the writer gets what there is and what is to change, and what it writes
/// becomes the content's next version.
///
/// 1. Load the content; it must be the version that the editor has seen. Who names none means the one that is found.
/// 2. Let agent-center write again, by the brief that is kept with the text (older ones have none), the platform's rules and with
///    everybody's words. A template knows nothing of what the editor wants, so it is no answer here: the text stays as it is.
/// 3. Save the next version.
///
/// One step of a run. Repeatable by the operation's id, as `VideoScriptGeneration` is: whatever has become of the content since, what
/// begins again finds the version that the operation wrote.
struct ContentRegeneration: DurableFlow {
    static let name = "ContentRegeneration"
    /// What one must be allowed to do to have it done.
    static let permissions = [ContentRegenerationRoutes.permission]
    /// Also names the version among those of its operation.
    static let step = "regenerate"

    let words: any TenantVocabularies
    let agentCenter: any AgentCenter
    let contentCenter: any ContentCenter

    static func steps(for order: RegenerationOrder) -> [String] { [step] }

    func run(_ order: RegenerationOrder, in run: RunContext) async throws -> Content {
        try await run.step(Self.step) {
            try await next(order, as: run.principal)
        } keep: { written in
            let content = try await contentCenter.saveVersion(
                written.version, of: order.contentId, ifMatch: written.ifMatch, as: run.principal)
            return StepResult(value: content, contentId: content.id)
        }
    }

    private struct Written: Sendable {
        var version: NewVersion
        /// What it was written after.
        var ifMatch: String
    }

    private func next(_ order: RegenerationOrder, as principal: Principal) async throws -> Written {
        let before = try await contentCenter.content(order.contentId, as: principal)
        let ifMatch = order.ifMatch ?? "\"\(before.version)\""
        guard order.ifMatch == nil || order.seen.contains(where: { $0.matches(before) }) else {
            // Nothing comes of this where it is kept: it finds the version that was written before, or is refused as the conflict that it is.
            return Written(version: NewVersion(step: Self.step, body: before.body, source: before.source), ifMatch: ifMatch)
        }
        let vocabulary = try await words.vocabulary(of: principal.tenantId)
        // The content may be a script. Others are written within agent-center's own 20 s.
        return try await TimeBudget.of(VideoScriptGeneration.timeToWrite) {
            Written(version: try await write(before, again: order.wish, vocabulary, as: principal), ifMatch: ifMatch)
        }
    }

    private func write(
        _ content: Content, again wish: RegenerationWish, _ vocabulary: TenantVocabulary, as principal: Principal
    ) async throws -> NewVersion {
        switch content.body {
        case .titleSet(let body):
            let written = try await agentCenter.writeTitles(Self.request(body, wish, vocabulary), as: principal)
            try Self.refuseTemplate(written.degraded)
            return Self.version(
                .titleSet(
                    TitleSetBody(
                        topic: body.topic, platform: body.platform, candidates: written.candidates.map(TitleSetCandidate.init),
                        brief: body.brief)),
                .writer(written.provider, model: written.modelName, promptVersion: written.promptVersion))
        case .copy(let body):
            let written = try await agentCenter.writeCopy(Self.request(body, wish, vocabulary), as: principal)
            try Self.refuseTemplate(written.degraded)
            return Self.version(
                .copy(CopyBody(written.copy, topic: body.topic, platform: body.platform, brief: body.brief)),
                .writer(written.provider, model: written.modelName, promptVersion: written.promptVersion))
        case .imageText(let body):
            let written = try await agentCenter.writeImageText(Self.request(body, wish, vocabulary), as: principal)
            try Self.refuseTemplate(written.degraded)
            return Self.version(
                .imageText(Self.body(written.imageText, after: body)),
                .writer(written.provider, model: written.modelName, promptVersion: written.promptVersion))
        case .videoScript(let body):
            let written = try await agentCenter.writeVideoScript(Self.request(body, wish, vocabulary), as: principal)
            try Self.refuseTemplate(written.degraded)
            return Self.version(
                .videoScript(Self.body(written.script, after: body)),
                .writer(written.provider, model: written.modelName, promptVersion: written.promptVersion))
        case .video, .replyTemplate: throw NoWriter(kind: content.kind)
        }
    }

    private static func refuseTemplate(_ isDegraded: Bool) throws { if isDegraded { throw NothingToWriteAgain() } }

    private static func version(_ body: ContentBody, _ source: VersionSource) -> NewVersion {
        NewVersion(step: step, body: body, source: source)
    }
}

/// No model is set up, or none gave an answer; which passes. (A conflict and no 503: the service is well, and whoever asks again at once
/// gets no other.)
struct NothingToWriteAgain: HTTPFailure {
    var problem: ProblemDescription {
        ProblemDescription(
            status: .conflict, code: "content.no_model",
            title: LocalizedText(
                zh: "没有可用的模型按意见改写，内容保持不变", en: "No model could write it again; the content stays as it is"),
            retryable: true, headers: ["Retry-After": "60"])
    }
}

/// People write these themselves.
struct NoWriter: HTTPFailure {
    let kind: ContentKind

    var problem: ProblemDescription {
        ValidationFailure(
            pointer: "", code: "other_kind", zh: "这类内容没有可用的写手",
            en: "no writer writes a content of kind \(kind.rawValue)"
        ).problem
    }
}

/// What an editor asked for, checked: see `ContentRegenerationInput`.
struct RegenerationOrder: Codable, Sendable, Equatable {
    var contentId: UUID
    /// The header that names what the editor has seen; without it the newest is meant.
    var ifMatch: String?
    /// The same, read.
    var seen: [SeenContent]
    var wish: RegenerationWish
}

/// What an editor has read: a version, or exactly one revision of it.
struct SeenContent: Codable, Sendable, Equatable {
    var version: Int
    var revision: Int?

    func matches(_ content: Content) -> Bool {
        version == content.version && (revision == nil || revision == content.revision)
    }
}

/// What an editor wants.
struct RegenerationWish: Codable, Sendable, Equatable {
    var feedback: String
    /// `auto` or a model's name.
    var model: String
    var promptLabel: String?
}
