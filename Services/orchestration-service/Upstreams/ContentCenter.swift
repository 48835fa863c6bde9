import DTO
import FoundationEssentials
import HTTPCore
import Observability
import ServiceDefaults

/// What the flows need of content-center.
protocol ContentCenter: Sendable {
    /// Saves version 1 of a content as a draft. Repeatable by the operation's id and the draft's step.
    func saveDraft(_ draft: NewContent, as principal: Principal) async throws -> Content

    /// The newest version of a content.
    func content(_ id: UUID, as principal: Principal) async throws -> Content

    /// Writes the version after those that `ifMatch` names, an `If-Match` header. Repeatable by the operation's id and the version's
    /// step, whatever has become of the content since.
    func saveVersion(_ version: NewVersion, of id: UUID, ifMatch: String, as principal: Principal) async throws -> Content

    /// The contents whose vectors are nearest to one.
    func nearest(to query: SemanticQuery, as principal: Principal) async throws -> SemanticSearchAnswer

    /// Contents that have no vector of a model yet.
    func pendingTexts(for model: String, limit: Int, as principal: Principal) async throws -> SemanticPending

    func keep(_ vectors: SemanticVectors, as principal: Principal) async throws
}

struct LiveContentCenter: ContentCenter {
    let client: UpstreamClient

    func saveDraft(_ draft: NewContent, as principal: Principal) async throws -> Content {
        try await saving(draft, \.body) {
            try await client.call(.post, "/v1/contents", body: $0, as: principal, idempotent: true)
        }
    }

    func content(_ id: UUID, as principal: Principal) async throws -> Content {
        try await client.call(.get, "/v1/contents/\(id.text)", as: principal)
    }

    func saveVersion(_ version: NewVersion, of id: UUID, ifMatch: String, as principal: Principal) async throws -> Content {
        try await saving(version, \.body) {
            try await client.call(
                .post, "/v1/contents/\(id.text)/versions", body: $0, as: principal, idempotent: true,
                headers: ["If-Match": ifMatch])
        }
    }

    /// While the platform is brought up to date, a content-center that does not know briefs yet may answer. The text is paid for: it is
    /// saved without what it was asked for by rather than not at all.
    private func saving<Text: Sendable>(
        _ text: Text, _ body: WritableKeyPath<Text, ContentBody>, _ save: (Text) async throws -> Content
    ) async throws -> Content {
        do { return try await save(text) } catch let problem as UpstreamProblem where problem.refusesBriefs {
            var text = text
            text[keyPath: body].forgetBrief()
            return try await save(text)
        }
    }
}

extension UpstreamProblem {
    fileprivate var refusesBriefs: Bool {
        status == .unprocessableContent && body?.errors?.contains { $0.pointer == "/body/brief" } == true
    }
}

extension ContentBody {
    fileprivate mutating func forgetBrief() {
        switch self {
        case .titleSet(var body):
            body.brief = nil
            self = .titleSet(body)
        case .copy(var body):
            body.brief = nil
            self = .copy(body)
        case .imageText(var body):
            body.brief = nil
            self = .imageText(body)
        case .videoScript(var body):
            body.brief = nil
            self = .videoScript(body)
        case .video, .replyTemplate: break
        }
    }
}
