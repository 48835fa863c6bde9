import ConcurrencySupport
import Lifecycle
import Observability
import TestSupport
import Testing

@Suite struct GracefulShutdownTests {
    private let journal = Journal()

    @Test func runsHandlersOnceAndOnlyInside() async throws {
        try await testGracefulShutdown { trigger in
            await withGracefulShutdownHandler {
            } onGracefulShutdown: {
                Issue.record("called though its operation had ended")
            }
            try await withGracefulShutdownHandler {
                #expect(!Task.isShuttingDownGracefully)
                trigger.triggerGracefulShutdown()
                trigger.triggerGracefulShutdown()
                #expect(Task.isShuttingDownGracefully)
                try await journal.waitFor("told")
            } onGracefulShutdown: { [journal] in
                journal.note("told")
            }
        }
        #expect(journal.entries == ["told"])
    }

    @Test func aLateHandlerRunsAtOnce() async {
        await testGracefulShutdown { trigger in
            trigger.triggerGracefulShutdown()
            await withGracefulShutdownHandler {
                #expect(journal.entries == ["told"])
            } onGracefulShutdown: { [journal] in
                journal.note("told")
            }
        }
    }

    @Test func handlersMayUseTheShutdownThemselves() async {
        await testGracefulShutdown { trigger in
            await withGracefulShutdownHandler {
                trigger.triggerGracefulShutdown()
            } onGracefulShutdown: { [journal] in
                // Would deadlock if handlers ran under the lock.
                trigger.triggerGracefulShutdown()
                journal.note("told")
            }
        }
        #expect(journal.entries == ["told"])
    }

    @Test func isNeverCalledOutsideAService() async {
        await withGracefulShutdownHandler {
            #expect(!Task.isShuttingDownGracefully)
        } onGracefulShutdown: {
            Issue.record("nobody asked")
        }
    }

    @Test func waitsForShutdown() async throws {
        try await testGracefulShutdown { trigger in
            async let waiting: Void = gracefulShutdown()
            trigger.triggerGracefulShutdown()
            try await waiting
        }
    }

    @Test func waitingEndsWithCancellation() async {
        let task = Task { try await gracefulShutdown() }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func cancelsWorkAtShutdown() async throws {
        let value = await testGracefulShutdown { trigger in
            await cancelWhenGracefulShutdown {
                trigger.triggerGracefulShutdown()
                let never = OneShot<Void>()
                try? await never.value()
                return Task.isCancelled
            }
        }
        #expect(value)
    }

    @Test func leavesFinishedWorkAlone() async throws {
        let value = await cancelWhenGracefulShutdown { 5 }
        #expect(value == 5)
        await #expect(throws: Broken.self) { try await cancelWhenGracefulShutdown { throw Broken() } }
    }

    @Test func manyHandlersComeAndGoWhileShutdownBegins() async throws {
        for _ in 0..<200 {
            let journal = Journal()
            await testGracefulShutdown { trigger in
                await withTaskGroup(of: Void.self) { group in
                    for number in 0..<20 {
                        group.addTask {
                            let told = OneShot<Void>()
                            journal.note("entered")
                            try? await withGracefulShutdownHandler {
                                if number == 10 { trigger.triggerGracefulShutdown() }
                                try await told.value()
                            } onGracefulShutdown: {
                                journal.note("told")
                                told.succeed()
                            }
                        }
                    }
                }
            }
            #expect(journal.entries.count { $0 == "entered" } == 20)
            #expect(journal.entries.count { $0 == "told" } == 20)
        }
    }

    @Test func theSpanExporterSendsWhatIsLeftAtTheEnd() async throws {
        let sent = Locked(0)
        let exporter = SpanExporter(service: "s", interval: .seconds(3_600)) { _ in sent.withLock { $0 += 1 } }
        let tracer = Tracer(service: "s", exporter: exporter)
        try await testGracefulShutdown { trigger in
            async let running: Void = exporter.run()
            await tracer.withSpan("x") { _ in }
            trigger.triggerGracefulShutdown()
            try await running
        }
        #expect(sent.withLock { $0 } == 1)
    }
}
