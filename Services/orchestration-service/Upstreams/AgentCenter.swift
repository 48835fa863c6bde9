import DTO
import HTTPCore
import ServiceDefaults

/// What the flows need of agent-center. All of it is repeatable by the operation's id: a repeat answers the completion that was already
/// paid for.
protocol AgentCenter: Sendable {
    func writeTitles(_ request: TitleWritingRequest, as principal: Principal) async throws -> TitleWritingAnswer

    /// One platform's copy; the platform tells the operation's copies apart.
    func writeCopy(_ request: CopyWritingRequest, as principal: Principal) async throws -> CopyWritingAnswer

    func writeImageText(_ request: ImageTextWritingRequest, as principal: Principal) async throws -> ImageTextWritingAnswer

    func writeVideoScript(_ request: VideoScriptWritingRequest, as principal: Principal) async throws -> VideoScriptWritingAnswer

    /// Vectors of texts, all in one model's space; the tenant pays for those that it has not asked for before.
    func embed(_ texts: [String], as principal: Principal) async throws -> TextVectors
}

struct LiveAgentCenter: AgentCenter {
    let client: UpstreamClient

    func writeTitles(_ request: TitleWritingRequest, as principal: Principal) async throws -> TitleWritingAnswer {
        try await client.call(.post, "/v1/titles", body: request, as: principal, idempotent: true)
    }

    func writeCopy(_ request: CopyWritingRequest, as principal: Principal) async throws -> CopyWritingAnswer {
        try await client.call(.post, "/v1/copies", body: request, as: principal, idempotent: true)
    }

    func writeImageText(_ request: ImageTextWritingRequest, as principal: Principal) async throws -> ImageTextWritingAnswer {
        try await client.call(.post, "/v1/image-texts", body: request, as: principal, idempotent: true)
    }

    func writeVideoScript(_ request: VideoScriptWritingRequest, as principal: Principal) async throws -> VideoScriptWritingAnswer
    {
        try await client.call(.post, "/v1/video-scripts", body: request, as: principal, idempotent: true)
    }
}
