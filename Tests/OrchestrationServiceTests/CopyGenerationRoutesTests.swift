import ConcurrencySupport
import DTO
import Foundation
import HTTPCore
import HTTPServing
import PostgresStore
import TestSupport
import Testing

@testable import OrchestrationService

/// `POST /v1/copies` through the whole service; the two services it calls are played.
@Suite(.timeLimit(.minutes(3))) struct CopyGenerationRoutesTests {
    private static let scopes = ["copies:generate", "contents:write", "runs:read", "runs:cancel"]
    private static let two = #"{"topic": "猫砂盆", "platforms": ["douyin", "weibo"]}"#

    @Test func answersEachPlatformsDraft() async throws {
        let (agent, contents) = (CopyWritingCenter(), RememberingContentCenter())
        try await OrchestrationHarness.run(agentCenter: agent.handler, contentCenter: contents.handler) { service in
            let operation = UUID()
            let response = try await copies(service, operation: operation)
            #expect(response.status == .created)
            #expect(response.headers["Location"] == "/api/contents?groupId=\(operation.uuidString.lowercased())")
            let answer = try JSON.decode(CopyGenerationAnswer.self, from: response.body)
            #expect(answer.groupId == operation && answer.requestId == response.headers["X-Request-Id"])
            #expect(answer.items.map(\.platform) == [.douyin, .weibo] && answer.items.allSatisfy { $0.status == .succeeded })
            #expect(answer.items[0].copy == CopyWritingAnswer.sample(.douyin).copy)
            #expect(answer.items[0].usage?.costNano == "1234567" && answer.items[0].degraded == false)
            let run = try await service.send(.get, "/v1/runs/\(operation)", scopes: Self.scopes)
            let shown = try JSON.decode(Run.self, from: run.body)
            #expect(shown.state == .succeeded && shown.steps.map(\.name) == ["copy:douyin", "copy:weibo"])
            #expect(shown.contentIds == answer.items.compactMap(\.contentId))
        }
    }

    @Test func aRunSaysWhichTextCameFromTheTemplateAndWhy() async throws {
        let agent = CopyWritingCenter(fromTemplate: [.weibo])
        try await OrchestrationHarness.run(agentCenter: agent.handler, contentCenter: RememberingContentCenter().handler) {
            service in
            let operation = UUID()
            #expect(try await copies(service, operation: operation).status == .created)
            let shown = try await service.send(.get, "/v1/runs/\(operation)", scopes: Self.scopes)
            let run = try JSON.decode(Run.self, from: shown.body)
            let reason = "没有可用的模型，内容由模板生成"
            #expect(run.degraded && run.degradedReason == reason)
            #expect(run.steps.map(\.degraded) == [false, true] && run.steps.map(\.degradedReason) == [nil, reason])
            let list = try await service.send(.get, "/v1/runs", scopes: Self.scopes)
            #expect(try JSON.decode(Page<Run>.self, from: list.body).items == [run])
        }
    }

    @Test func aRepeatFindsTheRunAndADoubleClickIsOne() async throws {
        let (agent, contents) = (CopyWritingCenter(), RememberingContentCenter())
        try await OrchestrationHarness.run(agentCenter: agent.handler, contentCenter: contents.handler) { service in
            let operation = UUID()
            let answers = try await withThrowingTaskGroup(of: [CopyGenerationItem].self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let response = try await copies(service, operation: operation)
                        return try JSON.decode(CopyGenerationAnswer.self, from: response.body).items
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.allSatisfy { $0 == answers[0] } && answers.count == 8)
            #expect(agent.paid.count == 2 && contents.saved.count == 2)
            let other = try await service.send(
                .post, "/v1/copies", #"{"topic": "狗粮", "platforms": ["douyin"]}"#, scopes: Self.scopes, operation: operation)
            #expect(other.status == .conflict)
        }
    }

    @Test func oneThatFailsIsToldBesideTheOthers() async throws {
        let agent = CopyWritingCenter { platform in
            if platform == .weibo { throw TooManyRequests(code: "budget.exhausted", retryAfter: .seconds(60)) }
        }
        let contents = RememberingContentCenter()
        try await OrchestrationHarness.run(agentCenter: agent.handler, contentCenter: contents.handler) { service in
            let response = try await copies(service)
            let items = try JSON.decode(CopyGenerationAnswer.self, from: response.body).items
            #expect(response.status == .created && items.map(\.status) == [.succeeded, .failed])
            #expect(items[1].problem?.code == "budget.exhausted" && items[1].problem?.status == 429)
            #expect(contents.saved.map(\.step) == ["copy.douyin"])
        }
    }

    @Test func allThatFailIsTheProblemItself() async throws {
        let agent = CopyWritingCenter { _ in
            throw ValidationFailure(pointer: "/model", code: "unknown_value", zh: "没有这个模型", en: "no such model")
        }
        try await OrchestrationHarness.run(agentCenter: agent.handler) { service in
            let response = try await copies(service)
            #expect(response.status == .unprocessableContent)
            let problem = try JSON.decode(ProblemBody.self, from: response.body)
            #expect(problem.code == "request.invalid")
            #expect(problem.errors == [.init(pointer: "/model", code: "unknown_value", message: "没有这个模型")])
        }
    }

    @Test func goesOnByItselfWhereThatIsPreferred() async throws {
        let (gate, contents) = (Gate(), RememberingContentCenter())
        let agent = CopyWritingCenter { _ in try await gate.pass() }
        try await OrchestrationHarness.run(agentCenter: agent.handler, contentCenter: contents.handler) { service in
            let operation = UUID()
            let accepted = try await copies(service, operation: operation, headers: ["Prefer": "return=minimal, respond-async"])
            #expect(accepted.status == .accepted && accepted.headers["Preference-Applied"] == "respond-async")
            #expect(accepted.headers["Location"] == "/api/runs/\(operation.uuidString.lowercased())")
            #expect(
                try JSON.decode(RunAccepted.self, from: accepted.body)
                    == RunAccepted(runId: operation, flow: "CopyGeneration", state: .running))
            try await eventually("both are being written") { gate.arrived == 2 }
            gate.open()
            let answer = try await copies(service, operation: operation)
            #expect(answer.status == .created && contents.saved.count == 2)
        }
    }

    @Test func aRequestWhoseTimeIsUpIsToldWhereTheRunIs() async throws {
        let gate = Gate()
        let agent = CopyWritingCenter { _ in try await gate.pass() }
        try await OrchestrationHarness.run(agentCenter: agent.handler, contentCenter: RememberingContentCenter().handler) {
            service in
            let operation = UUID()
            let late = try await copies(service, operation: operation, headers: ["X-Deadline-Ms": "2500"])
            #expect(late.status == .accepted && late.headers["Preference-Applied"] == nil)
            #expect(late.headers["Location"] == "/api/runs/\(operation.uuidString.lowercased())")
            gate.open()
            #expect(try await copies(service, operation: operation).status == .created)
        }
    }

    @Test func whoeverWaitsForACancelledRunIsToldSo() async throws {
        let gate = Gate()
        let agent = CopyWritingCenter { platform in
            if platform == .weibo { try await gate.pass() }
        }
        let contents = RememberingContentCenter()
        try await OrchestrationHarness.run(agentCenter: agent.handler, contentCenter: contents.handler) { service in
            let operation = UUID()
            async let waiting = copies(service, operation: operation)
            try await eventually("one is done, the other under way") {
                let run = try await service.send(.get, "/v1/runs/\(operation)", scopes: Self.scopes)
                let states = (try? JSON.decode(Run.self, from: run.body))?.steps.map(\.state)
                return states == [.succeeded, .running] && gate.arrived == 1
            }
            #expect(try await service.send(.post, "/v1/runs/\(operation)/cancel", scopes: Self.scopes).status == .ok)
            let answer = try await waiting
            #expect(answer.status == .conflict)
            #expect(try JSON.decode(ProblemBody.self, from: answer.body).code == "run.canceled")
            #expect(contents.saved.map(\.step) == ["copy.douyin"] && agent.paid == [.douyin])
            let again = try await copies(service, operation: operation)
            #expect(again.status == .conflict && agent.paid == [.douyin])
            let retried = try await service.send(.post, "/v1/runs/\(operation)/retry", scopes: Self.scopes)
            #expect(retried.status == .conflict)
            let problem = try retried.problem()
            #expect(problem.code == "run.not_retryable" && problem.detail == "任务已被取消，请重新发起")
        }
    }

    @Test func aRunIsTakenUpAgainOnceAndByWhoeverMayBeginOne() async throws {
        let isExhausted = Lock(true)
        let agent = CopyWritingCenter { platform in
            guard platform == .weibo, isExhausted.withLock({ $0 }) else { return }
            throw TooManyRequests(code: "budget.exhausted", retryAfter: .seconds(60))
        }
        let contents = RememberingContentCenter()
        try await OrchestrationHarness.run(agentCenter: agent.handler, contentCenter: contents.handler) { service in
            let operation = UUID()
            #expect(try await copies(service, operation: operation).status == .created)
            isExhausted.withLock { $0 = false }
            let path = "/v1/runs/\(operation.uuidString.lowercased())"
            func run() async throws -> Run {
                try JSON.decode(Run.self, from: try await service.send(.get, path, scopes: Self.scopes).body)
            }
            let (before, asked) = (try await run(), agent.requests.count)
            for scopes in [["runs:cancel"], ["runs:cancel", "copies:generate"], ["copies:generate", "contents:write"]] {
                let refused = try await service.send(.post, path + "/retry", scopes: scopes)
                #expect(refused.status == .forbidden)
                #expect(try refused.problem().code == "auth.permission_missing")
            }
            #expect(try await run() == before && agent.requests.count == asked)

            let answers = try await withThrowingTaskGroup(of: TestResponse.self) { group in
                for _ in 0..<8 {
                    group.addTask { try await service.send(.post, path + "/retry", scopes: Self.scopes, operation: UUID()) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let (taken, refused) = (answers.filter { $0.status == .accepted }, answers.filter { $0.status == .conflict })
            #expect(taken.count == 1 && refused.count == 7)
            #expect(taken.first?.headers["Location"] == "/api/runs/\(operation.uuidString.lowercased())")
            try await eventually("both platforms have their copies", within: .seconds(60)) {
                try await run().steps.map(\.state) == [.succeeded, .succeeded]
            }
            #expect(agent.paid == [.douyin, .weibo] && contents.saved.map(\.step) == ["copy.douyin", "copy.weibo"])
        }
    }

    @Test func aDraftThatIsBeingSavedStaysWithItsCancelledRun() async throws {
        let gate = Gate()
        let contents = RememberingContentCenter()
        let slow: Handler = { request in
            let answer = try await contents.handler(request)
            try await gate.pass()
            return answer
        }
        try await OrchestrationHarness.run(agentCenter: CopyWritingCenter().handler, contentCenter: slow) { service in
            let operation = UUID()
            async let waiting = copies(service, operation: operation)
            try await eventually("both drafts are there, and not yet answered for") { gate.arrived == 2 }
            #expect(try await service.send(.post, "/v1/runs/\(operation)/cancel", scopes: Self.scopes).status == .ok)
            gate.open()
            _ = try await waiting
            let answer = try await service.send(.get, "/v1/runs/\(operation)", scopes: Self.scopes)
            let run = try JSON.decode(Run.self, from: answer.body)
            #expect(run.steps.map(\.state) == [.succeeded, .succeeded])
            #expect(run.contentIds.count == 2 && contents.saved.count == 2)
        }
    }

    @Test func asksForThePermissionAndForGoodInput() async throws {
        try await OrchestrationHarness.run { service in
            let refused = try await service.send(.post, "/v1/copies", Self.two, scopes: ["titles:generate"])
            #expect(refused.status == .forbidden)
            let bad = try await service.send(.post, "/v1/copies", #"{"topic": "a", "platforms": []}"#, scopes: Self.scopes)
            #expect(bad.status == .unprocessableContent)
            #expect(try await service.database.superuser.query("SELECT 1 FROM jobs").isEmpty)
        }
    }

    private func copies(
        _ service: OrchestrationHarness, operation: UUID? = nil, headers: HTTPHeaders = [:]
    ) async throws -> TestResponse {
        try await service.send(
            .post, "/v1/copies", Self.two, scopes: Self.scopes, operation: operation, headers: headers)
    }
}
