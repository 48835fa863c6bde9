import ConcurrencySupport
import DTO
import Foundation
import Observability
import ServiceDefaults
import Testing

@testable import OrchestrationService

@Suite struct TitleGenerationTests {
    let principal = Principal(
        tenantId: UUID(), subject: "user:1", roles: ["operator"], scopes: ["titles:generate", "contents:write"], actingJob: nil)

    @Test func savesWhatWasWrittenAsADraft() async throws {
        let agent = RememberingAgentCenter()
        let contents = RememberingContentCenter()
        let flow = TitleGeneration(words: FixedVocabularies(), agentCenter: agent, contentCenter: contents)

        let answer = try await flow(.sample, as: principal)

        let draft = try #require(contents.saved.first)
        #expect(contents.saved.count == 1)
        #expect(draft.kind == .titleSet)
        #expect(draft.title == "猫砂盆")
        guard case .titleSet(let titles) = draft.body else { return #expect(draft.kind == .titleSet) }
        #expect(titles.topic == "猫砂盆")
        #expect(titles.candidates.map(\.title) == answer.candidates.map(\.title))
        #expect(titles.candidates.map(\.score) == [88, 81])
        #expect(draft.source == VersionSource(kind: .model, name: "deepseek-v4-flash", promptVersion: "title.douyin@1"))
        #expect(answer.status == .draft)
        #expect(answer.version == 1)
        #expect(answer.provider == "deepseek")
        #expect(answer.usage.costNano == "1234567")
    }

    @Test func passesTheLabelOnAndTellsWhatWasFound() async throws {
        var written = TitleWritingAnswer.sample()
        written.findings = [
            ComplianceFinding(
                word: "根治", category: "medical", severity: .block, source: "广告法", pointer: "/candidates/1/title", start: 0,
                end: 2,
                action: .rewritten)
        ]
        let agent = RememberingAgentCenter(answer: written)
        let flow = TitleGeneration(words: FixedVocabularies(), agentCenter: agent, contentCenter: RememberingContentCenter())
        var brief = TitleBrief.sample
        brief.promptLabel = "canary"
        let answer = try await flow(brief, as: principal)
        #expect(agent.requests.map(\.promptLabel) == ["canary"])
        #expect(answer.findings == written.findings)
    }

    @Test func assemblesTheContext() async throws {
        let agent = RememberingAgentCenter()
        let flow = TitleGeneration(
            words: FixedVocabularies(brandWords: ["喵喵家"], bannedWords: ["最低价", "竞品"]), agentCenter: agent,
            contentCenter: RememberingContentCenter())
        var brief = TitleBrief.sample
        brief.bannedWords = ["便宜", "最低价"]

        _ = try await flow(brief, as: principal)

        let request = try #require(agent.requests.first)
        #expect(request.brandWords == ["喵喵家"])
        #expect(request.bannedWords == ["便宜", "最低价", "竞品"] + PlatformRules.of(.douyin).bannedWords)
        #expect(request.maxLength == 30)
        #expect(request.model == "auto")
    }

    @Test(arguments: zip(ContentPlatform.allCases, [30, 20, 16, 30, 80, 30, 64, 50]))
    func takesThePlatformsLengthUnlessTheCallerSetsOne(platform: ContentPlatform, length: Int) {
        var brief = TitleBrief.sample
        brief.platform = platform
        let vocabulary = TenantVocabulary(brandWords: [], bannedWords: [])
        #expect(TitleGeneration.writingRequest(brief, vocabulary).maxLength == length)
        brief.maxLength = 55
        #expect(TitleGeneration.writingRequest(brief, vocabulary).maxLength == 55)
    }

    @Test func saysDegradedAloud() async throws {
        let contents = RememberingContentCenter()
        let flow = TitleGeneration(
            words: FixedVocabularies(),
            agentCenter: RememberingAgentCenter(answer: .sample(provider: "template", degraded: true)),
            contentCenter: contents)
        let answer = try await flow(.sample, as: principal)
        #expect(answer.degraded)
        #expect(answer.degradedReason == "no_model_configured")
        #expect(answer.provider == "template")
        #expect(contents.saved.first?.source.kind == .template)
    }

    @Test func savesNothingWhenNothingWasWritten() async {
        let flow = TitleGeneration(
            words: FixedVocabularies(), agentCenter: FailingAgentCenter(error: DeadlineExceeded()),
            contentCenter: UnimplementedContentCenter())
        await #expect(throws: DeadlineExceeded.self) { try await flow(.sample, as: principal) }
    }

    @Test func aRepeatAfterAFailedSaveMakesNoSecondModelCall() async throws {
        struct Down: Error {}
        let agent = RememberingAgentCenter()
        let contents = RememberingContentCenter(failures: 1, with: Down())
        let flow = TitleGeneration(words: FixedVocabularies(), agentCenter: agent, contentCenter: contents)
        let context = CallContext(requestId: "request-1", operationId: UUID())

        let answers = try await CallContext.$current.withValue(context) {
            await #expect(throws: Down.self) { try await flow(.sample, as: principal) }
            return [try await flow(.sample, as: principal), try await flow(.sample, as: principal)]
        }

        #expect(agent.modelCalls == 1)
        #expect(contents.saved.count == 1)
        #expect(answers[0] == answers[1])
        #expect(answers[0].requestId == "request-1")
    }

    @Test func leavesTimeToSave() async throws {
        let agent = RememberingAgentCenter()
        let contents = RememberingContentCenter()
        let flow = TitleGeneration(words: FixedVocabularies(), agentCenter: agent, contentCenter: contents)
        let deadline = ContinuousClock.now + .seconds(20)

        _ = try await CallContext.$current.withValue(CallContext(requestId: "request-1", deadline: deadline)) {
            try await flow(.sample, as: principal)
        }

        #expect(agent.deadlines == [deadline - TitleGeneration.timeToSave])
        #expect(contents.deadlines == [deadline])
    }

    @Test func aShortBudgetKeepsAQuarterForSaving() async throws {
        let agent = RememberingAgentCenter()
        let flow = TitleGeneration(words: FixedVocabularies(), agentCenter: agent, contentCenter: RememberingContentCenter())
        let deadline = ContinuousClock.now + .seconds(4)
        _ = try await CallContext.$current.withValue(CallContext(requestId: "request-1", deadline: deadline)) {
            try await flow(.sample, as: principal)
        }
        let kept = try #require(agent.deadlines.first ?? nil).duration(to: deadline)
        #expect(kept > .milliseconds(500) && kept <= .seconds(1))
    }

    @Test func startsNoModelCallWhenTheTimeIsUp() async {
        let flow = TitleGeneration(
            words: FixedVocabularies(), agentCenter: UnimplementedAgentCenter(), contentCenter: UnimplementedContentCenter())
        await CallContext.$current.withValue(CallContext(requestId: "request-1", deadline: .now)) {
            await #expect(throws: DeadlineExceeded.self) { try await flow(.sample, as: principal) }
        }
    }
}

extension TitleBrief {
    static let sample = TitleBrief(
        topic: "猫砂盆", platform: .douyin, audience: nil, sellingPoints: [], tone: nil, keywords: [], bannedWords: [], count: 2,
        maxLength: nil, model: "auto")
}
