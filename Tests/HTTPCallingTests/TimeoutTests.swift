import ConcurrencySupport
import HTTPCalling
import HTTPCore
import Observability
import TestSupport
import Testing

@Suite struct TimeoutTests {
    private let quickConnect = ClientRequest.Timeouts(connect: .milliseconds(150))
    private let quickFirstByte = ClientRequest.Timeouts(connect: .seconds(60), firstByte: .milliseconds(150))
    private let quickIdle = ClientRequest.Timeouts(connect: .seconds(60), idle: .milliseconds(150))

    @Test func connect() async throws {
        let hole = DeafListener()
        let (error, after) = try await failure {
            _ = try await withClient { try await $0.send(ClientRequest(.get, hole.url, timeouts: quickConnect)) }
        }
        #expect(error.kind == .timeout(.connect))
        #expect(!error.requestMayHaveStarted)
        #expect((.milliseconds(150)..<(.seconds(30))).contains(after))
    }

    @Test func waitingForAFreeConnectionCountsAsConnecting() async throws {
        let server = ScriptedServer { connection in
            try connection.readRequest()
            try connection.waitForClose()
        }
        try await withClient(.init(maxConnectionsPerHost: 1)) { client in
            let busy = Task { try await client.send(ClientRequest(.get, server.url)) }
            try await eventually("the one connection is taken") { server.requests.count == 1 }
            let (error, _) = try await failure {
                _ = try await client.send(ClientRequest(.get, server.url, timeouts: quickConnect))
            }
            #expect(error.kind == .timeout(.connect))
            #expect(!error.requestMayHaveStarted)
            busy.cancel()
            _ = await busy.result
        }
    }

    @Test func firstByte() async throws {
        let server = ScriptedServer { connection in
            try connection.readRequest()
            try connection.waitForClose()
        }
        try await withClient { client in
            let (error, after) = try await failure {
                _ = try await client.send(ClientRequest(.get, server.url, timeouts: quickFirstByte))
            }
            #expect(error.kind == .timeout(.firstByte))
            #expect(error.requestMayHaveStarted)
            #expect((.milliseconds(150)..<(.seconds(30))).contains(after))
            try await eventually("the server sees the connection close") { server.connections[0].peerClosedAt != nil }
        }
    }

    @Test func idle() async throws {
        let server = ScriptedServer { connection in
            try connection.readRequest()
            try connection.write(chunkedHead + chunk("some"))
            try connection.waitForClose()
        }
        try await withClient { client in
            let (error, _) = try await failure { _ = try await client.send(ClientRequest(.get, server.url, timeouts: quickIdle)) }
            #expect(error.kind == .timeout(.idle))
            let stream = try await client.stream(ClientRequest(.get, server.url, timeouts: quickIdle))
            var received: [UInt8] = []
            let (streamError, _) = try await failure { for try await piece in stream.body { received += piece } }
            #expect(streamError.kind == .timeout(.idle))
            #expect(received == Array("some".utf8))
        }
    }

    @Test func totalWinsOverASlowButSteadyAnswer() async throws {
        let server = ScriptedServer { connection in
            try connection.readRequest()
            try connection.write(chunkedHead)
            while true {
                try connection.write(chunk("x"))
                _ = try? connection.pause(milliseconds: 20)
            }
        }
        try await withClient { client in
            let request = ClientRequest(
                .get, server.url, deadline: .after(.milliseconds(500)), timeouts: .init(idle: .seconds(10)))
            let (error, after) = try await failure { _ = try await client.send(request) }
            #expect(error.kind == .timeout(.total))
            #expect((.milliseconds(450)..<(.seconds(30))).contains(after))
        }
    }

    @Test func pastDeadlineSendsNothing() async throws {
        let server = ScriptedServer(answering: ok("x"))
        try await withClient { client in
            let (error, _) = try await failure {
                _ = try await client.send(ClientRequest(.get, server.url, deadline: .after(.zero)))
            }
            #expect(error.kind == .timeout(.total))
            #expect(!error.requestMayHaveStarted)
        }
        #expect(server.connections.isEmpty)
    }

    @Test func theCallContextsDeadlineCounts() async throws {
        let server = ScriptedServer { connection in
            try connection.readRequest()
            try connection.waitForClose()
        }
        try await withClient { client in
            let context = CallContext(requestId: "request-1", deadline: .now + .milliseconds(200))
            let (error, _) = try await failure {
                try await CallContext.$current.withValue(context) {
                    _ = try await client.send(ClientRequest(.get, server.url, deadline: .after(.seconds(60))))
                }
            }
            #expect(error.kind == .timeout(.total))
        }
    }

    @Test func aMovingUploadIsNotASilentServer() async throws {
        let server = ScriptedServer { connection in
            // Some 4 s; what lies in the kernel's buffers when the client has written it all takes a tenth of it.
            try connection.readSlowly(pause: 6, atLeast: 40_000_000)
            try connection.write(ok("stored"))
            try connection.waitForClose()
        }
        try await withClient { client in
            let request = ClientRequest(
                .put, server.url, body: .bytes([UInt8](repeating: 1, count: 40_000_000)),
                timeouts: .init(connect: .seconds(60), firstByte: .milliseconds(2_500)))
            let answer = try await client.send(request)
            #expect(answer.status == .ok)
        }
    }
}
