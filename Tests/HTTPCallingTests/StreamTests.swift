import ConcurrencySupport
import HTTPCalling
import HTTPCore
import TestSupport
import Testing

@Suite struct StreamTests {
    @Test func headComesFirstThenThePiecesAsTheyAreSent() async throws {
        let gate = Gate()
        let server = ScriptedServer { connection in
            try connection.readRequest()
            try connection.write(chunkedHead)
            for piece in ["一", "二", "三"] {
                gate.wait()
                try connection.write(chunk(piece))
            }
            try connection.write("0\r\n\r\n")
        }
        try await withClient { client in
            let stream = try await client.stream(ClientRequest(.get, server.url))
            #expect(stream.status == .ok)
            let pieces = stream.body.makeAsyncIterator()
            for expected in ["一", "二", "三"] {
                gate.open()
                #expect(try await pieces.next().map { String(decoding: $0, as: UTF8.self) } == expected)
            }
            #expect(try await pieces.next() == nil)
            #expect(try await pieces.next() == nil)
        }
    }

    @Test func aCompleteStreamLeavesTheConnectionForTheNextRequest() async throws {
        let server = ScriptedServer(answering: ok("all of it"))
        try await withClient { client in
            for _ in 0..<3 {
                let bytes = try await client.stream(ClientRequest(.get, server.url)).collect()
                #expect(bytes == Array("all of it".utf8))
            }
        }
        #expect(server.connections.count == 1)
    }

    @Test func aCutStreamHandsOutWhatCameAndThenThrows() async throws {
        let server = ScriptedServer { connection in
            try connection.readRequest()
            try connection.write(chunkedHead + chunk("half"))
        }
        try await withClient { client in
            let stream = try await client.stream(ClientRequest(.get, server.url))
            var received: [UInt8] = []
            let (error, _) = try await failure { for try await piece in stream.body { received += piece } }
            #expect(error.kind == .reset)
            #expect(received == Array("half".utf8))
        }
    }

    @Test func aSlowReaderSlowsTheServerAndLosesNothing() async throws {
        let total = 64_000_000
        let server = ScriptedServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            var piece = [UInt8](repeating: 0, count: 100_000)
            for start in stride(from: 0, to: total, by: piece.count) {
                for index in piece.indices { piece[index] = UInt8(truncatingIfNeeded: (start + index) % 251) }
                try connection.write(piece)
            }
        }
        try await withClient { client in
            let idle = Duration.seconds(1)
            let request = ClientRequest(.get, server.url, timeouts: .init(idle: idle), maxResponseBytes: total)
            let stream = try await client.stream(request)
            let connection = try #require(server.connections.first)
            // Longer than the idle time-out: being held back is not being idle.
            var (written, since) = (0, ContinuousClock.now)
            try await eventually("the server is held back") {
                if connection.bytesWritten != written { (written, since) = (connection.bytesWritten, .now) }
                return written > 0 && since.duration(to: .now) > idle * 1.5
            }
            // What the server is ahead of the reader lies in between: mostly in the kernel's socket buffers, and far from the whole.
            #expect(written < 20_000_000)
            var furthestAhead = 0
            var position = 0
            var isIntact = true
            var largest = 0
            for try await piece in stream.body {
                largest = max(largest, piece.count)
                furthestAhead = max(furthestAhead, connection.bytesWritten - position)
                isIntact = isIntact && piece.first == UInt8(truncatingIfNeeded: position % 251)
                position += piece.count
                isIntact = isIntact && piece.last == UInt8(truncatingIfNeeded: (position - 1) % 251)
            }
            #expect(position == total)
            #expect(isIntact)
            #expect(largest <= 96 * 1_024)
            #expect(furthestAhead < 20_000_000)
        }
    }

    @Test func theBodyLimitHoldsForStreams() async throws {
        let server = ScriptedServer { connection in
            try connection.readRequest()
            try connection.write(chunkedHead)
            while true { try connection.write(chunk(String(repeating: "x", count: 100))) }
        }
        try await withClient { client in
            let stream = try await client.stream(ClientRequest(.get, server.url, maxResponseBytes: 1_000))
            let (error, _) = try await failure { _ = try await stream.collect() }
            #expect(error.kind == .responseTooLarge)
        }
    }

    @Test func readsServerSentEvents() async throws {
        let text = ": keep-alive\r\n\r\nid: 7\r\ndata: {\"delta\":\"爆\"}\r\n\r\ndata: [DONE]\n\n"
        let server = ScriptedServer { connection in
            try connection.readRequest()
            try connection.write(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: \(text.utf8.count)\r\n\r\n")
            for byte in text.utf8 { try connection.write([byte]) }
        }
        try await withClient { client in
            var items: [SSEParser.Item] = []
            for try await item in try await client.stream(ClientRequest(.get, server.url)).events { items.append(item) }
            #expect(
                items == [
                    .comment("keep-alive"), .event(.init(id: "7", event: "message", data: "{\"delta\":\"爆\"}")),
                    .event(.init(id: "7", event: "message", data: "[DONE]")),
                ])
        }
    }
}
