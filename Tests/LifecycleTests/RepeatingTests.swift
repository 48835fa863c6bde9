import ConcurrencySupport
import Lifecycle
import Observability
import Testing

@Suite struct RepeatingTests {
    private let journal = Journal()

    @Test func goesOnAfterAFailureAndEndsWithTheService() async throws {
        try await testGracefulShutdown { trigger in
            async let upkeep: Void = repeating(every: .milliseconds(1), logger: .silent, failure: "it broke") { [journal] in
                journal.note("turn")
                throw Broken()
            }
            try await journal.waitFor("turn", count: 3)
            trigger.triggerGracefulShutdown()
            await upkeep
        }
    }

    @Test func pausesOnlyWhereNothingIsLeft() async throws {
        try await testGracefulShutdown { trigger in
            let left = Lock(5)
            async let upkeep: Void = repeating(pausing: .seconds(3_600), logger: .silent, failure: "it broke") { [journal] in
                journal.note("turn")
                return left.withLock { left in
                    left -= 1
                    return left > 0
                }
            }
            try await journal.waitFor("turn", count: 5)
            trigger.triggerGracefulShutdown()
            await upkeep
        }
        #expect(journal.entries.count == 5)
    }
}
