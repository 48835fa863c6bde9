import DTO
import FoundationEssentials

/// What of the tenant's own contents reads like this one (相似度检查): a score, and the passages that both have.
///
/// Fingerprints are made when somebody asks, of whatever has none for its newest text yet, some thousands at a time; candidates come from
/// them, and what is answered is compared word for word.
struct SimilarityCheck: Sendable {
    /// At most so many candidates are compared.
    static let maxCandidates = 50
    static let fingerprintsAtATime = 200
    static let maxFingerprints = 5_000

    let contents: Contents
    let store: SimilarityStore

    /// - Parameter minimum: percent.
    func similar(to id: UUID, minimum: Int, limit: Int, of tenantId: UUID) async throws -> ContentSimilarity {
        let content = try await contents.content(id, of: tenantId)
        try await catchUp(of: tenantId)
        let text = TokenizedText(Self.text(of: content.body))
        var answer = ContentSimilarity(contentId: id, version: content.version, items: [])
        guard let fingerprint = TextFingerprint(text) else { return answer }
        let candidates = try await store.candidates(
            sharing: fingerprint.bands, besides: id, limit: Self.maxCandidates, of: tenantId)
        answer.items = candidates.compactMap { candidate in
            let other = TokenizedText(Self.text(of: candidate.body))
            let score = Int((SharedPassages.share(of: text, in: other) * 100).rounded())
            guard score >= minimum else { return nil }
            let passages = SharedPassages.passages(of: text, in: other)
            return SimilarContent(
                contentId: candidate.id, version: candidate.version, title: candidate.title, score: score,
                passages: passages.map { SimilarPassage(text: $0.text, otherText: $0.otherText) })
        }
        .sorted { ($1.score, $0.contentId.uuidString) < ($0.score, $1.contentId.uuidString) }
        answer.items = Array(answer.items.prefix(limit))
        return answer
    }

    private func catchUp(of tenantId: UUID) async throws {
        for _ in 0..<Self.maxFingerprints / Self.fingerprintsAtATime {
            let texts = try await store.withoutFingerprint(limit: Self.fingerprintsAtATime, of: tenantId)
            guard !texts.isEmpty else { return }
            for text in texts {
                let bands = TextFingerprint(TokenizedText(Self.text(of: text.body)))?.bands ?? []
                try await store.keep(bands, of: text.id, version: text.version, tenantId: tenantId)
            }
        }
    }

    /// Everything in a body that people read.
    static func text(of body: ContentBody) -> String {
        let parts: [String?] =
            switch body {
            case .titleSet(let titles): titles.candidates.map(\.title)
            case .copy(let copy): [copy.title, copy.text, copy.callToAction]
            case .imageText(let imageText):
                [imageText.title, imageText.text, imageText.callToAction] + imageText.slots.map(\.caption)
            case .videoScript(let script): [script.hook] + script.scenes.flatMap { [$0.line, $0.visual] } + [script.cta]
            case .video(let video): [video.title, video.text]
            case .replyTemplate(let template): [template.text]
            }
        return parts.compactMap(\.self).joined(separator: "\n")
    }
}

/// The newest text of a content.
struct ComparedText: Sendable {
    var id: UUID
    var version: Int
    var title: String
    var body: ContentBody
}
