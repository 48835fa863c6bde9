import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import ServiceDefaults

struct ContentRegenerationRoutes: Sendable {
    static let permission = "contents:write"

    let runs: Runs

    /// `POST /v1/contents/{id}/regenerate`
    func regenerate(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.permission)
        let id = try request.parameters.uuid("id")
        let named = try ContentRegenerationInput.seen(request.headers)
        let wish = try ContentRegenerationInput.read(request.json())
        let order = RegenerationOrder(contentId: id, ifMatch: named?.header, seen: named?.seen ?? [], wish: wish)
        return try await runs.answer(request, with: ContentRegeneration.self, order, as: principal) { _, content in
            try .json(.ok, content, headers: ["ETag": content.entityTag])
        }
    }
}
