import DTO
import FoundationEssentials
import HTTPCore
import ServiceDefaults

/// Finds a tenant's contents by what they mean, whatever words they use (seed 001 §3.3).
///
/// agent-center has a vector made of the question, content-center compares it with those of the contents. Contents are taken in for
/// those tenants only who have searched this way, from their first such search on: vectors cost money.
struct SemanticSearch: Sendable {
    let tenants: SemanticTenantsStore
    let agentCenter: any AgentCenter
    let contentCenter: any ContentCenter

    func search(_ request: SemanticSearchRequest, as principal: Principal) async throws -> SemanticSearchAnswer {
        try await tenants.refuseErased(principal.tenantId)
        let question = try await agentCenter.embed([request.text], as: principal)
        guard let vector = question.vectors.first else { throw InternalFailure() }
        let answer = try await contentCenter.nearest(
            to: SemanticQuery(
                model: question.model, vector: vector, kind: request.kind, status: request.status, limit: request.limit),
            as: principal)
        // After the answer: who cannot search has nothing taken in.
        try await tenants.note(principal.tenantId, model: question.model, isPending: answer.pending > 0)
        return answer
    }
}

struct SemanticSearchRequest: Sendable, Equatable {
    var text: String
    var kind: ContentKind?
    var status: ContentStatus?
    var limit: Int
}

/// Vectors of texts, in their order, and the model whose space they lie in.
struct TextVectors: Sendable, Equatable {
    var model: String
    /// Little-endian float32 in base64: passed on as they come.
    var vectors: [String]
}
