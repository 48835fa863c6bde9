import DTO
import HTTPCore
import ServiceDefaults

/// What the flows need of content-center.
protocol ContentCenter: Sendable {
    /// Saves version 1 of a content as a draft. Repeatable by the operation's id and the draft's step.
    func saveDraft(_ draft: NewContent, as principal: Principal) async throws -> Content
}

struct LiveContentCenter: ContentCenter {
    let client: UpstreamClient

    func saveDraft(_ draft: NewContent, as principal: Principal) async throws -> Content {
        try await client.call(.post, "/v1/contents", body: draft, as: principal, idempotent: true)
    }
}
