import ConcurrencySupport
import DTO
import Foundation
import HTTPCore
import HTTPServing
import PostgresStore
import TestSupport
import Testing

@testable import OrchestrationService

@Suite(.timeLimit(.minutes(3))) struct RunsRoutesTests {
    @Test func pagesNewestFirst() async throws {
        try await OrchestrationHarness.run { service in
            let replica = Replica(service.database) { StepResult(value: $0) }
            var ids: [UUID] = []
            for _ in 0..<3 {
                let run = try await replica.start(["a"], operation: .version7())
                _ = try await replica.end(of: run)
                ids.append(run.id)
            }
            let first = try await service.send(.get, "/v1/runs?limit=2", scopes: ["runs:read"])
            let page = try JSON.decode(Page<Run>.self, from: first.body)
            #expect(first.status == .ok && page.items.map(\.id) == [ids[2], ids[1]])
            let cursor = try #require(page.nextCursor)
            let second = try await service.send(.get, "/v1/runs?limit=2&cursor=\(cursor)", scopes: ["runs:read"])
            let rest = try JSON.decode(Page<Run>.self, from: second.body)
            #expect(rest.items.map(\.id) == [ids[0]] && rest.nextCursor == nil)
            let foreign = try await service.send(.get, "/v1/runs", tenant: TestContext.otherTenant, scopes: ["runs:read"])
            #expect(try JSON.decode(Page<Run>.self, from: foreign.body).items.isEmpty)
        }
    }

    @Test func showsAndCancels() async throws {
        try await OrchestrationHarness.run { service in
            let gate = Gate()
            let replica = Replica(service.database) { step in
                try await gate.pass()
                return StepResult(value: step)
            }
            let run = try await replica.start(["a"])
            try await eventually("the step is under way") { gate.arrived == 1 }
            let path = "/v1/runs/\(run.id.uuidString.lowercased())"
            let shown = try await service.send(.get, path, scopes: ["runs:read"])
            #expect(try JSON.decode(Run.self, from: shown.body).state == .running)
            let cancelled = try await service.send(.post, path + "/cancel", scopes: ["runs:cancel"])
            #expect(cancelled.status == .ok)
            #expect(try JSON.decode(Run.self, from: cancelled.body).cancelRequested)
            // Asked for at another process: this one learns of it by looking.
            #expect(try await replica.end(of: run) == .canceled)
            gate.open()
        }
    }

    @Test func refusesWhatIsNotAllowedOrNotThere() async throws {
        try await OrchestrationHarness.run { service in
            let unknown = "/v1/runs/\(UUID().uuidString)"
            let calls: [(HTTPMethod, String, [String], Int)] = [
                (.get, "/v1/runs", ["runs:cancel"], 403), (.get, unknown, [], 403),
                (.post, unknown + "/cancel", ["runs:read"], 403),
                (.get, unknown, ["runs:read"], 404), (.get, "/v1/runs/7", ["runs:read"], 404),
                (.post, unknown + "/retry", ["runs:read"], 403), (.post, unknown + "/retry", ["runs:cancel"], 404),
                (.post, unknown + "/cancel", ["runs:cancel"], 404), (.get, "/v1/runs?limit=101", ["runs:read"], 422),
                (.get, "/v1/runs?cursor=x", ["runs:read"], 422),
            ]
            for (method, target, scopes, status) in calls {
                let answer = try await service.send(method, target, scopes: scopes)
                #expect(answer.status.code == status, "\(method) \(target)")
            }
        }
    }
}
