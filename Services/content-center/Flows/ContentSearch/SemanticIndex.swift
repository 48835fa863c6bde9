import DTO
import FoundationEssentials
import HTTPCore

/// What contents mean, as vectors. They are made elsewhere (only agent-center calls models, design §2): orchestration asks what is
/// missing, has it made and hands it in.
struct SemanticIndex: Sendable {
    /// Of a content, in characters: what it begins with says what it is about.
    static let textLength = 2_000
    /// Of so many, those whose signatures are nearest, the cosines are computed.
    static let candidates = 200

    let store: SemanticIndexStore

    /// The newest contents first: they are looked for most.
    func pending(_ model: String, limit: Int, of tenantId: UUID) async throws -> SemanticPending {
        let contents = try await store.pending(model, limit: limit, of: tenantId)
        return SemanticPending(
            items: contents.map { content in
                let text = SearchText(title: content.title, body: content.body, spoken: content.spoken)
                let lines = (text.titles + text.lines).joined(separator: "\n")
                return SemanticText(
                    contentId: content.id, version: content.version, text: String(lines.prefix(Self.textLength)))
            })
    }

    /// Keeps one vector per content: that of the newest version, and of the model that was asked last.
    func keep(_ vectors: [KeptVector], model: String, of tenantId: UUID) async throws {
        try await store.keep(vectors, model: model, of: tenantId)
    }

    func nearest(to wish: SemanticWish, of tenantId: UUID) async throws -> SemanticSearchAnswer {
        let found = try await store.candidates(for: wish, limit: Self.candidates, of: tenantId)
        let hits = found.candidates.compactMap { content, bytes -> SemanticSearchHit? in
            guard let vector = MeaningVector(bytes) else { return nil }
            return SemanticSearchHit(content: content, score: Int((1_000 * wish.vector.cosine(with: vector)).rounded()))
        }
        let best = hits.sorted { ($1.score, $1.content.id.uuidString) < ($0.score, $0.content.id.uuidString) }
        return SemanticSearchAnswer(items: Array(best.prefix(wish.limit)), model: wish.model, pending: found.pending)
    }
}

struct KeptVector: Sendable {
    var contentId: UUID
    var version: Int
    /// `nil` where the model does not take the text.
    var vector: MeaningVector?
}

/// What is looked for.
struct SemanticWish: Sendable {
    var model: String
    var vector: MeaningVector
    var kind: ContentKind?
    var status: ContentStatus?
    var limit: Int
}
