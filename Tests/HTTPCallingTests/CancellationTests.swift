import ConcurrencySupport
import HTTPCalling
import HTTPCore
import TestSupport
import Testing

/// Cancelling removes the transfer in whatever state it is: the caller is told `cancelled`, the server sees its connection close.
@Suite struct CancellationTests {
    private func cancel(
        _ task: Task<Void, any Error>, started: Bool, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let (error, after) = try await failure(sourceLocation: sourceLocation) {
            task.cancel()
            try await task.value
        }
        #expect(error.kind == .cancelled, sourceLocation: sourceLocation)
        #expect(error.requestMayHaveStarted == started, sourceLocation: sourceLocation)
        #expect(after < .seconds(20), sourceLocation: sourceLocation)
    }

    private func expectClosed(_ server: ScriptedServer, _ start: ContinuousClock.Instant) async throws {
        try await eventually("the server sees the connection close") { server.connections.last?.peerClosedAt != nil }
        let closedAt = try #require(server.connections.last?.peerClosedAt)
        #expect(closedAt - start < .seconds(5))
    }

    @Test func beforeTheStart() async throws {
        let server = ScriptedServer(answering: ok("x"))
        try await withClient { client in
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                _ = try await client.send(ClientRequest(.get, server.url))
            }
            try await cancel(task, started: false)
        }
        #expect(server.connections.isEmpty)
    }

    @Test func whileConnecting() async throws {
        let hole = DeafListener()
        try await withClient { client in
            let task = Task { _ = try await client.send(ClientRequest(.get, hole.url)) }
            try await Task.sleep(for: .milliseconds(30))
            try await cancel(task, started: false)
        }
    }

    @Test func whileWaitingForTheAnswer() async throws {
        let server = ScriptedServer { connection in
            try connection.readRequest()
            try connection.waitForClose()
        }
        try await withClient { client in
            let task = Task { _ = try await client.send(ClientRequest(.post, server.url, body: .bytes([1]))) }
            try await eventually("the request is there") { server.requests.count == 1 }
            let start = ContinuousClock.now
            try await cancel(task, started: true)
            try await expectClosed(server, start)
        }
    }

    @Test func inTheMiddleOfTheBody() async throws {
        let server = ScriptedServer { connection in
            try connection.readRequest()
            try connection.write(chunkedHead + chunk("some"))
            try connection.waitForClose()
        }
        try await withClient { client in
            let task = Task { _ = try await client.send(ClientRequest(.get, server.url)) }
            try await eventually("the answer has begun") { server.connections.first?.bytesWritten ?? 0 > 0 }
            let start = ContinuousClock.now
            try await cancel(task, started: true)
            try await expectClosed(server, start)
        }
    }

    @Test func whileUploading() async throws {
        let server = ScriptedServer { connection in
            try connection.readSlowly(pause: 50, atLeast: .max)
        }
        try await withClient { client in
            let body = [UInt8](repeating: 7, count: 30_000_000)
            let task = Task { _ = try await client.send(ClientRequest(.put, server.url, body: .bytes(body))) }
            try await eventually("the connection is there") { server.connections.count == 1 }
            try await Task.sleep(for: .milliseconds(50))
            try await cancel(task, started: true)
        }
    }

    @Test func whileReadingAStream() async throws {
        let server = ScriptedServer { connection in
            try connection.readRequest()
            try connection.write(chunkedHead + chunk("some"))
            try connection.waitForClose()
        }
        try await withClient { client in
            let firstPiece = OneShot<Void>()
            let task = Task {
                for try await _ in try await client.stream(ClientRequest(.get, server.url)).body { firstPiece.succeed() }
            }
            try await firstPiece.value()
            let start = ContinuousClock.now
            try await cancel(task, started: true)
            try await expectClosed(server, start)
        }
    }

    @Test func byDroppingAStream() async throws {
        let server = ScriptedServer { connection in
            try connection.readRequest()
            try connection.write(chunkedHead + chunk("some"))
            try connection.waitForClose()
        }
        try await withClient { client in
            var stream: StreamingResponse? = try await client.stream(ClientRequest(.get, server.url))
            #expect(stream?.status == .ok)
            let start = ContinuousClock.now
            stream = nil
            try await expectClosed(server, start)
        }
    }

    @Test func byDroppingAStreamThatIsHeldBack() async throws {
        let server = ScriptedServer { connection in
            try connection.readRequest()
            try connection.write(chunkedHead)
            while true { try connection.write(chunk(String(repeating: "x", count: 60_000))) }
        }
        try await withClient { client in
            var stream: StreamingResponse? = try await client.stream(ClientRequest(.get, server.url))
            #expect(stream?.status == .ok)
            try await eventually("the server fills the pipe") { server.connections[0].bytesWritten > 100_000 }
            stream = nil
            try await eventually("the server sees the connection close") { server.connections[0].peerClosedAt != nil }
        }
    }

    @Test func betweenTwoAttempts() async throws {
        let server = ScriptedServer(answering: "HTTP/1.1 503 Busy\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n")
        try await withClient { client in
            let task = Task {
                _ = try await client.send(ClientRequest(.get, server.url, deadline: .after(.seconds(60)), retry: .standard))
            }
            try await eventually("the first attempt was answered") { server.connections.first?.bytesWritten ?? 0 > 0 }
            try await Task.sleep(for: .milliseconds(50))
            try await cancel(task, started: true)
        }
        #expect(server.requests.count == 1)
    }
}
