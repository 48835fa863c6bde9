import ConcurrencySupport
import Foundation
import HTTPCore
import HTTPServing
import TestSupport
import Testing

@Suite struct StreamingTests {
    private struct Broken: Error {}

    @Test(arguments: Place.allCases) func sendsEventsAndHeartbeats(_ place: Place) async throws {
        let gate = Gate()
        var router = Router()
        router.on(.get, "/events") { _ in
            .eventStream(heartbeat: .milliseconds(20)) { writer in
                try await writer.send(ServerSentEvent(id: "7", event: "draft\nid: 8", data: "one\ntwo\r\nthree"))
                await gate.wait()
                try await writer.send(ServerSentEvent(data: "秋"))
            }
        }
        try await place.serving(router) { client in
            let stream = try await client.open(.get, "/events")
            #expect(stream.headers["Content-Type"] == "text/event-stream")
            #expect(stream.headers["Cache-Control"] == "no-store")
            var text = ""
            while text.components(separatedBy: ": heartbeat\n\n").count <= 3 {
                text += String(decoding: try #require(try await stream.read()), as: UTF8.self)
            }
            gate.open()
            while let piece = try await stream.read() { text += String(decoding: piece, as: UTF8.self) }
            // A line break in a name must not forge a field.
            #expect(text.contains("id: 7\nevent: draftid: 8\ndata: one\ndata: two\ndata: three\n\n"))
            #expect(text.contains("\n\ndata: 秋\n\n"))
        }
    }

    @Test func theHeadOfAStreamEndsItsConnection() async throws {
        var router = Router()
        router.on(.get, "/events") { _ in .eventStream(heartbeat: .seconds(20)) { _ in } }
        try await LiveServer.serving(router) { server in
            // What the library sends after the head would be taken for the beginning of the next answer.
            let answer = try await LiveClient(port: server.port).send(.head, "/events")
            #expect(answer.status == .ok && answer.headers["Connection"]?.lowercased() == "close")
        }
    }

    @Test(arguments: Place.allCases) func holdsAFastWriterBack(_ place: Place) async throws {
        let written = Counter()
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 16 * 1024)
        var router = Router()
        router.on(.get, "/fast") { _ in
            Response(
                body: .stream { writer in
                    for _ in 0..<1_000 {
                        try await writer.write(piece)
                        written.increment()
                    }
                })
        }
        try await place.serving(router) { client in
            let stream = try await client.open(.get, "/fast")
            // Nobody reads: the writer comes to rest with the pipe and the sockets' buffers full, far from the end.
            var last = -1
            try await eventually { written.value > 0 }
            while written.value != last {
                last = written.value
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(last < 700)
            var count = 0
            while let bytes = try await stream.read() { count += bytes.count }
            #expect(count == 1_000 * piece.count)
        }
        #expect(written.value == 1_000)
    }

    @Test(arguments: Place.allCases) func cutsOffVisiblyWhenTheWriterFails(_ place: Place) async throws {
        var router = Router()
        router.on(.get, "/cut") { _ in
            Response(
                body: .stream { writer in
                    try await writer.write(Array("half".utf8))
                    throw Broken()
                })
        }
        try await place.serving(router) { client in
            let stream = try await client.open(.get, "/cut")
            await #expect(throws: TruncatedAnswer.self) {
                while try await stream.read() != nil {}
            }
        }
    }

    @Test(arguments: Place.allCases) func cancelsTheStreamWhenTheClientLeaves(_ place: Place) async throws {
        let cancelled = Counter()
        var router = Router()
        router.on(.get, "/events") { _ in
            .eventStream { writer in
                try await writer.send(ServerSentEvent(data: "first"))
                try await waitForCancellation(cancelled)
            }
        }
        try await place.serving(router) { client in
            let stream = try await client.open(.get, "/events")
            _ = try await stream.read(until: "data: first\n\n")
            stream.close()
            try await eventually { cancelled.value == 1 }
        }
    }

    @Test(arguments: Place.allCases) func failsAWriterThatWaitsForAClientWhoLeft(_ place: Place) async throws {
        let failures = Lock<[String]>([])
        var router = Router()
        router.on(.get, "/endless") { _ in
            Response(
                body: .stream { writer in
                    do {
                        while true { try await writer.write([UInt8](repeating: 1, count: 10_000)) }
                    } catch {
                        failures.withLock { $0.append("\(type(of: error))") }
                        throw error
                    }
                })
        }
        try await place.serving(router) { client in
            let stream = try await client.open(.get, "/endless")
            _ = try await stream.read()
            stream.close()
            try await eventually { failures.withLock { $0.count } == 1 }
        }
        #expect(failures.withLock { $0 == ["ClientLeft"] || $0 == ["CancellationError"] })
    }

    @Test(arguments: Place.allCases) func sendsLargeBodiesWhole(_ place: Place) async throws {
        let body = (0..<1_500_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var router = Router()
        router.on(.get, "/large") { _ in Response(body: .bytes(body)) }
        router.on(.post, "/echo", options: RouteOptions(maxBodyBytes: 2_000_000)) { Response(body: .bytes($0.body)) }
        try await place.serving(router) { client in
            let large = try await client.send(.get, "/large")
            #expect(large.body == body)
            let echo = try await client.send(.post, "/echo", body: body)
            #expect(echo.body == body)
            #expect(echo.headers["Content-Length"] == "1500000")
        }
    }
}
