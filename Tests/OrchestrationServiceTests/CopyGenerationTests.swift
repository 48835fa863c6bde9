import ConcurrencySupport
import DTO
import Foundation
import HTTPCore
import Observability
import ServiceDefaults
import TestSupport
import Testing

@testable import OrchestrationService

/// The story of `CopyGeneration`, with both services played.
@Suite struct CopyGenerationTests {
    private let id = UUID()

    @Test func asksForEachPlatformByItsRulesAndWithEverybodysWords() async throws {
        let agent = CopyWritingCenter()
        let flow = CopyGeneration(
            words: FixedVocabularies(brandWords: ["喵喵家"], bannedWords: ["臭", "最"]), agentCenter: agent,
            contentCenter: RememberingContentCenter())
        let brief = CopyBrief(
            topic: "猫砂盆", platforms: [.weibo, .zhihu], audience: "新手", sellingPoints: ["除臭"], tone: "轻松", keywords: ["猫"],
            bannedWords: ["最"], callToAction: "点赞", model: "gpt-4o-mini")
        _ = try await work(flow, brief)

        let requests = Dictionary(uniqueKeysWithValues: agent.requests.map { ($0.platform, $0) })
        let weibo = try #require(requests[.weibo])
        #expect(
            weibo
                == CopyWritingRequest(
                    topic: "猫砂盆", platform: .weibo, rules: .of(.weibo), audience: "新手", sellingPoints: ["除臭"], tone: "轻松",
                    keywords: ["猫"], bannedWords: ["最", "臭", "加微信", "微信号", "薇信", "加VX", "扫二维码"], brandWords: ["喵喵家"],
                    callToAction: "点赞", model: "gpt-4o-mini"))
        #expect(weibo.rules.maxLength == 140 && weibo.rules.titleLength == nil && weibo.rules.allowsLinks)
        #expect(requests[.zhihu]?.rules.emoji == CopyRules.Emoji.none && requests[.zhihu]?.rules.titleLength == 50)
    }

    @Test(arguments: ContentPlatform.allCases)
    func everyPlatformHasRulesThatAWriterCanKeep(platform: ContentPlatform) {
        let rules = CopyRules.of(platform)
        #expect(rules.minLength < rules.maxLength && rules.minHashtags <= rules.maxHashtags)
        #expect((10...20_000).contains(rules.maxLength) && rules.maxHashtags <= 30)
        #expect(rules.titleLength.map { (5...100).contains($0) } ?? true)
        #expect((1...500).contains(rules.voice.count))
    }

    @Test func keepsOneDraftPerPlatformInTheRunsGroup() async throws {
        let contents = RememberingContentCenter()
        let flow = CopyGeneration(words: FixedVocabularies(), agentCenter: CopyWritingCenter(), contentCenter: contents)
        let items = try await work(flow, .sample([.zhihu, .weibo]))

        #expect(items.map(\.platform) == [.zhihu, .weibo] && items.allSatisfy { $0.status == .succeeded && $0.version == 1 })
        let drafts = contents.saved.sorted { $0.step < $1.step }
        #expect(drafts.map(\.step) == ["copy.weibo", "copy.zhihu"] && drafts.allSatisfy { $0.groupId == id })
        // 微博 shows no title: the draft is named after its topic.
        #expect(drafts.map(\.title) == ["猫砂盆", "猫砂盆怎么选"])
        #expect(drafts[0].source == VersionSource(kind: .model, name: "deepseek-v4-flash", promptVersion: "copy@1"))
        #expect(
            drafts[0].body
                == .copy(
                    CopyBody(topic: "猫砂盆", platform: .weibo, text: "写给 weibo 的正文", hashtags: ["猫砂盆"], callToAction: "评论区聊聊")))
    }

    @Test func writesForSomeAtATime() async throws {
        let gate = Gate()
        let center = CopyWritingCenter { _ in try await gate.pass() }
        let flow = CopyGeneration(words: FixedVocabularies(), agentCenter: center, contentCenter: RememberingContentCenter())
        let work = Task { try await self.work(flow, .sample(ContentPlatform.allCases)) }
        try await eventually("four are being written") { gate.arrived == 4 }
        #expect(center.requests.count == 4)
        gate.open()
        #expect(try await work.value.map(\.platform) == ContentPlatform.allCases)
    }

    @Test func aPlatformThatFailsLeavesTheOthersAlone() async throws {
        let center = CopyWritingCenter { platform in
            if platform == .weibo { throw Unavailable(code: "budget.unknown") }
        }
        let flow = CopyGeneration(words: FixedVocabularies(), agentCenter: center, contentCenter: RememberingContentCenter())
        let items = try await work(flow, .sample([.douyin, .weibo, .zhihu]))
        #expect(items.map(\.status) == [.succeeded, .failed, .succeeded])
        #expect(
            items[1]
                == CopyGenerationItem(
                    platform: .weibo, status: .failed,
                    problem: FlowProblem(
                        code: "budget.unknown", title: "服务暂时不可用", status: 503, retryable: true, retryAfterSeconds: 1)))
    }

    @Test func allThatFailIsAFailureAndOneThatPassesSpeaksForThem() async throws {
        let center = CopyWritingCenter { platform in
            if platform == .douyin { throw ValidationFailure(pointer: "/model", code: "unknown_value", zh: "没有", en: "none") }
            throw TooManyRequests(code: "budget.exhausted", retryAfter: .seconds(60))
        }
        let flow = CopyGeneration(words: FixedVocabularies(), agentCenter: center, contentCenter: UnimplementedContentCenter())
        let failure = await #expect(throws: FlowFailure.self) { try await work(flow, .sample([.douyin, .weibo])) }
        #expect(failure?.flowProblem.code == "budget.exhausted" && failure?.flowProblem.retryAfterSeconds == 60)
    }

    @Test func aRunThatIsTakenUpAgainPaysAndSavesOnce() async throws {
        struct Crash: Error {}
        let (center, contents) = (CopyWritingCenter(), RememberingContentCenter(failures: 1, with: Crash()))
        let flow = CopyGeneration(words: FixedVocabularies(), agentCenter: center, contentCenter: contents)
        let steps = KeptSteps()
        await #expect(throws: Crash.self) { try await work(flow, .sample([.douyin, .weibo]), steps) }
        let items = try await work(flow, .sample([.douyin, .weibo]), steps)
        #expect(items.allSatisfy { $0.status == .succeeded })
        #expect(center.paid.count == 2 && contents.saved.count == 2)
    }

    private func work(
        _ flow: CopyGeneration, _ brief: CopyBrief, _ steps: KeptSteps = KeptSteps()
    ) async throws -> [CopyGenerationItem] {
        try await CallContext.$current.withValue(CallContext(requestId: "request-1", operationId: id)) {
            try await flow.run(brief, in: steps.context(id))
        }
    }
}
