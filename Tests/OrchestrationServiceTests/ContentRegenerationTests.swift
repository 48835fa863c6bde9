import ConcurrencySupport
import DTO
import Foundation
import HTTPCore
import HTTPServing
import Observability
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import OrchestrationService

/// `POST /v1/contents/{id}/regenerate` through the whole service; agent-center and content-center are played.
@Suite(.timeLimit(.minutes(3))) struct ContentRegenerationTests {
    @Test func aCopyIsWrittenAgainFromWhatThereIs() async throws {
        let shelf = Shelf(.copy(CopyBody(topic: "猫砂盆", platform: .weibo, text: "旧文", hashtags: ["猫"], callToAction: "来")))
        let agent = CopyWritingCenter()
        try await OrchestrationHarness.run(agentCenter: agent.handler, contentCenter: shelf.handler) { service in
            let answer = try await regenerate(service, shelf.id, #"{"feedback": "口语一点", "model": "gpt-4o-mini"}"#)
            #expect(answer.status == .ok && answer.headers["ETag"] == "\"2\"")
            let content = try JSON.decode(Content.self, from: answer.body)
            let body = CopyBody(
                topic: "猫砂盆", platform: .weibo, text: "写给 weibo 的正文", hashtags: ["猫砂盆"], callToAction: "评论区聊聊")
            #expect(content.version == 2 && content.body == .copy(body))
            #expect(content.source == VersionSource(kind: .model, name: "deepseek-v4-flash", promptVersion: "copy@1"))
            let request = try #require(agent.requests.first)
            #expect(
                request.revision
                    == CopyRevision(
                        previous: CopyText(text: "旧文", hashtags: ["猫"], callToAction: "来"), feedback: "口语一点"))
            #expect(request.topic == "猫砂盆" && request.model == "gpt-4o-mini" && request.rules == .of(.weibo))
        }
    }

    /// Nobody who banned a word wants to read it in the next version.
    @Test func theBriefOfAnEarlierVersionHolds() async throws {
        let brief = ContentBrief(audience: "新手", keywords: ["除臭"], bannedWords: ["最好"], maxLength: 12)
        let vocabulary = TenantVocabulary(brandWords: [], bannedWords: ["竞品"])
        let wish = RegenerationWish(feedback: "短一点", model: "auto")
        let titles = ContentRegeneration.request(
            TitleSetBody(topic: "猫砂盆", platform: .douyin, candidates: [], brief: brief), wish, vocabulary)
        #expect(titles.maxLength == 12 && titles.keywords == ["除臭"] && titles.audience == "新手")
        #expect(Set(titles.bannedWords).isSuperset(of: ["最好", "竞品"]))
        let shelf = Shelf(.copy(CopyBody(topic: "猫砂盆", platform: .weibo, text: "旧文", hashtags: [], brief: brief)))
        let agent = CopyWritingCenter()
        try await OrchestrationHarness.run(agentCenter: agent.handler, contentCenter: shelf.handler) { service in
            let answer = try await regenerate(service, shelf.id)
            guard case .copy(let body) = try JSON.decode(Content.self, from: answer.body).body else { throw CancellationError() }
            #expect(body.brief == brief)
            let request = try #require(agent.requests.first)
            #expect(request.bannedWords.contains("最好") && request.keywords == ["除臭"] && request.audience == "新手")
        }
    }

    @Test(arguments: ["\"1\"", nil] as [String?]) func aRepeatFindsTheVersionAndPaysNothing(ifMatch: String?) async throws {
        let shelf = Shelf(.copy(CopyBody(topic: "猫砂盆", platform: .weibo, text: "旧文", hashtags: [])))
        let agent = CopyWritingCenter()
        try await OrchestrationHarness.run(agentCenter: agent.handler, contentCenter: shelf.handler) { service in
            let operation = UUID()
            let first = try await regenerate(service, shelf.id, operation: operation, ifMatch: ifMatch)
            let again = try await regenerate(service, shelf.id, operation: operation, ifMatch: ifMatch)
            #expect(first.status == .ok && again.status == .ok && first.body == again.body)
            #expect(agent.paid == [.weibo] && shelf.versions == 2)
            // Nor does a run that begins again because its process died before it wrote down what it had saved.
            _ = try await service.database.superuser.query("UPDATE jobs SET state = 'failed'")
            _ = try await service.database.superuser.query("DELETE FROM job_steps")
            let resumed = try await regenerate(service, shelf.id, operation: operation, ifMatch: ifMatch)
            #expect(resumed.status == .ok && resumed.headers["ETag"] == "\"2\"" && resumed.body == first.body)
            #expect(agent.paid == [.weibo] && shelf.versions == 2)
            // Another operation on the version before is the conflict that it is, and costs nothing.
            let stale = try await regenerate(service, shelf.id)
            #expect(stale.status == .preconditionFailed && agent.paid == [.weibo])
            #expect(try JSON.decode(ProblemBody.self, from: stale.body).code == "content.version_conflict")
        }
    }

    @Test func titlesAreWrittenAgainAsManyAsThereWere() async throws {
        let candidates = ["一", "二", "三"].map { TitleSetCandidate(title: $0, score: 1, reasons: ["r"], formula: "number") }
        let shelf = Shelf(.titleSet(TitleSetBody(topic: "猫砂盆", platform: .zhihu, candidates: candidates, selected: 1)))
        let agent = RememberingAgentCenter()
        let handler: Handler = { request in
            try .json(
                .ok,
                try await agent.writeTitles(
                    try JSON.decode(TitleWritingRequest.self, from: request.body), as: TestContext.principal()))
        }
        try await OrchestrationHarness.run(agentCenter: handler, contentCenter: shelf.handler) { service in
            let answer = try await regenerate(service, shelf.id)
            let content = try JSON.decode(Content.self, from: answer.body)
            let written = TitleWritingAnswer.sample().candidates.map(TitleSetCandidate.init)
            #expect(content.body == .titleSet(TitleSetBody(topic: "猫砂盆", platform: .zhihu, candidates: written)))
            let request = try #require(agent.requests.first)
            #expect(request.count == 3 && request.maxLength == 50)
            #expect(request.revision == TitleRevision(previous: ["一", "二", "三"], feedback: "再口语一点"))
        }
    }

    @Test func aPictureStaysWhereItsSlotSaysWhatItSaid() {
        let (one, two) = (UUID(), UUID())
        func slot(_ text: String, _ asset: UUID? = nil) -> ImageSlot {
            ImageSlot(caption: text, alt: text, prompt: text, assetId: asset)
        }
        func text(_ texts: [String]) -> ImageTextText {
            ImageTextText(
                title: "新", text: "新文", hashtags: [],
                slots: texts.map { ImageSlotText(caption: $0, alt: $0, prompt: $0) })
        }
        let before = ImageTextBody(
            topic: "猫", platform: .xiaohongshu, title: "旧", text: "旧文", hashtags: [],
            slots: [slot("甲", one), slot("乙", two), slot("丙")])
        let kept = ContentRegeneration.body(text(["甲", "改", "丙"]), after: before)
        #expect(kept.slots == [slot("甲", one), slot("改"), slot("丙")] && kept.title == "新" && kept.topic == "猫")
        let moved = ContentRegeneration.body(text(["乙", "甲", "甲"]), after: before)
        #expect(moved.slots == [slot("乙", two), slot("甲", one), slot("甲")])
    }

    @Test func aScriptKeepsWhatWasAskedFor() {
        let scene = VideoScene(
            index: 1, startSecond: 0, durationSeconds: 28, shot: "特写", camera: "推进", visual: "猫", line: "你好", subtitle: "",
            bgm: "", props: [])
        let before = VideoScriptBody(
            topic: "猫", platform: .douyin, scriptType: .review, durationSeconds: 30, hook: "旧", scenes: [scene], cta: "来",
            hashtags: [], totalSeconds: 28)
        let wish = RegenerationWish(feedback: "快一点", model: "auto")
        let request = ContentRegeneration.request(before, wish, TenantVocabulary(brandWords: [], bannedWords: []))
        #expect(request.scriptType == .review && request.durationSeconds == 30)
        #expect(request.revision?.previous.hook == "旧" && request.revision?.previous.scenes == [scene])
        let script = VideoScript(hook: "新", scenes: [scene], cta: "来", hashtags: ["猫"], totalSeconds: 28)
        let after = ContentRegeneration.body(script, after: before)
        #expect(after.hook == "新" && after.durationSeconds == 30 && after.scriptType == .review && after.hashtags == ["猫"])
    }

    @Test func nothingIsSavedWhereNothingWasWritten() async throws {
        let shelf = Shelf(.copy(CopyBody(topic: "猫砂盆", platform: .weibo, text: "旧文", hashtags: [])))
        let agent = CopyWritingCenter { _ in
            throw ValidationFailure(pointer: "/model", code: "unknown_value", zh: "没有这个模型", en: "no such model")
        }
        try await OrchestrationHarness.run(agentCenter: agent.handler, contentCenter: shelf.handler) { service in
            let answer = try await regenerate(service, shelf.id)
            #expect(answer.status == .unprocessableContent && shelf.versions == 1)
            #expect(try answer.problem().errors?.map(\.pointer) == ["/model"])
        }
    }

    /// A template would put its own words in the place of the editor's.
    @Test func noTemplateTakesTheTextsPlace() async throws {
        let shelf = Shelf(.copy(CopyBody(topic: "露营", platform: .weibo, text: "周六早上六点在南门集合", hashtags: ["露营"])))
        let agent: Handler = { _ in
            var answer = CopyWritingAnswer.sample(.weibo)
            (answer.provider, answer.degraded, answer.degradedReason) = ("template", true, "未配置模型")
            return try .json(.ok, answer)
        }
        try await OrchestrationHarness.run(agentCenter: agent, contentCenter: shelf.handler) { service in
            let answer = try await regenerate(service, shelf.id, #"{"feedback": "把六点改成七点"}"#)
            #expect(answer.status == .conflict && shelf.versions == 1)
            #expect(try answer.problem().code == "content.no_model")
            // An outage passes.
            #expect(try answer.problem().retryable && answer.headers["Retry-After"] == "60")
        }
    }

    /// The content may be a script, which takes a real model longer than the half minute that a call has by default.
    @Test func theWriterHasTheTimeOfAScript() async throws {
        let milliseconds = Locked<[Int]>([])
        let (shelf, writer) = (
            Shelf(.copy(CopyBody(topic: "猫砂盆", platform: .weibo, text: "旧文", hashtags: []))), CopyWritingCenter()
        )
        let agent: Handler = { request in
            milliseconds.withLock { $0.append(request.headers["X-Deadline-Ms"].flatMap(Int.init) ?? 0) }
            return try await writer.handler(request)
        }
        try await OrchestrationHarness.run(agentCenter: agent, contentCenter: shelf.handler) { service in
            let answer = try await regenerate(service, shelf.id)
            #expect(answer.status == .ok)
            #expect(milliseconds.withLock { $0.count == 1 && $0[0] > 60_000 })
        }
    }

    @Test func whoDoesNotWaitGetsARunThatTellsItsMovesAndIsCancelled() async throws {
        let shelf = Shelf(.copy(CopyBody(topic: "猫砂盆", platform: .weibo, text: "旧文", hashtags: [])))
        let gate = Gate()
        let agent = CopyWritingCenter { _ in try await gate.pass() }
        try await OrchestrationHarness.run(agentCenter: agent.handler, contentCenter: shelf.handler) { service in
            let (dropped, kept) = (UUID(), UUID())
            let accepted = try await regenerate(service, shelf.id, operation: dropped, headers: ["Prefer": "respond-async"])
            #expect(accepted.status == .accepted && accepted.headers["Preference-Applied"] == "respond-async")
            #expect(
                try accepted.decode(RunAccepted.self)
                    == RunAccepted(runId: dropped, flow: "ContentRegeneration", state: .running))
            try await eventually("it is being written") { gate.arrived == 1 }
            try await service.cancel(dropped)
            try await eventually("the end of the run") {
                try await service.shown(dropped).state == .canceled
            }
            gate.open()
            _ = try await regenerate(service, shelf.id, operation: kept, headers: ["Prefer": "respond-async"])
            try await eventually("the end of the other") {
                try await service.shown(kept).state == .succeeded
            }
            #expect(agent.paid == [.weibo] && shelf.versions == 2)
            let shown = try await service.shown(kept)
            #expect(shown.contentIds == [shelf.id] && shown.steps.map(\.name) == ["regenerate"])
            let moves = try await service.database.moves(of: kept).map(\.move)
            #expect(moves.map(\.state) == [.queued, .running, .running, .succeeded])
            #expect(moves.map(\.step?.state) == [nil, .running, .succeeded, nil])
        }
    }

    @Test(arguments: [
        ("{}", "/feedback required"), (#"{"feedback": ""}"#, "/feedback too_short"),
        (#"{"feedback": 5}"#, "/feedback wrong_type"),
        (#"{"feedback": "\#(String(repeating: "字", count: 501))"}"#, "/feedback too_long"),
        (#"{"feedback": "a", "model": ""}"#, "/model too_short"), (#"{"feedback": "a", "title": "b"}"#, "/title unknown_field"),
    ])
    func tellsWhatIsWrong(body: String, expected: String) async throws {
        try await OrchestrationHarness.run { service in
            let answer = try await regenerate(service, UUID(), body)
            #expect(answer.status == .unprocessableContent)
            let problem = try JSON.decode(ProblemBody.self, from: answer.body)
            #expect(problem.errors?.map { "\($0.pointer) \($0.code)" } == [expected])
        }
    }

    @Test(arguments: [
        (nil, 200), ("*", 422), ("3", 422), (#""1", x"#, 422), (#""2""#, 412), (#"W/"1""#, 412), (#""7", "1""#, 200),
        (#""1.9""#, 412),
    ])
    func namesTheVersionThatItsEditorHasSeen(ifMatch: String?, status: Int) async throws {
        let shelf = Shelf(.copy(CopyBody(topic: "猫砂盆", platform: .weibo, text: "旧文", hashtags: [])))
        try await OrchestrationHarness.run(agentCenter: CopyWritingCenter().handler, contentCenter: shelf.handler) { service in
            let answer = try await regenerate(service, shelf.id, ifMatch: ifMatch)
            #expect(answer.status.code == status)
        }
    }

    @Test func aStrangersContentIsNotThere() async throws {
        let shelf = Shelf(.copy(CopyBody(topic: "猫砂盆", platform: .weibo, text: "旧文", hashtags: [])))
        try await OrchestrationHarness.run(contentCenter: shelf.handler) { service in
            let unknown = try await regenerate(service, UUID())
            #expect(unknown.status == .notFound)
            #expect(try await regenerate(service, UUID(), ifMatch: nil).status == .notFound)
            let malformed = try await service.send(
                .post, "/v1/contents/7/regenerate", #"{"feedback": "a"}"#, scopes: ["contents:write"],
                headers: ["If-Match": "\"1\""])
            #expect(malformed.status == .notFound)
            let refused = try await service.send(
                .post, "/v1/contents/\(shelf.id)/regenerate", #"{"feedback": "a"}"#, scopes: ["contents:read"],
                headers: ["If-Match": "\"1\""])
            #expect(refused.status == .forbidden)
        }
    }

    private func regenerate(
        _ service: OrchestrationHarness, _ id: UUID, _ body: String = #"{"feedback": "再口语一点"}"#, operation: UUID? = nil,
        ifMatch: String? = "\"1\"", headers: HTTPHeaders = [:]
    ) async throws -> TestResponse {
        var headers = headers
        headers["If-Match"] = ifMatch
        return try await service.send(
            .post, "/v1/contents/\(id.uuidString.lowercased())/regenerate", body, scopes: ["contents:read", "contents:write"],
            operation: operation ?? UUID(), headers: headers)
    }
}

/// content-center with one content, as it promises to be towards versions.
private final class Shelf: Sendable {
    private struct State {
        var contents: [Content]
        var byOperation: [String: Content] = [:]
    }
    let id = UUID()
    private let state: Lock<State>

    init(_ body: ContentBody) {
        state = Lock(
            State(contents: [
                Content(
                    id: id, status: .draft, version: 1, title: "猫砂盆", body: body, source: VersionSource(kind: .human),
                    author: "user-1", createdAt: Date(), updatedAt: Date())
            ]))
    }

    var versions: Int { state.withLock { $0.contents.count } }

    var handler: Handler {
        { request in
            let path = "/v1/contents/\(self.id.uuidString.lowercased())"
            switch (request.method, request.path) {
            case (.get, path): return try .json(.ok, self.state.withLock { $0.contents.last })
            case (.get, _): throw NotFound()
            case (.post, path + "/versions"):
                let version = try JSON.decode(NewVersion.self, from: request.body)
                return try .json(
                    .created, try self.save(version, request.headers["X-Operation-Id"] ?? "", request.headers["If-Match"] ?? ""))
            default: return try await Upstream.unexpected(request)
            }
        }
    }

    private func save(_ version: NewVersion, _ operation: String, _ ifMatch: String) throws -> Content {
        try state.withLock { state in
            if let known = state.byOperation["\(operation) \(version.step)"] { return known }
            guard let last = state.contents.last, ifMatch.split(separator: ", ").contains("\"\(last.version)\"") else {
                throw PreconditionFailed(code: "content.version_conflict")
            }
            let content = Content(
                id: id, status: .draft, version: last.version + 1, title: version.title ?? last.title, body: version.body,
                source: version.source, author: "user-1", createdAt: last.createdAt, updatedAt: Date())
            state.contents.append(content)
            state.byOperation["\(operation) \(version.step)"] = content
            return content
        }
    }
}
