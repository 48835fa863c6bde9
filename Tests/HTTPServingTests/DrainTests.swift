import Foundation
import HTTPCore
import HTTPServing
import Lifecycle
import TestSupport
import Testing

@Suite struct DrainTests {
    /// Runs the server and gives the body a way to begin the drain, then to end it by force.
    private static func running(
        _ router: Router, _ body: (HTTPServer, GracefulShutdownTestTrigger, Task<Void, any Error>) async throws -> Void
    ) async throws {
        let server = HTTPServer(configuration: .init(port: 0), router: router)
        try await server.start()
        try await testGracefulShutdown { trigger in
            let run = Task { try await server.run() }
            do { try await body(server, trigger, run) } catch {
                run.cancel()
                throw error
            }
            trigger.triggerGracefulShutdown()
            try await run.value
        }
    }

    @Test func finishesWhatIsOpenAndRefusesTheRest() async throws {
        let started = Counter()
        let gate = Gate()
        var router = Router()
        router.on(.get, "/work") { _ in
            started.increment()
            await gate.wait()
            return .text("done")
        }
        try await Self.running(router) { server, trigger, _ in
            let client = LiveClient(port: server.port)
            let call = Task { try await client.send(.get, "/work") }
            try await eventually { started.value == 1 }
            trigger.triggerGracefulShutdown()
            // New connections are refused while the old request goes on.
            try await eventually { !LiveProbe.connects(to: server.port) }
            gate.open()
            let answer = try await call.value
            #expect(answer.text == "done")
            #expect(answer.headers["Connection"]?.lowercased() == "close")
        }
    }

    @Test func endsEventStreamsProperly() async throws {
        let cancelled = Counter()
        var router = Router()
        router.on(.get, "/events") { _ in
            .eventStream { writer in
                try await writer.send(ServerSentEvent(data: "first"))
                try await waitForCancellation(cancelled)
            }
        }
        try await Self.running(router) { server, trigger, run in
            let stream = try await LiveClient(port: server.port).open(.get, "/events")
            _ = try await stream.read(until: "first")
            trigger.triggerGracefulShutdown()
            while try await stream.read() != nil {}
            #expect(cancelled.value == 1)
            try await run.value
        }
    }

    @Test func answers503WhenTheDrainIsCutShort() async throws {
        let started = Counter()
        let gate = Gate()
        var router = Router()
        router.on(.get, "/deaf") { _ in
            started.increment()
            await gate.wait()
            return .text("late")
        }
        router.on(.get, "/bytes") { _ in
            Response(
                body: .stream { writer in
                    try await writer.write([1])
                    await gate.wait()
                })
        }
        try await Self.running(router) { server, trigger, run in
            let client = LiveClient(port: server.port)
            let call = Task { try await client.send(.get, "/deaf") }
            let stream = try await client.open(.get, "/bytes")
            _ = try await stream.read()
            try await eventually { started.value == 1 }
            trigger.triggerGracefulShutdown()
            run.cancel()
            let answer = try await call.value
            #expect(answer.status == .serviceUnavailable)
            #expect(try answer.problem().retryable)
            #expect(answer.headers[NotStarted.header] == nil)
            await #expect(throws: TruncatedAnswer.self) { while try await stream.read() != nil {} }
            try await run.value
            gate.open()
        }
    }

    @Test func drainsUnderLoad() async throws {
        var router = Router()
        router.on(.get, "/work") { _ in
            try await Task.sleep(for: .milliseconds(5))
            return .text("done")
        }
        let answered = Counter()
        let refused = Counter()
        let other = Counter()
        try await Self.running(router) { server, trigger, run in
            let client = LiveClient(port: server.port)
            let load = Task {
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<8 {
                        group.addTask {
                            // Until it is refused: by then the drain has let everything open finish.
                            while true {
                                do {
                                    let answer = try await client.send(.get, "/work")
                                    (answer.text == "done" ? answered : other).increment()
                                } catch {
                                    refused.increment()
                                    return
                                }
                            }
                        }
                    }
                }
            }
            try await eventually("answers under load", within: .seconds(60)) { answered.value > 50 }
            trigger.triggerGracefulShutdown()
            try await run.value
            await load.value
        }
        // Whoever had an answer had the right one.
        #expect(other.value == 0)
        #expect(refused.value == 8)
    }
}
