import ConcurrencySupport
import Foundation
import Lifecycle
import Observability
import Testing

/// Real signals, each in a process of its own.
@Suite struct SignalTests {
    @Test(.timeLimit(.minutes(1))) func termDrainsAndReturns() async {
        await #expect(processExitsWith: .exitCode(7)) {
            let journal = Journal()
            let group = ServiceGroup(
                services: [RecordingService(name: "a", journal: journal), RecordingService(name: "b", journal: journal)],
                logger: .silent)
            async let running: Void = group.run()
            try await journal.waitFor("b started")
            kill(getpid(), SIGTERM)
            try await running
            exit(journal.entries.suffix(2) == ["b stopped", "a stopped"] ? 7 : 1)
        }
    }

    @Test(.timeLimit(.minutes(1))) func aSecondTermKills() async {
        await #expect(processExitsWith: .exitCode(143)) {
            let journal = Journal()
            let group = ServiceGroup(
                services: [RecordingService(name: "a", journal: journal, behaviour: .stubborn)], logger: .silent)
            async let running: Void = group.run()
            try await journal.waitFor("a started")
            kill(getpid(), SIGTERM)
            try await journal.waitFor("a told")
            kill(getpid(), SIGTERM)
            try await running
        }
    }

    @Test(.timeLimit(.minutes(1))) func aSecondInterruptKillsEvenWhileTheCooperativePoolIsBlocked() async {
        await #expect(processExitsWith: .exitCode(130)) {
            let journal = Journal()
            let group = ServiceGroup(
                services: [RecordingService(name: "a", journal: journal, behaviour: .stubborn)], logger: .silent)
            async let running: Void = group.run()
            try await journal.waitFor("a started")
            kill(getpid(), SIGINT)
            try await journal.waitFor("a told")
            Thread.detachNewThread {
                usleep(100_000)
                kill(getpid(), SIGINT)
            }
            for _ in 0..<64 { Task { while !Task.isCancelled { usleep(1_000_000) } } }
            try await running
        }
    }

    @Test(.timeLimit(.minutes(1))) func exitsWhenAServiceIgnoresItsCancellation() async {
        await #expect(processExitsWith: .exitCode(70)) {
            struct Deaf: Service {
                func run() async throws {
                    let never = OneShot<Void>()
                    try await never.value(onCancel: {})
                }
            }
            let journal = Journal()
            let group = ServiceGroup(
                services: [Deaf(), RecordingService(name: "a", journal: journal)], logger: .silent,
                drainDeadline: .milliseconds(50),
                cancellationDeadline: .milliseconds(50))
            async let running: Void = group.run()
            try await journal.waitFor("a started")
            kill(getpid(), SIGTERM)
            try await running
        }
    }

    @Test(.timeLimit(.minutes(1))) func aBrokenPipeIsAnErrorAndNoDeath() async {
        await #expect(processExitsWith: .exitCode(9)) {
            let journal = Journal()
            let group = ServiceGroup(services: [RecordingService(name: "a", journal: journal)], logger: .silent)
            async let running: Void = group.run()
            try await journal.waitFor("a started")
            var ends: [Int32] = [-1, -1]
            pipe(&ends)
            close(ends[0])
            let written = write(ends[1], "x", 1)
            let isOnlyAnError = written == -1 && errno == EPIPE
            kill(getpid(), SIGTERM)
            try await running
            exit(isOnlyAnError ? 9 : 1)
        }
    }

    /// After the group has ended, signals do again what they did before.
    @Test(.timeLimit(.minutes(1))) func givesTheSignalsBack() async {
        await #expect(processExitsWith: .signal(SIGTERM)) {
            let journal = Journal()
            let group = ServiceGroup(services: [RecordingService(name: "a", journal: journal)], logger: .silent)
            async let running: Void = group.run()
            try await journal.waitFor("a started")
            kill(getpid(), SIGTERM)
            try await running
            kill(getpid(), SIGTERM)
            while !Task.isCancelled { usleep(1_000) }
        }
    }
}
