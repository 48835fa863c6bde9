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
        try await client.call(.post, "/v1/contents", body: draft, as: principal, idempotent: true)
    }

    func content(_ id: UUID, as principal: Principal) async throws -> Content {
        try await client.call(.get, "/v1/contents/\(id.text)", as: principal)
    }

    func saveVersion(_ version: NewVersion, of id: UUID, ifMatch: String, as principal: Principal) async throws -> Content {
        try await client.call(
            .post, "/v1/contents/\(id.text)/versions", body: version, as: principal, idempotent: true,
            headers: ["If-Match": ifMatch])
    }
}
