import DTO
import Testing

@testable import AgentCenter

@Suite("A text on its way through compliance")
struct ComplianceReviewTests {
    private struct Sample: Codable, Sendable, Equatable {
        var title: String
        var lines: [String]
        var count = 3
    }

    private let compliance = Compliance(platform: .douyin, bannedWords: WordFinder(words: ["内部渠道"]))

    @Test("A clean text passes as it is")
    func clean() throws {
        let text = Sample(title: "防晒怎么选", lines: ["出门前涂好"])
        let review = try ComplianceReview(text, compliance)
        #expect(review.passages.isEmpty && review.findings(isDiscarded: false).isEmpty)
        #expect(try review.cleanText() == text)
    }

    @Test("Only the sentences with forbidden words are handed to a writer; neighbours with them as one")
    func passages() throws {
        let text = Sample(title: "好好说", lines: ["第一句没事。能根治！也能包治。后面没事", "走内部渠道"])
        let review = try ComplianceReview(text, compliance)
        #expect(
            review.passages == [
                .init(pointer: "/lines/0", range: 6..<10, text: "能根治！", words: ["根治"]),
                .init(pointer: "/lines/0", range: 10..<15, text: "也能包治。", words: ["包治"]),
                .init(pointer: "/lines/1", range: 0..<5, text: "走内部渠道", words: ["内部渠道"]),
            ])
        #expect(try review.cleanText() == nil)
    }

    @Test("Rewritten passages are put in their places; those still forbidden are not let through")
    func put() throws {
        let text = Sample(title: "能根治", lines: ["先说事。能根治！后面没事", "绝佳的选择"])
        var review = try ComplianceReview(text, compliance)
        review.put(["能改善一点", "会好一点！"])
        #expect(try review.cleanText() == Sample(title: "能改善一点", lines: ["先说事。会好一点！后面没事", "不错的选择"]))
        #expect(review.findings(isDiscarded: false).map(\.action) == [.rewritten, .rewritten, .replaced])
        #expect(review.findings(isDiscarded: true).map(\.action) == [.discarded, .discarded, .discarded])
        var worse = try ComplianceReview(text, compliance)
        worse.put(["能治愈", "会好一点！"])
        #expect(try worse.cleanText() == nil)
    }

    @Test("A word that two clean pieces make where they meet is seen")
    func seam() throws {
        var review = try ComplianceReview(
            Sample(title: "能根治", lines: []), Compliance(platform: nil, bannedWords: WordFinder(words: ["能改"])))
        review.put(["能改"])
        #expect(try review.cleanText() == nil)
    }

    @Test("Offsets count what a reader sees")
    func graphemes() throws {
        let review = try ComplianceReview(Sample(title: "👨‍👩‍👧‍👦e\u{301}根治", lines: []), compliance)
        let finding = review.findings(isDiscarded: false)[0]
        #expect(finding.start == 2 && finding.end == 4 && finding.pointer == "/title")
    }
}
