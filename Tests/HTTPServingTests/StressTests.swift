import Foundation
import HTTPCore
import HTTPServing
import Lifecycle
import TestSupport
import Testing

/// Cancellation, hang-ups and shutdown under load, again and again: what the thread sanitiser should watch.
///
/// `STRESS_LOOPS` says how often; 10 by default.
@Suite struct StressTests {
    static let loops = ProcessInfo.processInfo.environment["STRESS_LOOPS"].flatMap { Int($0) } ?? 10

    private static func router(_ running: Counter, _ ended: Counter) -> Router {
        var router = Router()
        router.on(.get, "/quick") { _ in .text("quick") }
        router.on(.post, "/work", options: RouteOptions(deadline: .milliseconds(40))) { request in
            running.increment()
            defer { ended.increment() }
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...60)))
            return Response(body: .bytes(request.body))
        }
        router.on(.get, "/events") { _ in
            .eventStream(heartbeat: .milliseconds(3)) { writer in
                running.increment()
                defer { ended.increment() }
                while true {
                    try await writer.send(ServerSentEvent(data: String(repeating: "x", count: 3_000)))
                    try await Task.sleep(for: .milliseconds(1))
                }
            }
        }
        return router
    }

    /// One client's life: some requests, some of which it gives up at a random moment.
    private static func client(_ client: LiveClient) async {
        for _ in 0..<6 {
            let call = Task {
                switch Int.random(in: 0..<3) {
                case 0: _ = try await client.send(.get, "/quick")
                case 1: _ = try await client.send(.post, "/work", json: "body")
                default:
                    let stream = try await client.open(.get, "/events")
                    defer { stream.close() }
                    for _ in 0..<Int.random(in: 0..<20) { _ = try await stream.read() }
                }
            }
            if Bool.random() {
                try? await Task.sleep(for: .milliseconds(Int.random(in: 0...30)))
                call.cancel()
            }
            // Refused and cut-off calls are part of the game; a wrong answer or a crash is not.
            _ = await call.result
        }
    }

    @Test func survivesCancelHangUpAndShutdownUnderLoad() async throws {
        for loop in 0..<Self.loops {
            let running = Counter()
            let ended = Counter()
            let server = HTTPServer(configuration: .init(port: 0), router: Self.router(running, ended))
            try await server.start()
            try await testGracefulShutdown { trigger in
                let run = Task { try await server.run() }
                let port = server.port
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<12 { group.addTask { await Self.client(LiveClient(port: port)) } }
                    group.addTask {
                        try? await Task.sleep(for: .milliseconds(Int.random(in: 5...80)))
                        trigger.triggerGracefulShutdown()
                        guard loop % 2 == 0 else { return }
                        try? await Task.sleep(for: .milliseconds(Int.random(in: 0...20)))
                        run.cancel()
                    }
                }
                try await run.value
            }
            // Every handler that began has ended: nothing was forgotten, whichever way it went.
            try await eventually { running.value == ended.value }
        }
    }

    @Test func survivesTheSameInProcess() async throws {
        for _ in 0..<Self.loops {
            let running = Counter()
            let ended = Counter()
            let client = InProcessClient(Self.router(running, ended))
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<40 {
                    group.addTask {
                        let call = Task { try await client.send(.post, "/work", json: "body") }
                        try? await Task.sleep(for: .milliseconds(Int.random(in: 0...50)))
                        if Bool.random() { call.cancel() }
                        if let answer = try? await call.value { #expect([200, 499, 504].contains(answer.status.code)) }
                    }
                }
            }
            try await eventually { running.value == ended.value }
        }
    }
}
