import DTO
import Foundation
import HTTPCore
import HTTPServing
import TestSupport
import Testing

@testable import ContentCenter

/// Rights of what is made from others.
@Suite(.timeLimit(.minutes(5))) struct JoinedRightsTests {
    private static func day(_ day: Double) -> Date { Date(timeIntervalSince1970: 1_800_000_000 + day * 86_400) }

    @Test func ofOneTheyAreItsOwn() {
        let rights = AssetRights(
            holder: "青禾摄影", license: "合同 7", expiresAt: Self.day(3), territories: ["CN"], note: "不得转授权")
        #expect(JoinedRights.of([rights, rights]) == rights)
        #expect(JoinedRights.of([]) == nil)
    }

    @Test func ofSeveralTheStrictestOfEachLimit() {
        let joined = JoinedRights.of([
            AssetRights(
                holder: "甲", license: "a", validFrom: Self.day(0), expiresAt: Self.day(9), territories: ["CN", "SG", "JP"]),
            AssetRights(holder: "乙", validFrom: Self.day(2), expiresAt: Self.day(7), territories: ["JP", "CN"], note: "署名"),
            AssetRights(holder: "甲", license: "b"),
        ])
        let expected = AssetRights(
            holder: "甲、乙", license: "a；b", validFrom: Self.day(2), expiresAt: Self.day(7), territories: ["CN", "JP"], note: "署名")
        #expect(joined == expected)
    }

    /// An empty list would mean everywhere, and the database takes no end before a beginning.
    @Test func whatIsAllowedNowhereAndNeverStaysSo() throws {
        let joined = try #require(
            JoinedRights.of([
                AssetRights(holder: "甲", expiresAt: Self.day(1), territories: ["CN"]),
                AssetRights(holder: "乙", validFrom: Self.day(5), territories: ["US"]),
            ]))
        #expect(joined.territories == ["ZZ"])
        #expect(joined.expiresAt == Self.day(1))
        #expect(try #require(joined.validFrom) < Self.day(1))
    }

    @Test func manyNamesAreCut() {
        let joined = JoinedRights.of((0..<90).map { AssetRights(holder: "第 \($0) 方") })
        #expect(joined?.holder.count == 200 && joined?.holder.hasSuffix("…") == true)
    }

    @Test func everythingThatAJobMakesHasTheRightsOfItsSources() async throws {
        try await ContentCenterHarness.run { service in
            let video = try await service.upload(SampleMedia.video, as: "a.mp4", "video/mp4").id
            let upright = try await service.upload(SampleMedia.uprightSilentVideo, as: "b.mp4", "video/mp4").id
            let logo = try await service.upload(SampleMedia.logo, as: "logo.png", "image/png").id
            let cues = "1\r\n00:00:00,200 --> 00:00:01,400\r\n大家好\r\n\r\n"
            let subtitles = try await service.upload(Array(cues.utf8), as: "a.srt", "application/x-subrip").id
            try await service.endRights(of: video, days: 40)
            try await service.endRights(of: logo, days: 20)
            try await service.endRights(of: subtitles, days: -1)
            let cases: [(MediaJobRequest, AssetRightsState)] = [
                (.init(type: .cover, assetId: video), .valid), (.init(type: .thumbnail, assetId: video), .valid),
                (.init(type: .audio, assetId: video), .valid), (.init(type: .imageVariants, assetId: logo), .expiring),
                (.init(type: .transcode, assetId: video), .valid), (.init(type: .cover, assetId: upright), .unstated),
                (.init(type: .watermark, assetId: video, params: .init(overlayAssetId: logo)), .expiring),
                (.init(type: .concat, params: .init(assetIds: [upright, video])), .valid),
                (.init(type: .burnSubtitle, assetId: video, params: .init(subtitleAssetId: subtitles)), .expired),
            ]
            for (request, state) in cases {
                let job = try await service.media(request)
                #expect(job.status == .succeeded, "\(request) \(job)")
                for output in job.outputs {
                    guard let id = output.assetId else { continue }
                    let asset = try await service.send(.get, "/v1/assets/\(id.lowercase)").decode(LibraryAsset.self)
                    #expect(asset.rightsState == state, "\(request.type) \(output.kind)")
                    #expect((asset.rights?.holder == "青禾摄影") == (state != .unstated))
                }
            }
        }
    }
}
