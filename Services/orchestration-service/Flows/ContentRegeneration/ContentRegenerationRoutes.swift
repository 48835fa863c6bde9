import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import ServiceDefaults

struct ContentRegenerationRoutes: Sendable {
    static let permission = "contents:write"

    let runs: Runs
    let contentCenter: any ContentCenter

    /// `POST /v1/contents/{id}/regenerate`
    func regenerate(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.permission)
        let id = try request.parameters.uuid("id")
        let named = try ContentRegenerationInput.seen(request.headers)
        let wish = try ContentRegenerationInput.read(request.json())
        let (ifMatch, seen) = if let named { named } else { try await newest(id, as: principal) }
        let order = RegenerationOrder(contentId: id, ifMatch: ifMatch, seen: seen, wish: wish)
        return try await runs.answer(request, with: ContentRegeneration.self, order, as: principal) { _, content in
            try .json(.ok, content, headers: ["ETag": content.entityTag])
        }
    }

    /// Whoever names no version means the one that stands when the order comes, and loses nothing that is written meanwhile.
    private func newest(_ id: UUID, as principal: Principal) async throws -> (header: String, seen: [SeenContent]) {
        // Of an erased tenant there is none: he is told why.
        try await runs.refuseErased(principal.tenantId)
        let content = try await contentCenter.content(id, as: principal)
        return ("\"\(content.version)\"", [SeenContent(version: content.version)])
    }
}
