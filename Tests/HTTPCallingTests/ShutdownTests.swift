import ConcurrencySupport
import Glibc
import HTTPCalling
import HTTPCore
import Lifecycle
import Observability
import TestSupport
import Testing

@Suite struct ShutdownTests {
    /// `STRESS_LOOPS` in the environment; the sanitiser's run sets 100.
    private static let loops = getenv("STRESS_LOOPS").flatMap { Int(String(cString: $0)) } ?? 10

    @Test func aClientThatWasNeverUsedHasNoThreadToStop() async throws {
        let client = HTTPClient()
        await client.shutdown()
        let (error, _) = try await failure { _ = try await client.send(ClientRequest(.get, "http://127.0.0.1:1/")) }
        #expect(error.kind == .closed)
        #expect(!error.requestMayHaveStarted)
    }

    @Test func shutdownFailsWhatIsUnderWayAndMayBeCalledTwice() async throws {
        let server = ScriptedServer { connection in
            try connection.readRequest()
            try connection.waitForClose()
        }
        let client = HTTPClient()
        let task = Task { try await client.send(ClientRequest(.get, server.url)) }
        try await eventually("the request is there") { server.requests.count == 1 }
        async let first: Void = client.shutdown()
        async let second: Void = client.shutdown()
        _ = await (first, second)
        let (error, _) = try await failure { _ = try await task.value }
        #expect(error.kind == .closed)
        #expect(error.requestMayHaveStarted)
        try await eventually("the server sees the connection close") { server.connections[0].peerClosedAt != nil }
    }

    @Test func runEndsWithGracefulShutdown() async throws {
        let server = ScriptedServer(answering: ok("x"))
        let client = HTTPClient()
        try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await client.run() }
                #expect(try await client.send(ClientRequest(.get, server.url)).status == .ok)
                trigger.triggerGracefulShutdown()
                try await group.waitForAll()
            }
        }
        let (error, _) = try await failure { _ = try await client.send(ClientRequest(.get, server.url)) }
        #expect(error.kind == .closed)
    }

    @Test func aForgottenClientEndsItsThread() async throws {
        let server = ScriptedServer(answering: ok("x"))
        var client: HTTPClient? = HTTPClient()
        _ = try await client?.send(ClientRequest(.get, server.url))
        client = nil
        try await eventually("the kept connection is closed") { server.connections[0].peerClosedAt != nil }
    }

    @Test func attemptsAreMeasured() async throws {
        let server = ScriptedServer(answering: ok("x"))
        let metrics = MetricsRegistry()
        let client = HTTPClient(metrics: metrics)
        _ = try await client.send(ClientRequest(.get, server.url))
        _ = try? await client.send(ClientRequest(.get, "http://127.0.0.1:\(ScriptedServer.unusedPort())/"))
        await client.shutdown()
        let text = metrics.render()
        #expect(text.contains("http_client_attempt_duration_seconds_count{outcome=\"2xx\"} 1"))
        #expect(text.contains("http_client_attempt_duration_seconds_count{outcome=\"connect\"} 1"))
    }

    /// Answers, hangs, streams and dies, while callers come, leave and are shut down: every call ends, each in one of the known ways.
    @Test func shutdownUnderLoad() async throws {
        let turn = Counter()
        let long = Array(
            (chunkedHead + String(repeating: chunk(String(repeating: "x", count: 20_000)), count: 50) + "0\r\n\r\n").utf8)
        let server = ScriptedServer { connection in
            while true {
                try connection.readRequest()
                switch turn.increment() % 7 {
                case 0: try connection.waitForClose()
                case 1: return connection.reset()
                case 2:
                    try connection.write(long)
                case 3: try connection.write(chunkedHead + chunk("half"))
                default: try connection.write(ok("whole"))
                }
            }
        }
        for loop in 0..<Self.loops {
            let client = HTTPClient()
            let outcomes = await withTaskGroup(of: String.self) { group in
                for index in 0..<60 {
                    group.addTask { await Self.call(client, server.url, index) }
                    if index % 5 == 4 { group.addTask { await Self.callAndLeave(client, server.url, after: index) } }
                }
                group.addTask {
                    try? await Task.sleep(for: .milliseconds(5 + loop % 20))
                    await client.shutdown()
                    return "shutdown"
                }
                return await group.reduce(into: [String]()) { $0.append($1) }
            }
            #expect(outcomes.count == 73)
            #expect(outcomes.allSatisfy { ["200", "closed", "reset", "cancelled", "shutdown"].contains($0) }, "\(outcomes)")
        }
    }

    private static func call(_ client: HTTPClient, _ url: String, _ index: Int) async -> String {
        do {
            let request = ClientRequest(index % 2 == 0 ? .get : .post, url)
            guard index % 3 == 0 else { return try await client.send(request).status.description }
            let stream = try await client.stream(request)
            for try await _ in stream.body where index % 2 == 1 { break }
            return stream.status.description
        } catch let error as HTTPClientError {
            return "\(error.kind)"
        } catch {
            return "unexpected \(error)"
        }
    }

    private static func callAndLeave(_ client: HTTPClient, _ url: String, after index: Int) async -> String {
        let task = Task { await call(client, url, index) }
        try? await Task.sleep(for: .microseconds(50 * index))
        task.cancel()
        return await task.value
    }
}
