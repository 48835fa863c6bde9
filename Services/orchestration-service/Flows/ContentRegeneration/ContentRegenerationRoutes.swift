import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import ServiceDefaults

struct ContentRegenerationRoutes: Sendable {
    static let permission = "contents:write"

    let flow: ContentRegeneration

    /// `POST /v1/contents/{id}/regenerate`
    func regenerate(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.permission)
        let id = try request.parameters.uuid("id")
        let (ifMatch, seen) = try ContentRegenerationInput.seen(request.headers)
        let wish = try ContentRegenerationInput.read(request.json())
        let content = try await flow(id, with: wish, ifMatch: ifMatch, seen: seen, as: principal)
        return try .json(.ok, content, headers: ["ETag": content.entityTag])
    }
}
