import DTO
import Foundation
import HTTPCore
import HTTPServing
import PostgresStore
import TestSupport
import Testing

@testable import ContentCenter

@Suite struct SimilarityCheckTests {
    private static let text = "夏天通勤最怕晒黑，其实防晒只要三步：先涂防晒霜，再戴一顶大檐帽，最后别忘了每两小时补涂一次。"

    @Test func findsOnesOwnTextsThatReadAlike() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create(.copy("原文", Self.text))
            let near = try await service.create(.copy("改写", "姐妹们！" + Self.text.replacing("三步", with: "3 步") + "快去试试。"))
            _ = try await service.create(.copy("别的", "猫砂盆这样选，家里再没味道：一看大小，二看高低，三看是不是好清洗。"))
            let binned = try await service.create(.copy("已删", Self.text))
            #expect(try await service.bin(binned.id).status == .noContent)
            _ = try await service.create(.copy("别家", Self.text), tenant: UUID())

            let answer = try await service.similar(content.id)
            #expect(answer.items.map(\.contentId) == [near.id])
            let item = try #require(answer.items.first)
            #expect((60...99).contains(item.score))
            #expect(item.passages.first?.text == "先涂防晒霜，再戴一顶大檐帽，最后别忘了每两小时补涂一次" || item.passages.count >= 2)
            // A text that was written anew is compared as it is now.
            let copy = ContentBodyPatch(text: "完全换了一篇，说的是怎么挑一双跑鞋，以及为什么要买大半码。")
            #expect(try await service.patch(near.id, ContentPatch(body: copy), ifVersion: 1).status == .ok)
            #expect(try await service.similar(content.id).items.isEmpty)
        }
    }

    /// A short text that stands whole in a long one shares next to nothing with it, measured by the long one.
    @Test func aShortTextIsFoundWhereverItWasCopiedTo() async throws {
        try await ContentCenterHarness.run { service in
            let long = (0..<400).map { "\($0)号商品的第\($0 * 7)条说明与第\($0 * 11)条不同。" }
            let slogans = ["每天一杯温开水皮肤也会喝饱", "早睡早起比什么面膜都有用得多", "三步洗脸法让你告别暗沉出油"]
            for (index, slogan) in slogans.enumerated() {
                let text = (long.prefix(100 + index * 90) + [slogan] + long.suffix(60)).joined()
                _ = try await service.create(.copy("长\(index)", text))
            }
            for (index, slogan) in slogans.enumerated() {
                let content = try await service.create(.copy("短\(index)", slogan))
                let found = try await service.similar(content.id, "?minimum=50")
                #expect(found.items.map(\.title) == ["长\(index)"])
                #expect(found.isComplete)
            }
        }
    }

    @Test func whatTheTimeDidNotDoForIsSaidAndDoneNext() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create(.copy("原文", Self.text))
            for index in 0..<3 { _ = try await service.create(.copy("\(index)", Self.text)) }
            let contents = Contents(store: ContentsStore(database: service.database.app) {})
            let hasty = SimilarityCheck(
                contents: contents, store: SimilarityStore(database: service.database.app), fingerprintsAtATime: 1,
                patience: .zero)
            for found in 1...5 {
                let answer = try await hasty.similar(to: content.id, minimum: 20, limit: 10, of: ContentCenterHarness.tenant)
                #expect(answer.items.count == min(3, found))
                // The fourth is the text itself, and only the fifth finds that there are no more.
                #expect(answer.isComplete == (found == 5))
            }
        }
    }

    /// Long texts have many bands: what one transaction keeps is kept, whatever becomes of the rest.
    @Test func whatIsKeptAtATimeIsBoundedByItsBands() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create(.copy("原文", Self.text))
            for index in 0..<3 { _ = try await service.create(.copy("\(index)", Self.text)) }
            let contents = Contents(store: ContentsStore(database: service.database.app) {})
            let hasty = SimilarityCheck(
                contents: contents, store: SimilarityStore(database: service.database.app), bandsAtATime: 50, patience: .zero)
            for found in 1...4 {
                let answer = try await hasty.similar(to: content.id, minimum: 20, limit: 10, of: ContentCenterHarness.tenant)
                #expect(answer.items.count == min(3, found))
                #expect(answer.isComplete == (found == 4))
            }
        }
    }

    /// A server of before knows no marks, and moves the version that it knows.
    @Test func whatAnOlderServerHasMadeIsMadeAnew() async throws {
        try await ContentCenterHarness.run { service in
            let app = service.database.app
            let long = (0..<100).map { "\($0)号商品的第\($0 * 7)条说明与第\($0 * 11)条不同。" }.joined()
            let slogan = "每天一杯温开水皮肤也会喝饱"
            let content = try await service.create(.copy("短", slogan))
            let other = try await service.create(.copy("长", long))
            #expect(try await service.similar(content.id).items.isEmpty)
            let copied = ContentBodyPatch(text: long + slogan + long)
            #expect(try await service.patch(other.id, ContentPatch(body: copied), ifVersion: 1).status == .ok)
            // Once instead of us, once while we do the same.
            for _ in 0..<2 {
                try await app.query(
                    """
                    INSERT INTO content_fingerprints (tenant_id, content_id, version)
                    VALUES (\(ContentCenterHarness.tenant), \(other.id), 2)
                    ON CONFLICT (tenant_id, content_id) DO UPDATE SET version = EXCLUDED.version
                    """, tenant: ContentCenterHarness.tenant)
                try await app.query(
                    "DELETE FROM content_fingerprint_bands WHERE content_id = \(other.id)", tenant: ContentCenterHarness.tenant)
                #expect(try await service.similar(content.id).items.map(\.title) == ["长"])
            }
        }
    }

    @Test func keepsToTheMinimumAndTheLimit() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create(.copy("原文", Self.text))
            for index in 0..<4 { _ = try await service.create(.copy("\(index)", Self.text)) }
            let all = try await service.similar(content.id)
            #expect(all.items.map(\.score) == [100, 100, 100, 100])
            #expect(try await service.similar(content.id, "?limit=2&minimum=100").items.count == 2)
            for query in ["?limit=0", "?minimum=101", "?colour=1"] {
                let answer = try await service.send(.get, "/v1/contents/\(content.id.lowercase)/similar\(query)")
                #expect(answer.status == .unprocessableContent, "\(query)")
            }
            let foreign = try await service.send(.get, "/v1/contents/\(content.id.lowercase)/similar", tenant: UUID())
            #expect(foreign.status == .notFound)
        }
    }
}

extension NewContent {
    static func copy(_ title: String, _ text: String) -> NewContent {
        NewContent(
            step: "copy", title: title, body: .copy(CopyBody(topic: "话题", platform: .weibo, text: text, hashtags: [])),
            source: VersionSource(kind: .human))
    }
}

extension ContentCenterHarness {
    func similar(_ id: UUID, _ query: String = "") async throws -> ContentSimilarity {
        try await send(.get, "/v1/contents/\(id.lowercase)/similar\(query)").decode(ContentSimilarity.self)
    }
}
