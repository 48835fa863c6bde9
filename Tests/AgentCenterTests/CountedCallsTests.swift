import DTO
import Foundation
import HTTPCore
import HTTPServing
import PostgresStore
import TestSupport
import Testing

@testable import AgentCenter

/// How many calls of a budget a piece of work is.
@Suite("Counted calls", .timeLimit(.minutes(3)))
struct CountedCallsTests {
    private static func call(_ texts: Int) -> ModelCall {
        var call = ModelCall.sample()
        call.texts = texts
        return call
    }

    @Test("Several texts are set aside as so many calls, or not at all; what no model answered comes back")
    func store() async throws {
        try await BudgetHarness.run { harness in
            let budget = try await harness.addBudget(calls: 5)
            let desk = harness.desk()
            await #expect(throws: BudgetExhausted.self) { try await desk.open(Self.call(6), worstCase: 60) }
            #expect(try await harness.standing(of: budget) == .init())
            let four = try await desk.open(Self.call(4), worstCase: 40)
            #expect(try await harness.standing(of: budget) == .init(reserved: 40, reservedCalls: 4))
            await #expect(throws: BudgetExhausted.self) { try await desk.open(Self.call(2), worstCase: 20) }
            try await four.settle(.sample(cost: 30, calls: 3))
            #expect(try await harness.standing(of: budget) == .init(settled: 30, settledCalls: 3))
            let two = try await desk.open(Self.call(2), worstCase: 20)
            await two.release()
            #expect(try await harness.standing(of: budget) == .init(settled: 30, settledCalls: 3))
            #expect(try await harness.ledgerSums() == .init(settled: 30, settledCalls: 3))
        }
    }

    @Test("Many at once never go beyond it")
    func atOnce() async throws {
        try await BudgetHarness.run { harness in
            let budget = try await harness.addBudget(calls: 100)
            let desks = [harness.desk(), harness.desk()]
            let sizes = (0..<200).map { $0 % 7 + 1 }
            let served = try await withThrowingTaskGroup(of: Int.self) { group in
                for (number, size) in sizes.enumerated() {
                    group.addTask {
                        do {
                            let ticket = try await desks[number % 2].open(Self.call(size), worstCase: 1)
                            try await ticket.settle(.sample(cost: 1, calls: size))
                            return size
                        } catch is BudgetExhausted { return 0 }
                    }
                }
                return try await group.reduce(0, +)
            }
            // What is left holds not even the smallest.
            #expect(served == 100)
            #expect(try await harness.standing(of: budget).settledCalls == 100)
        }
    }

    @Test("A dead holder's calls come back as they were held")
    func swept() async throws {
        try await BudgetHarness.run { harness in
            let budget = try await harness.addBudget(calls: 5)
            let call = Self.call(4)
            _ = try await harness.desk().open(call, worstCase: 40)
            try await harness.database.setClock(offset: .seconds(3_600))
            // Whoever comes for the same operation sweeps it.
            let again = try await harness.desk().open(call, worstCase: 40)
            #expect(try await harness.standing(of: budget).reservedCalls == 4)
            await again.release()
            #expect(try await harness.standing(of: budget).reservedCalls == 0)
        }
    }

    @Test("A list of texts is as many calls, and is refused before a model is asked")
    func list() async throws {
        let vendor = try ScriptedVendor([
            .answers { _ in
                ScriptedVendor.Reply.httpText(
                    200, ScriptedVendor.Reply.completion("出门前涂好。", model: "gpt-4o-mini", finish: "stop"))
            }
        ])
        try await TitleService.run(primary: vendor) { service in
            let budget = try await service.budget([
                "name": "三次", "scope": "tenant", "period": "month", "zone": "Asia/Shanghai", "limitCalls": 3,
            ])
            func ask(_ texts: Int) async throws -> TestResponse {
                let input = JSONValue.array((0..<texts).map { .string("第\($0)篇") })
                return try await service.callModel(TitleService.generate, ["task": "copy", "input": input])
            }
            let refused = try await ask(4)
            #expect(refused.status == .tooManyRequests)
            #expect(try refused.problem().code == "budget.exhausted")
            #expect(vendor.received.isEmpty)
            #expect(try await ask(2).status == .ok)
            #expect(try await service.standing(of: budget).settledCalls == 2)
            #expect(try await ask(2).status == .tooManyRequests)
            #expect(try await ask(1).status == .ok)
            let standing = try await service.standing(of: budget)
            #expect(standing.settledCalls == 3 && standing.reservedCalls == 0)
            #expect(vendor.received.count == 3)
        }
    }

    @Test("A conversation that nobody answered is no call")
    func unanswered() async throws {
        let vendor = try ScriptedVendor([.http(401, #"{"error": {"message": "bad key", "code": "invalid_api_key"}}"#)])
        try await TitleService.run(primary: vendor) { service in
            let budget = try await service.budget([
                "name": "三次", "scope": "tenant", "period": "month", "zone": "Asia/Shanghai", "limitCalls": 3,
            ])
            for _ in 0..<4 {
                let answer = try await service.callModel(
                    TitleService.chat, ["model": "gpt-4o-mini", "messages": [["role": "user", "content": "问"]]])
                #expect(answer.status == .serviceUnavailable, "\(answer.text)")
            }
            let standing = try await service.standing(of: budget)
            #expect(standing.settledCalls == 0 && standing.reservedCalls == 0)
        }
    }
}
