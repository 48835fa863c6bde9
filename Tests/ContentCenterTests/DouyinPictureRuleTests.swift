import DTO
import HTTPCore
import Testing

@testable import ContentCenter

/// `reference/douyin-openapi.md` §2.4, §2.8: 20 MB, PNG, JPEG or GIF, at most 30 in a post.
@Suite struct DouyinPictureRuleTests {
    @Test(
        arguments: [
            (FileType.png, 20 << 20, []), (.jpeg, 1, []), (.gif, 1, []), (.png, (20 << 20) + 1, [.tooLarge]),
            (.webp, 1, [.format]),
            (.svg, 1, [.format]), (.webp, 21 << 20, [.tooLarge, .format]),
        ] as [(FileType, Int, [DouyinPictureRule.Finding])])
    func eachLimitIsFound(type: FileType, size: Int, expected: [DouyinPictureRule.Finding]) {
        #expect(DouyinPictureRule.findings(MediaFacts(type: type.rawValue, size: size, durationMs: nil)) == expected)
    }

    @Test func whatIsNoPictureIsNotLookedAt() {
        var film = MediaFacts(type: FileType.mp4.rawValue, size: 1 << 30, durationMs: 1_000)
        film.video = .init(codec: "h264", width: 1_080, height: 1_920, frameRate: 30, hasAlpha: false)
        #expect(DouyinPictureRule.report(film, in: .zh) == nil)
    }

    @Test func aReportSpeaksBothLanguages() {
        let facts = MediaFacts(type: FileType.webp.rawValue, size: 1, durationMs: nil)
        let report = DouyinPictureRule.report(facts, in: .en)
        #expect(report?.isAccepted == false && report?.findings.map(\.message) == ["It should be PNG, JPEG or GIF"])
        #expect(DouyinPictureRule.Finding.allCases.allSatisfy { $0.message.zh != $0.message.en })
    }

    @Test func aPostHasFewEnough() {
        #expect(ContentBodyInput.slotCount.upperBound <= DouyinPictureRule.mostPictures)
    }
}
