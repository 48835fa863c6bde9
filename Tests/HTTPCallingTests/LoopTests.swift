import ConcurrencySupport
import Glibc
import HTTPCalling
import HTTPCore
import TestSupport
import Testing

/// Calls made on an event loop.
@Suite struct LoopTests {
    private static func on<Value: Sendable>(
        _ loop: EventLoop, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await Task(executorPreference: loop) { try await body() }.value
    }

    private static func withGroup<Value>(_ count: Int, _ body: (EventLoopGroup) async throws -> Value) async throws -> Value {
        let group = try EventLoopGroup(count: count, name: "calling")
        defer { group.shutdown() }
        return try await body(group)
    }

    @Test func aRequestIsOnItsWayBeforeTheLoopDoesAnythingElse() async throws {
        let server = ScriptedServer(answering: ok("x"))
        try await Self.withGroup(1) { group in
            let (loop, client) = (group.loops[0], HTTPClient(loops: group))
            let statuses = try await Self.on(loop) {
                var statuses: [Int] = []
                for _ in 0..<20 {
                    statuses.append(try await client.send(ClientRequest(.get, server.url)).status.code)
                    #expect(loop.isCurrent)
                }
                return statuses
            }
            #expect(statuses == Array(repeating: 200, count: 20))
            #expect(server.connections.count == 1)
            await client.shutdown()
        }
    }

    @Test func eachLoopKeepsConnectionsOfItsOwn() async throws {
        let server = ScriptedServer(answering: ok("x"))
        try await Self.withGroup(3) { group in
            let client = HTTPClient(loops: group)
            for _ in 0..<5 {
                for loop in group.loops {
                    _ = try await Self.on(loop) { try await client.send(ClientRequest(.get, server.url)) }
                }
            }
            #expect(server.connections.count == 3)
            #expect(server.connections.allSatisfy { $0.requests.count == 5 })
            await client.shutdown()
        }
        try await eventually("all connections close with the client") {
            server.connections.allSatisfy { $0.peerClosedAt != nil }
        }
    }

    @Test func streamsAreReadWithoutLeavingTheLoop() async throws {
        let body = String(repeating: "0123456789", count: 30_000)
        let server = ScriptedServer { connection in
            while true {
                try connection.readRequest()
                try connection.write(chunkedHead)
                for _ in 0..<3 { try connection.write(chunk(body)) }
                try connection.write("0\r\n\r\n")
            }
        }
        try await Self.withGroup(1) { group in
            let (loop, client) = (group.loops[0], HTTPClient(loops: group))
            let count = try await Self.on(loop) {
                var count = 0
                for try await piece in try await client.stream(ClientRequest(.get, server.url)).body {
                    count += piece.count
                    #expect(loop.isCurrent)
                }
                return count
            }
            #expect(count == 900_000)
            await client.shutdown()
        }
    }

    @Test func aCancelledCallClosesItsConnectionAndLeavesTheOthers() async throws {
        let server = ScriptedServer { connection in
            while true {
                let request = try connection.readRequest()
                if request.head.contains("/hang") { try connection.waitForClose() }
                try connection.write(ok("x"))
            }
        }
        try await Self.withGroup(1) { group in
            let (loop, client) = (group.loops[0], HTTPClient(loops: group))
            let hanging = Task(executorPreference: loop) { try await client.send(ClientRequest(.get, server.url + "/hang")) }
            try await eventually("the request is there") { server.requests.count == 1 }
            let others = try await Self.on(loop) {
                _ = try await client.send(ClientRequest(.get, server.url + "/a"))
                hanging.cancel()
                return try await client.send(ClientRequest(.get, server.url + "/b")).status
            }
            #expect(others == .ok)
            let (error, _) = try await failure { _ = try await hanging.value }
            #expect(error.kind == .cancelled)
            try await eventually("its connection closes") {
                server.connections.contains { $0.requests.contains { $0.head.contains("/hang") } && $0.peerClosedAt != nil }
            }
            #expect(server.connections.count == 2)
            await client.shutdown()
        }
    }

    @Test func aLoopThatWasHeldUpFindsWhatHasComeMeanwhile() async throws {
        let (heldUp, written) = (Gate(), Gate())
        let server = ScriptedServer { connection in
            try connection.readRequest()
            try connection.write(chunkedHead)
            heldUp.wait()
            try connection.write(chunk("here") + "0\r\n\r\n")
            written.open()
            try connection.waitForClose()
        }
        try await Self.withGroup(1) { group in
            let (loop, client) = (group.loops[0], HTTPClient(loops: group))
            let body = try await Self.on(loop) {
                let request = ClientRequest(.get, server.url, timeouts: .init(idle: .milliseconds(150)))
                let answer = try await client.stream(request)
                // From here on the loop stands still until the time is up; what was written waits in the socket.
                heldUp.open()
                written.wait()
                usleep(200_000)
                return try await answer.collect()
            }
            #expect(body == Array("here".utf8))
            await client.shutdown()
        }
    }

    @Test func whatComesOnAKeptConnectionBetweenTwoRequestsDoesNotKeepTheLoopBusy() async throws {
        let closes = Gate()
        let server = ScriptedServer { connection in
            try connection.readRequest()
            try connection.write(ok("x"))
            closes.wait()
        }
        try await Self.withGroup(1) { group in
            let (loop, client) = (group.loops[0], HTTPClient(loops: group))
            _ = try await Self.on(loop) { try await client.send(ClientRequest(.get, server.url)) }
            closes.open()
            // The end of the kept connection arrives; the next request must not go there, and the loop must still turn.
            for _ in 0..<5 {
                let status = try await Self.on(loop) {
                    closes.open()
                    return try await client.send(ClientRequest(.get, server.url)).status
                }
                #expect(status == .ok)
            }
            await client.shutdown()
        }
    }
}
