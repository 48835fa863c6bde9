import ConcurrencySupport
import FoundationEssentials
import HTTPCore
import Lifecycle
import Observability
import Testing

@testable import AgentCenter

@Suite("Each operation once")
struct OperationDeskTests {
    /// A ledger in memory that notes what it was given.
    private final class MemoryLedger: UsageLedger {
        let answers = Lock<[LedgerKey: String]>([:])
        let deadlines = Lock<[Bool]>([])

        func answer(for key: LedgerKey) async throws -> String? { answers.withLock { $0[key] } }

        func record(_ entry: LedgerEntry, answer: String, for key: LedgerKey) async throws -> String {
            deadlines.withLock { $0.append((CallContext.current?.deadline ?? .now) > .now) }
            return answers.withLock { answers in
                let kept = answers[key] ?? answer
                answers[key] = kept
                return kept
            }
        }
    }

    private let entry = LedgerEntry(
        flow: "F", subject: "s", provider: "p", modelName: "m", promptTokens: 0, cachedPromptTokens: 0, completionTokens: 0,
        costNano: 0, spentNano: 0, currency: "USD", priceVersion: nil, isEstimated: false, latencyMs: 0, attempts: [],
        promptVersion: "v", promptHash: [], completionHash: [], isDegraded: false, degradedReason: nil)

    private func key() -> LedgerKey { LedgerKey(tenantId: UUID(), operationId: UUID(), step: "s") }

    @Test("A caller that leaves does not stop the work; shutdown waits for it")
    func leaves() async throws {
        let ledger = MemoryLedger()
        let desk = OperationDesk(ledger: ledger)
        let (key, entry) = (key(), entry)
        let (started, finish) = (OneShot<Void>(), OneShot<Void>())
        let caller = Task {
            try await desk.once(key) {
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
        #expect(ledger.answers.withLock { $0[key] } == #""done""#)
    }

    @Test("What was paid for is written down after the caller's deadline, and the repeat finds it")
    func late() async throws {
        let ledger = MemoryLedger()
        let desk = OperationDesk(ledger: ledger)
        let (key, entry) = (key(), entry)
        let context = CallContext(requestId: "request-1", deadline: .now - .seconds(1))
        let first = try await CallContext.$current.withValue(context) { try await desk.once(key) { ("done", entry) } }
        #expect(ledger.deadlines.withLock { $0 } == [true])
        let second = try await desk.once(key) { () async throws -> (String, LedgerEntry) in throw InternalFailure() }
        #expect(first.answer == second.answer)
        #expect(!first.isRepeat && second.isRepeat)
    }

    @Test("Work that fails leaves the operation open for the next try")
    func fails() async throws {
        let desk = OperationDesk(ledger: MemoryLedger())
        let (key, entry) = (key(), entry)
        await #expect(throws: InternalFailure.self) {
            _ = try await desk.once(key) { () async throws -> (String, LedgerEntry) in throw InternalFailure() }
        }
        let answer = try await desk.once(key) { ("done", entry) }.answer
        #expect(answer == "done")
    }
}
