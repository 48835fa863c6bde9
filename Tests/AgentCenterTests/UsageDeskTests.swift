import ConcurrencySupport
import FoundationEssentials
import HTTPCore
import Lifecycle
import Observability
import Testing

@testable import AgentCenter

@Suite("Each operation once")
struct UsageDeskTests {
    /// A store in memory that notes what it was given.
    private final class MemoryStore: UsageStore {
        let answers = Lock<[LedgerKey: String]>([:])
        let deadlines = Lock<[Bool]>([])
        let released = Lock<[LedgerKey]>([])

        func exchange(
            _ receipts: [UsageReceipt], _ claims: [UsageClaim]
        ) async throws -> (answers: [String?], admissions: [UsageAdmission]) {
            if !receipts.isEmpty {
                deadlines.withLock { $0.append((CallContext.current?.deadline ?? .now + .seconds(1)) > .now) }
            }
            return answers.withLock { answers in
                let holding = receipts.map { receipt in
                    let kept = answers[receipt.call.ledgerKey] ?? receipt.answer
                    answers[receipt.call.ledgerKey] = kept
                    return kept
                }
                return (holding, claims.map { claim in answers[claim.call.ledgerKey].map { .answered($0) } ?? .granted })
            }
        }

        func beat() async throws {}

        func leave() async throws {}

        func extend(_ claim: UsageClaim, by nano: Int64) async throws -> Bool { true }

        func release(_ claim: UsageClaim) async throws { released.withLock { $0.append(claim.call.ledgerKey) } }
    }

    private let entry = LedgerEntry(
        provider: "p", modelName: "m", promptTokens: 0, cachedPromptTokens: 0, completionTokens: 0, calls: 1,
        costNano: 0, spentNano: 0, currency: "USD", priceVersion: nil, isEstimated: false, latencyMs: 0, attempts: [],
        promptVersion: "v", promptHash: [], completionHash: [], isDegraded: false, degradedReason: nil)

    @Test("A caller that leaves does not stop the work; shutdown waits for it")
    func leaves() async throws {
        let store = MemoryStore()
        let desk = UsageDesk(store: store)
        let (call, entry) = (ModelCall.sample(), entry)
        let (started, finish) = (OneShot<Void>(), OneShot<Void>())
        let caller = Task {
            try await desk.once(call, worstCase: 0) { _ in
                started.succeed()
                try await finish.value()
                return ("done", entry)
            }
        }
        try await started.value()
        caller.cancel()
        try await testGracefulShutdown { trigger in
            async let running: Void = desk.run()
            trigger.triggerGracefulShutdown()
            finish.succeed()
            try await running
        }
        #expect(store.answers.withLock { $0[call.ledgerKey] } == #""done""#)
    }

    @Test("What was paid for is written down after the caller's deadline, and the repeat finds it")
    func late() async throws {
        let store = MemoryStore()
        let desk = UsageDesk(store: store)
        let (call, entry) = (ModelCall.sample(), entry)
        let context = CallContext(requestId: "request-1", deadline: .now - .seconds(1))
        let first = try await CallContext.$current.withValue(context) {
            try await desk.once(call, worstCase: 0) { _ in ("done", entry) }
        }
        #expect(store.deadlines.withLock { $0 } == [true])
        let second = try await desk.once(call, worstCase: 0) { _ async throws -> (answer: String, entry: LedgerEntry) in
            throw InternalFailure()
        }
        #expect(first.answer == second.answer)
        #expect(!first.isRepeat && second.isRepeat)
    }

    @Test("Work that fails leaves the operation open for the next try")
    func fails() async throws {
        let desk = UsageDesk(store: MemoryStore())
        let (call, entry) = (ModelCall.sample(), entry)
        await #expect(throws: InternalFailure.self) {
            _ = try await desk.once(call, worstCase: 0) { _ async throws -> (answer: String, entry: LedgerEntry) in
                throw InternalFailure()
            }
        }
        let answer = try await desk.once(call, worstCase: 0) { _ in ("done", entry) }.answer
        #expect(answer == "done")
    }
}
