import DTO
import FoundationEssentials
import HTTPCore

/// One text of a request: what the models said, and what compliance left of it.
struct TextPiece: Sendable {
    /// Without a product where a template writes.
    var outcome: AIGeneration.Outcome<String>
    /// What the caller gets; empty where it left.
    var text = ""
    /// What compliance found, and what became of it.
    var findings: [ComplianceFinding] = []
    /// Whether a model's text was mended: who has read it while it came has read another one.
    var isMended = false

    /// Templates are never billed; what a caller read before it left is.
    var isCharged: Bool { outcome.product != nil || outcome.isAbandoned }
    var isTemplate: Bool { !isCharged }

    /// Why it is not what the first choice wrote, in Chinese.
    var reason: String? { isTemplate ? "\(outcome.reason ?? "模型不可用")，内容由模板生成" : outcome.reason }
}

/// Holds the texts of the unified call against the compliance list and the tenant's own words: what a substitute mends is mended, other
/// sentences are written anew once, all is checked again, and where that does not help a template writes.
struct TextCompliance: Sendable {
    let compliance: Compliance
    let rewriting: PassageRewriting

    private struct Whole: Codable, Sendable {
        var output: String
    }

    /// - Parameter scene: a platform's name at its beginning (`douyin-title-zh`) adds that platform's bans.
    init(scene: String, bannedWords: WordFinder, rewriting: PassageRewriting) {
        compliance = Compliance(
            platform: ContentPlatform(rawValue: String(scene.prefix { $0 != "-" })), bannedWords: bannedWords)
        self.rewriting = rewriting
    }

    /// - Parameters:
    ///   - pointer: names the text in the answer.
    ///   - template: what stands in.
    func piece(
        of outcome: AIGeneration.Outcome<String>, at pointer: String, for call: ModelCall, _ ticket: UsageTicket,
        template: () -> String
    ) async throws -> TextPiece {
        var piece = TextPiece(outcome: outcome)
        if let draft = outcome.product { try await review(draft, &piece, call, ticket) }
        if piece.isTemplate {
            piece.text = TextTemplates.cleaned(template(), compliance, language: call.language)
        } else if let text = piece.outcome.product {
            piece.text = text
        }
        piece.findings += try ComplianceReview.warnings(in: Whole(output: piece.text), compliance)
        for index in piece.findings.indices { piece.findings[index].pointer = pointer }
        return piece
    }

    private func review(_ draft: String, _ piece: inout TextPiece, _ call: ModelCall, _ ticket: UsageTicket) async throws {
        var review = try ComplianceReview(Whole(output: draft), compliance)
        var reason: String?
        if !review.passages.isEmpty {
            let rewritten = try await rewriting.rewrite(review.passages.map { ($0.text, $0.words) }, for: call, ticket)
            piece.outcome.attempts += rewritten.attempts
            if rewritten.isAbandoned {
                (piece.outcome.product, piece.outcome.isAbandoned) = (nil, true)
                return
            }
            if let texts = rewritten.texts {
                review.put(texts)
                piece.outcome.isDegraded = piece.outcome.isDegraded || rewritten.isDegraded
                piece.outcome.reason = piece.outcome.reason ?? rewritten.reason
            } else {
                reason = rewritten.reason
            }
        }
        let clean = reason == nil ? try review.cleanText()?.output : nil
        piece.findings = review.findings(isDiscarded: clean == nil)
        piece.outcome.product = clean
        piece.isMended = clean != nil && clean != draft
        guard clean == nil else { return }
        let words = piece.findings.map(\.word).removingRepeats().prefix(5)
        piece.outcome.isDegraded = true
        piece.outcome.reason = reason ?? "模型文本含“\(words.joined(separator: "”“"))”，改写后仍不合规"
    }
}
