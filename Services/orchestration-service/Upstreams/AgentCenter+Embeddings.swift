import DTO
import HTTPCore
import ServiceDefaults

extension LiveAgentCenter {
    /// Not sent again by itself: an installation without such a model answers 503 every time, and somebody waits. Asked again, vectors
    /// that were paid for come from agent-center's cache.
    func embed(_ texts: [String], as principal: Principal) async throws -> TextVectors {
        let answer: EmbeddingsAnswer = try await client.call(
            .post, "/v1/embeddings",
            body: EmbeddingsRequest(model: "auto", input: .texts(texts), encodingFormat: "base64"), as: principal,
            idempotent: false)
        let vectors = answer.data.sorted { $0.index < $1.index }.compactMap { item -> String? in
            if case .base64(let text) = item.embedding { text } else { nil }
        }
        guard vectors.count == texts.count else { throw InternalFailure() }
        return TextVectors(model: answer.model, vectors: vectors)
    }
}
