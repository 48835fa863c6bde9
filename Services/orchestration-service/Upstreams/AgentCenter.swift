import DTO
import HTTPCore
import ServiceDefaults

/// What the flows need of agent-center.
protocol AgentCenter: Sendable {
    /// Writes titles. Repeatable by the operation's id: a repeat answers the completion that was already paid for.
    func writeTitles(_ request: TitleWritingRequest, as principal: Principal) async throws -> TitleWritingAnswer
}

struct LiveAgentCenter: AgentCenter {
    let client: UpstreamClient

    func writeTitles(_ request: TitleWritingRequest, as principal: Principal) async throws -> TitleWritingAnswer {
        try await client.call(.post, "/v1/titles", body: request, as: principal, idempotent: true)
    }
}
