import ConcurrencySupport
import DTO
import Foundation
import HTTPCalling
import HTTPCore
import HTTPServing
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import OrchestrationService

@Suite struct TitleGenerationRoutesTests {
    @Test func answersTheDraftAndWhereItIs() async throws {
        let agent = FakeAgentCenter()
        let contents = FakeContentCenter()
        try await OrchestrationHarness.run(agentCenter: agent.handler, contentCenter: contents.handler) { service in
            let operation = UUID()
            let response = try await service.titles(
                operation: operation, headers: ["X-Request-Id": "request-0001", "X-Deadline-Ms": "20000"])
            #expect(response.status == .created)
            let answer = try response.decode(TitleGenerationAnswer.self)
            #expect(response.headers["Location"] == "/api/contents/\(answer.contentId.uuidString.lowercased())")
            #expect(answer.candidates == TitleWritingAnswer.sample().candidates)
            #expect(answer.requestId == "request-0001")
            #expect(!answer.degraded)

            for request in agent.requests + contents.requests {
                #expect(request.headers["X-Operation-Id"] == operation.uuidString.lowercased())
                #expect(request.headers["X-Request-Id"] == "request-0001")
                #expect(request.headers["Authorization"]?.hasPrefix("Bearer ") == true)
            }
            let spared = try #require(agent.requests.first?.headers["X-Deadline-Ms"].flatMap { Int($0) })
            #expect((1...18_000).contains(spared))
        }
    }

    @Test func relaysTheProblemOfAgentCenterAndSavesNothing() async throws {
        let problem = ProblemBody(
            title: "没有这个模型", status: 422, code: "model.unknown",
            errors: [.init(pointer: "/model", code: "unknown_value", message: "没有")])
        try await OrchestrationHarness.run(agentCenter: { _ in try .json(.unprocessableContent, problem) }) { service in
            let response = try await service.titles()
            #expect(response.status == .unprocessableContent)
            let relayed = try response.problem()
            #expect(relayed.code == "model.unknown")
            #expect(relayed.title == "没有这个模型")
            #expect(relayed.errors?.map(\.pointer) == ["/model"])
        }
    }

    @Test func saysWhenAgentCenterIsDown() async throws {
        try await OrchestrationHarness.run(agentCenter: Upstream.down) { service in
            let response = try await service.titles()
            #expect(response.status == .serviceUnavailable)
            #expect(try response.problem().code == "upstream.unavailable")
            #expect(try response.problem().retryable)
            #expect(response.headers["Retry-After"] != nil)
        }
    }

