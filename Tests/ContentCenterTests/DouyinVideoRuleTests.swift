import DTO
import HTTPCore
import Testing

@testable import ContentCenter

/// `reference/douyin-openapi.md` §2.1: 128 MB a request, 4 GB in all, 15 minutes, 720p and more.
@Suite struct DouyinVideoRuleTests {
    private static func facts(_ change: (inout MediaFacts) -> Void = { _ in }) -> MediaFacts {
        var facts = MediaFacts(type: FileType.mp4.rawValue, size: 50 << 20, durationMs: 900_000)
        facts.video = .init(codec: "h264", width: 1_080, height: 1_920, frameRate: 30, hasAlpha: false)
        facts.audio = .init(codec: "aac", channels: 2, sampleRate: 48_000)
        change(&facts)
        return facts
    }

    @Test func atTheLimitsThereIsNothingToSay() {
        #expect(DouyinVideoRule.findings(Self.facts()) == [])
        #expect(DouyinVideoRule.report(Self.facts(), in: .zh) == DouyinVideoReport(isAccepted: true, findings: []))
    }

    @Test func eachLimitIsFound() {
        let cases: [((inout MediaFacts) -> Void, [DouyinVideoRule.Finding])] = [
            ({ $0.size = (4 << 30) + 1 }, [.tooLarge, .partsRequired, .tooLargeForHandOff]),
            ({ $0.durationMs = 900_001 }, [.tooLong]), ({ $0.size = (50 << 20) + 1 }, [.partsAdvised]),
            ({ $0.size = 128 << 20 }, [.partsAdvised]), ({ $0.size = (128 << 20) + 1 }, [.partsRequired, .tooLargeForHandOff]),
            ({ $0.type = "audio/mp4" }, [.container]), ({ $0.type = "video/webm" }, [.webmHandOff]),
            ({ $0.video?.width = 718 }, [.lowResolution, .unusualShape]), ({ $0.video?.height = 2_400 }, [.unusualShape]),
            ({ $0.video?.codec = "mpeg4" }, [.videoCodec]), ({ $0.audio?.codec = "pcm_s16le" }, [.audioCodec]),
            ({ $0.audio = nil }, [.silent]),
        ]
        for (change, expected) in cases { #expect(DouyinVideoRule.findings(Self.facts(change)) == expected) }
    }

    @Test func onlyErrorsRefuseAndEachSpeaksBothLanguages() throws {
        for finding in DouyinVideoRule.Finding.allCases {
            #expect(finding.message.zh != finding.message.en)
        }
        let long = try #require(DouyinVideoRule.report(Self.facts { $0.durationMs = 1_000_000 }, in: .en))
        #expect(!long.isAccepted && long.findings.map(\.message) == ["It is longer than 15 minutes"])
        let low = try #require(
            DouyinVideoRule.report(
                Self.facts {
                    $0.video?.width = 540
                    $0.video?.height = 960
                }, in: .zh))
        #expect(low.isAccepted && low.findings.map(\.code) == ["low_resolution"])
        #expect(DouyinVideoRule.report(Self.facts { $0.type = FileType.png.rawValue }, in: .zh) == nil)
    }
}
