import ConcurrencySupport
import Lifecycle
import Observability
import Testing

@Suite struct ServiceGroupTests {
    private let journal = Journal()

    private func service(_ name: String, _ behaviour: RecordingService.Behaviour = .obedient) -> RecordingService {
        RecordingService(name: name, journal: journal, behaviour: behaviour)
    }

    private func group(_ services: [any Service], drainDeadline: Duration = .seconds(20)) -> ServiceGroup {
        ServiceGroup(services: services, logger: .silent, drainDeadline: drainDeadline, signals: [])
    }

    @Test func stopsInReverseOrderOneAfterTheOther() async throws {
        try await testGracefulShutdown { trigger in
            async let running: Void = group([service("a"), service("b"), service("c")]).run()
            for name in ["a", "b", "c"] { try await journal.waitFor("\(name) started") }
            trigger.triggerGracefulShutdown()
            try await running
        }
        #expect(journal.entries.suffix(3) == ["c stopped", "b stopped", "a stopped"])
    }

    @Test func aServiceIsToldOnlyWhenTheOneAfterItHasEnded() async throws {
        let release = OneShot<Void>()
        await #expect(throws: ServiceGroupError.self) {
            try await testGracefulShutdown { trigger in
                async let running: Void = group(
                    [service("a"), service("slow", .stubborn)], drainDeadline: .milliseconds(200)
                ).run()
                try await journal.waitFor("slow started")
                trigger.triggerGracefulShutdown()
                try await journal.waitFor("slow told")
                #expect(!journal.entries.contains("a stopped"))
                release.succeed()
                try await running
            }
        }
    }

    @Test func cancelsWhatStillRunsAtTheDeadline() async throws {
        let error = await #expect(throws: ServiceGroupError.self) {
            try await testGracefulShutdown { trigger in
                async let running: Void = group(
                    [service("a"), service("slow", .stubborn)], drainDeadline: .milliseconds(50)
                ).run()
                try await journal.waitFor("slow started")
                trigger.triggerGracefulShutdown()
                try await running
            }
        }
        #expect(error == .drainDeadlineExceeded(["RecordingService", "RecordingService"]))
        #expect(journal.entries.contains("slow cancelled"))
    }

    @Test func aServiceThatEndsByItselfBringsTheOthersDown() async throws {
        let now = OneShot<Void>()
        now.succeed()
        await #expect(throws: ServiceGroupError.serviceEndedByItself("RecordingService")) {
            try await group([service("a"), service("b", .returnsAt(now)), service("c")]).run()
        }
        #expect(journal.entries.contains("a stopped") && journal.entries.contains("c stopped"))
    }

    @Test func theErrorOfAServiceIsTheGroupsError() async throws {
        let now = OneShot<Void>()
        now.succeed()
        await #expect(throws: Broken.self) { try await group([service("a"), service("b", .throwsAt(now))]).run() }
        #expect(journal.entries.contains("a stopped"))
    }

    @Test func anErrorDuringShutdownIsNotLostAndStopsTheRest() async throws {
        await #expect(throws: Broken.self) {
            try await testGracefulShutdown { trigger in
                async let running: Void = group([service("a"), service("b", .throwsWhenTold)]).run()
                // Each begins in a task of its own.
                try await journal.waitFor("a started")
                try await journal.waitFor("b started")
                trigger.triggerGracefulShutdown()
                try await running
            }
        }
        #expect(journal.entries.suffix(2) == ["b threw", "a stopped"])
    }

    @Test func cancellationOfTheCallerCancelsTheServices() async throws {
        let group = group([service("a", .stubborn), service("b")])
        let task = Task { try await group.run() }
        try await journal.waitFor("a started")
        try await journal.waitFor("b started")
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(journal.entries.contains("a cancelled"))
    }

    @Test func anEmptyGroupEndsAtOnce() async throws { try await group([]).run() }

    @Test func aHundredShutdownsWhileServicesStartAndEnd() async throws {
        for round in 0..<100 {
            let moment = OneShot<Void>()
            let services = [service("a\(round)"), service("b\(round)", .throwsAt(moment)), service("c\(round)")]
            let result = await Task {
                try await testGracefulShutdown { trigger in
                    async let running: Void = group(services).run()
                    async let failing: Bool = Task.detached { moment.succeed() }.value
                    trigger.triggerGracefulShutdown()
                    _ = await failing
                    try await running
                }
            }.result
            if case .failure(let error) = result { #expect(error is Broken) }
            #expect(journal.entries.contains("a\(round) stopped") && journal.entries.contains("c\(round) stopped"))
        }
    }
}