    @Test func aRepeatAfterContentCenterWasDownPaysNoSecondModelCall() async throws {
        let agent = FakeAgentCenter()
        let contents = FakeContentCenter(downFor: 1)
        try await OrchestrationHarness.run(agentCenter: agent.handler, contentCenter: contents.handler) { service in
            let operation = UUID()
            let first = try await service.titles(operation: operation)
            #expect(first.status == .serviceUnavailable)
            #expect(try first.problem().retryable)
            let second = try await service.titles(operation: operation)
            #expect(second.status == .created)
            let third = try await service.titles(operation: operation)
            #expect(
                try third.decode(TitleGenerationAnswer.self).contentId == second.decode(TitleGenerationAnswer.self).contentId)
            #expect(agent.modelCalls == 1)
            #expect(contents.drafts == 1)
        }
    }

    /// Both ways of one operation end in the same draft, whichever comes first.
    @Test(arguments: [true, false]) func aRunAndAPlainCallAreOneOperation(runFirst: Bool) async throws {
        let agent = FakeAgentCenter()
        let contents = FakeContentCenter()
        try await OrchestrationHarness.run(agentCenter: agent.handler, contentCenter: contents.handler) { service in
            let operation = UUID()
            func run() async throws -> [UUID] {
                let accepted = try await service.titles(operation: operation, headers: ["Prefer": "respond-async"])
                #expect(accepted.status == .accepted && accepted.headers["Preference-Applied"] == "respond-async")
                #expect(accepted.headers["Location"] == "/api/runs/\(operation.uuidString.lowercased())")
                try await eventually("the end of the run") {
                    try await service.shown(operation).state == .succeeded
                }
                return try await service.shown(operation).contentIds
            }
            let before = runFirst ? try await run() : nil
            let answer = try await service.titles(operation: operation).decode(TitleGenerationAnswer.self)
            let runs = try await service.database.superuser.query("SELECT 1 FROM runs").count
            #expect(runs == (runFirst ? 1 : 0))
            let ids = if let before { before } else { try await run() }
            #expect(ids == [answer.contentId] && agent.modelCalls == 1 && contents.drafts == 1)
            let moves = try await service.database.moves(of: operation).map(\.move)
            #expect(moves.map(\.flow) == Array(repeating: "TitleGeneration", count: 4))
            #expect(moves.map(\.step?.name) == [nil, "title_set", "title_set", nil])
            #expect(moves.last?.state == .succeeded && moves.last?.progress == 100)
        }
    }

    @Test func aRunIsCancelledAmidTheWriting() async throws {
        let (gate, agent, contents) = (Gate(), FakeAgentCenter(), FakeContentCenter())
        let waiting: Handler = { request in
            try await gate.pass()
            return try await agent.handler(request)
        }
        try await OrchestrationHarness.run(agentCenter: waiting, contentCenter: contents.handler) { service in
            let operation = UUID()
            _ = try await service.titles(operation: operation, headers: ["Prefer": "respond-async"])
            try await eventually("it is being written") { gate.arrived == 1 }
            try await service.cancel(operation)
            try await eventually("the end of the run") {
                try await service.shown(operation).state == .canceled
            }
            gate.open()
            #expect(contents.drafts == 0)
        }
    }

    @Test func passesTheTenantsWordsAndNobodyElses() async throws {
        let agent = FakeAgentCenter()
        try await OrchestrationHarness.run(agentCenter: agent.handler, contentCenter: FakeContentCenter().handler) {
            service in
            let (tenant, stranger) = (UUID(), UUID())
            for (owner, brand, banned) in [(tenant, "喵喵家", "竞品"), (stranger, "汪汪家", "别家")] {
                _ = try await service.database.app.query(
                    "INSERT INTO brand_words (tenant_id, word) VALUES (\(owner), \(brand))", tenant: owner)
                _ = try await service.database.app.query(
                    "INSERT INTO banned_words (tenant_id, word) VALUES (\(owner), \(banned))", tenant: owner)
            }
            #expect(try await service.titles(#"{"topic": "猫", "bannedWords": ["最"]}"#, tenant: tenant).status == .created)
            let request = try #require(agent.requests.first).decoded(TitleWritingRequest.self)
            #expect(request.brandWords == ["喵喵家"])
            #expect(request.bannedWords == ["最", "竞品"] + PlatformRules.of(.douyin).bannedWords)
        }
    }

    @Test(arguments: [
        ("{", 400, nil), ("\u{FEFF}{}", 400, nil), (#"{"topic": "a", "topic": "b"}"#, 422, ["/topic"]),
        (#"{"topic": ""}"#, 422, ["/topic"]), (#"{"topic": "a", "count": 0, "platform": "x"}"#, 422, ["/platform", "/count"]),
    ])
    func refusesBadInputBeforeAnythingIsCalled(body: String, status: Int, pointers: [String]?) async throws {
        try await OrchestrationHarness.run { service in
            let response = try await service.titles(body)
            #expect(response.status.code == status)
            if let pointers { #expect(try response.problem().errors?.map(\.pointer) == pointers) }
        }
    }

    @Test func asksForThePermissionAndTheRightAudience() async throws {
        try await OrchestrationHarness.run { service in
            let answers = [
                try await service.titles(scopes: ["contents:write"]),
                try await service.titles(audience: .contentCenter),
                try await service.client.send(.post, "/v1/titles"),
            ]
            #expect(answers.map(\.status) == [.forbidden, .unauthorized, .unauthorized])
        }
    }
}

/// agent-center over the wire: one model call per operation.
private final class FakeAgentCenter: Sendable {
    private struct State {
        var requests: [Request] = []
        var operations: Set<String> = []
        var modelCalls = 0
    }
    private let state = Lock(State())

    var requests: [Request] { state.withLock { $0.requests } }
    var modelCalls: Int { state.withLock { $0.modelCalls } }

    var handler: Handler {
        { request in
            self.state.withLock { state in
                state.requests.append(request)
                if state.operations.insert(request.headers["X-Operation-Id"] ?? UUID().uuidString).inserted {
                    state.modelCalls += 1
                }
            }
            #expect(request.path == "/v1/titles")
            return try .json(.ok, TitleWritingAnswer.sample())
        }
    }
}

/// content-center over the wire: one draft per operation; refuses the first connections.
private final class FakeContentCenter: Sendable {
    private struct State {
        var requests: [Request] = []
        var downFor: Int
        var drafts: [String: Content] = [:]
    }
    private let state: Lock<State>

    init(downFor: Int = 0) { state = Lock(State(downFor: downFor)) }

    var requests: [Request] { state.withLock { $0.requests } }
    var drafts: Int { state.withLock { $0.drafts.count } }

    var handler: Handler {
        { request in
            let draft = try request.decoded(NewContent.self)
            let isDown = self.state.withLock { state in
                state.requests.append(request)
                state.downFor -= 1
                return state.downFor >= 0
            }
            if isDown { return try await Upstream.down(request) }
            #expect(request.path == "/v1/contents")
            let content = self.state.withLock { state in
                let content = Content(
                    id: UUID(), status: .draft, version: 1, title: draft.title, body: draft.body,
                    source: draft.source, author: "user-1", createdAt: Date(), updatedAt: Date())
                let operation = request.headers["X-Operation-Id"] ?? UUID().uuidString
                let stored = state.drafts[operation] ?? content
                state.drafts[operation] = stored
                return stored
            }
            return try .json(.created, content)
        }
    }
}

extension Request {
    fileprivate func decoded<Value: Decodable>(_ type: Value.Type) throws -> Value { try JSON.decode(type, from: body) }
}
