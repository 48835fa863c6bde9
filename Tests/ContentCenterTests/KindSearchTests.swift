import DTO
import Foundation
import Testing

@testable import ContentCenter

@Suite struct KindSearchTests {
    /// Every text of every kind that somebody may remember of it.
    @Test func findsTheTextsOfEveryKind() async throws {
        try await ContentCenterHarness.run { service in
            func make(_ title: String, _ body: ContentBody) async throws {
                _ = try await service.create(NewContent(step: "x", title: title, body: body, source: VersionSource(kind: .human)))
            }
            let slot = ImageSlot(caption: "窗边的猫爬架", alt: "橘猫趴着", prompt: "提示")
            try await make(
                "图文",
                .imageText(
                    ImageTextBody(
                        topic: "宠物", platform: .xiaohongshu, title: "标题", text: "正文", hashtags: [], callToAction: nil,
                        slots: [slot])))
            let scene = VideoScene(
                index: 1, startSecond: 0, durationSeconds: 10, shot: "特写", camera: "", visual: "镜头推近水壶", line: "先烧开水",
                subtitle: "水温九十度", bgm: "", props: [])
            try await make(
                "脚本",
                .videoScript(
                    VideoScriptBody(
                        topic: "咖啡", platform: .douyin, scriptType: .product, durationSeconds: 10, hook: "三步手冲", scenes: [scene],
                        cta: "关注我", hashtags: [], totalSeconds: 10)))
            try await make("话术", .replyTemplate(ReplyTemplateBody(scene: "催发货", text: "亲，今天下单明天送达", variables: [])))
            try await service.indexer.takeInAll()
            for (query, title) in [
                ("猫爬架", "图文"), ("橘猫", "图文"), ("烧开水", "脚本"), ("九十度", "脚本"), ("推近水壶", "脚本"), ("手冲", "脚本"), ("关注我", "脚本"),
                ("明天送达", "话术"), ("催发货", "话术"),
            ] {
                #expect(try await service.titles("“\(query)”") == [title], "\(query)")
            }
        }
    }
}
