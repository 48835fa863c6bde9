import DTO
import FoundationEssentials
import HTTPCore
import ServiceDefaults

/// The editor's word on a text (seed 000 §1 step 6, 二次编辑): the writer gets what there is and what is to change, and what it writes
/// becomes the content's next version.
///
/// 1. Load the content; it must be the version that the editor has seen.
/// 2. Let agent-center write again, by the brief that is kept with the text (older ones have none), the platform's rules and with
///    everybody's words, leaving time to save.
/// 3. Save the next version.
///
/// Repeatable by the operation's id, as `TitleGeneration` is: whatever has become of the content since, the repeat finds the version that
/// the operation wrote.
struct ContentRegeneration: Sendable {
    let words: any TenantVocabularies
    let agentCenter: any AgentCenter
    let contentCenter: any ContentCenter

    static let timeToSave = TitleGeneration.timeToSave
    /// Names the version among those of its operation.
    static let step = "regenerate"

    /// - Parameters:
    ///   - ifMatch: the header that names what the editor has seen.
    ///   - seen: the same, read.
    func callAsFunction(
        _ id: UUID, with wish: RegenerationWish, ifMatch: String, seen: [SeenContent], as principal: Principal
    ) async throws -> Content {
        let before = try await contentCenter.content(id, as: principal)
        guard seen.contains(where: { $0.matches(before) }) else {
            // Nothing is written by this: it finds the version of a repeat, or is refused as the conflict that it is.
            return try await save(
                NewVersion(step: Self.step, body: before.body, source: before.source), of: id, ifMatch: ifMatch, as: principal)
        }
        let vocabulary = try await words.vocabulary(of: principal.tenantId)
        let next = try await TimeBudget.leaving(Self.timeToSave) {
            try await write(before, again: wish, vocabulary, as: principal)
        }
        return try await save(next, of: id, ifMatch: ifMatch, as: principal)
    }

    private func save(_ version: NewVersion, of id: UUID, ifMatch: String, as principal: Principal) async throws -> Content {
        try await contentCenter.saveVersion(version, of: id, ifMatch: ifMatch, as: principal)
    }

    private func write(
        _ content: Content, again wish: RegenerationWish, _ vocabulary: TenantVocabulary, as principal: Principal
    ) async throws -> NewVersion {
        switch content.body {
        case .titleSet(let body):
            let written = try await agentCenter.writeTitles(Self.request(body, wish, vocabulary), as: principal)
            return Self.version(
                .titleSet(
                    TitleSetBody(
                        topic: body.topic, platform: body.platform, candidates: written.candidates.map(TitleSetCandidate.init),
                        brief: body.brief)),
                .writer(written.provider, model: written.modelName, promptVersion: written.promptVersion))
        case .copy(let body):
            let written = try await agentCenter.writeCopy(Self.request(body, wish, vocabulary), as: principal)
            return Self.version(
                .copy(CopyBody(written.copy, topic: body.topic, platform: body.platform, brief: body.brief)),
                .writer(written.provider, model: written.modelName, promptVersion: written.promptVersion))
        case .imageText(let body):
            let written = try await agentCenter.writeImageText(Self.request(body, wish, vocabulary), as: principal)
            return Self.version(
                .imageText(Self.body(written.imageText, after: body)),
                .writer(written.provider, model: written.modelName, promptVersion: written.promptVersion))
        case .videoScript(let body):
            let written = try await agentCenter.writeVideoScript(Self.request(body, wish, vocabulary), as: principal)
            return Self.version(
                .videoScript(Self.body(written.script, after: body)),
                .writer(written.provider, model: written.modelName, promptVersion: written.promptVersion))
        case .video, .replyTemplate: throw NoWriter(kind: content.kind)
        }
    }

    private static func version(_ body: ContentBody, _ source: VersionSource) -> NewVersion {
        NewVersion(step: step, body: body, source: source)
    }
}

/// People write these themselves.
struct NoWriter: HTTPFailure {
    let kind: ContentKind

    var problem: ProblemDescription {
        ValidationFailure(
            pointer: "", code: "other_kind", zh: "\(kind.rawValue) 类内容没有可用的写手",
            en: "no writer writes a content of kind \(kind.rawValue)"
        ).problem
    }
}

/// What an editor has read: a version, or exactly one revision of it.
struct SeenContent: Sendable, Equatable {
    var version: Int
    var revision: Int?

    func matches(_ content: Content) -> Bool {
        version == content.version && (revision == nil || revision == content.revision)
    }
}

/// What an editor wants, checked: see `ContentRegenerationInput`.
struct RegenerationWish: Sendable, Equatable {
    var feedback: String
    /// `auto` or a model's name.
    var model: String
}
