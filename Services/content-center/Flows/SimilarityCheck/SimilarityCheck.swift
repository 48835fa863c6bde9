import ConcurrencySupport
import DTO
import FoundationEssentials
import Observability

/// What of the tenant's own contents reads like this one (相似度检查): a score, and the passages that both have.
///
/// Fingerprints are made when somebody asks, of whatever has none for its newest text yet, for as long as the request has time: where some
/// are left the answer says so, and the next one goes on with them. Candidates come from them, and what is answered is compared word for word.
struct SimilarityCheck: Sendable {
    /// At most so many candidates are compared.
    static let maxCandidates = 50

    let contents: Contents
    let store: SimilarityStore
    var fingerprintsAtATime = 200
    /// In one transaction, but for a text that has more: what is kept stays kept when the request's time is over.
    var bandsAtATime = 20_000
    /// Fingerprints are made for so long, and never so long that no time is left to compare.
    var patience = Duration.seconds(20)
    private static let reserve = Duration.seconds(5)

    /// - Parameter minimum: percent.
    func similar(to id: UUID, minimum: Int, limit: Int, of tenantId: UUID) async throws -> ContentSimilarity {
        let content = try await contents.content(id, of: tenantId)
        let isComplete = try await catchUp(of: tenantId)
        let text = TokenizedText(Self.text(of: content.body))
        var answer = ContentSimilarity(contentId: id, version: content.version, items: [], isComplete: isComplete)
        guard let fingerprint = TextFingerprint(text) else { return answer }
        let candidates = try await store.candidates(
            sharing: fingerprint.wanted, besides: id, limit: Self.maxCandidates, of: tenantId)
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

    /// The newest first.
    ///
    /// - Returns: whether every text has its fingerprint now.
    private func catchUp(of tenantId: UUID) async throws -> Bool {
        let time = Deadline.after(patience)
        let end = CallContext.current?.deadline.map { min(time, Deadline($0 - Self.reserve)) } ?? time
        var last: UUID?
        repeat {
            let texts = try await store.withoutFingerprint(before: last, limit: fingerprintsAtATime, of: tenantId)
            var (batch, size): ([(text: ComparedText, bands: [Int64])], Int) = ([], 0)
            for text in texts {
                let bands = TextFingerprint(TokenizedText(Self.text(of: text.body)))?.bands ?? []
                if !batch.isEmpty, size + bands.count > bandsAtATime {
                    try await store.keep(batch, of: tenantId)
                    if end.isPast { return false }
                    (batch, size) = ([], 0)
                }
                batch.append((text, bands))
                size += bands.count
            }
            if !batch.isEmpty { try await store.keep(batch, of: tenantId) }
            if texts.count < fingerprintsAtATime { return true }
            last = texts.last?.id
        } while !end.isPast
        return false
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
