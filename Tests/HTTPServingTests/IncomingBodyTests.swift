import ConcurrencySupport
import Foundation
import HTTPCore
import Lifecycle
import TestSupport
import Testing

@testable import HTTPServing

/// Bodies that a handler takes as they come.
@Suite struct IncomingBodyTests {
    private static let options = RouteOptions(maxBodyBytes: 32 << 20, streamsBody: true)

    @Test(arguments: Place.allCases) func bringsTheWholeBodyInPieces(_ place: Place) async throws {
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 13) }
        let longest = Lock(0)
        var router = Router()
        router.on(.put, "/taken", options: Self.options) { request in
            #expect(place == .inProcess || request.body.isEmpty)
            var bytes: [UInt8] = []
            let incoming = request.incoming
            while let piece = try await incoming.next() {
                longest.withLock { $0 = max($0, piece.count) }
                bytes += piece
            }
            return .text(bytes == body ? "same" : "\(bytes.count) of \(body.count)")
        }
        try await place.serving(router) { client in
            for _ in 0..<3 {
                let answer = try await client.send(.put, "/taken", body: body)
                #expect(answer.text == "same")
            }
            let empty = try await client.send(.put, "/taken")
            #expect(empty.text == "0 of 3000000")
        }
        if place == .live { #expect(longest.withLock { $0 } <= BodyIntake.capacity + 64 * 1024) }
    }

    @Test func takesChunkedBodies() async throws {
        var router = Router()
        router.on(.put, "/taken", options: Self.options) { request in
            var text = ""
            let incoming = request.incoming
            while let piece = try await incoming.next() { text += String(decoding: piece, as: UTF8.self) }
            return .text(text)
        }
        try await LiveServer.serving(router) { server in
            let head = "PUT /taken HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            let answer = try await LiveClient(port: server.port).send(
                raw: Array((head + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").utf8))
            #expect(answer.text == "abcde")
            // Many small chunks, more than there is room for.
            let chunk = "1000\r\n" + String(repeating: "x", count: 4_096) + "\r\n"
            let many = head + String(repeating: chunk, count: 300) + "0\r\n\r\n"
            let answer1 = try await LiveClient(port: server.port).send(raw: Array(many.utf8))
            #expect(answer1.text.utf8.count == 300 * 4_096)
        }
    }

    @Test func holdsAFastSenderBack() async throws {
        let woken = Counter()
        let intake = BodyIntake()
        let piece = [UInt8](repeating: 7, count: 100 * 1024)
        func append() -> Bool { piece.withUnsafeBytes { intake.append($0) { woken.increment() } } }
        #expect(!intake.isWanted { woken.increment() })
        #expect(append() && append() && !append())
        #expect(woken.value == 0)
        #expect(try await intake.next()?.count == 300 * 1024)
        #expect(woken.value == 1)
        #expect(intake.isWanted {})
        #expect(append())
        intake.finish()
        #expect(try await intake.next()?.count == piece.count)
        #expect(try await intake.next() == nil)
    }

    @Test func aSlowHandlerLosesNothing() async throws {
        let gate = Gate()
        let started = Counter()
        var router = Router()
        router.on(.put, "/slow", options: Self.options) { request in
            started.increment()
            // The connection rests meanwhile, with the sender at the end of the socket's buffers.
            await gate.wait()
            var count = 0
            let incoming = request.incoming
            while let piece = try await incoming.next() { count += piece.count }
            return .text("\(count)")
        }
        try await LiveServer.serving(router) { server in
            let client = LiveClient(port: server.port)
            let call = Task { try await client.send(.put, "/slow", body: [UInt8](repeating: 1, count: 8_000_000)) }
            try await eventually { started.value == 1 }
            gate.open()
            let answer = try await call.value
            #expect(answer.text == "8000000")
        }
    }

    @Test func anAnswerBeforeTheBodyReachesItsClient() async throws {
        var router = Router()
        router.on(.put, "/refused", options: Self.options) { _ in throw Forbidden() }
        router.on(.put, "/late", options: Self.options) { request in
            _ = try await request.incoming.next()
            throw Forbidden()
        }
        try await LiveServer.serving(router) { server in
            let client = LiveClient(port: server.port)
            for path in ["/refused", "/late"] {
                let answer2 = try await client.send(.put, path, body: [UInt8](repeating: 0, count: 3 << 20))
                #expect(answer2.status == .forbidden)
            }
            // Whoever asks first is told before sending anything.
            let head = "PUT /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n"
            let answer = try await client.send(raw: Array(head.utf8))
            #expect(answer.status == .forbidden)
            #expect(answer.headers["Connection"]?.lowercased() == "close")
        }
    }

    @Test func keepsTheRoutesLimit() async throws {
        let failures = Lock<[String]>([])
        var router = Router()
        router.on(.put, "/small", options: RouteOptions(maxBodyBytes: 1_000, streamsBody: true)) { request in
            let incoming = request.incoming
            do {
                while try await incoming.next() != nil {}
            } catch {
                failures.withLock { $0.append("\(type(of: error))") }
                throw error
            }
            return .noContent
        }
        try await LiveServer.serving(router) { server in
            let client = LiveClient(port: server.port)
            let answer3 = try await client.send(.put, "/small", body: [UInt8](repeating: 0, count: 1_001))
            #expect(answer3.status == .contentTooLarge)
            #expect(failures.withLock { $0 } == [])
            let chunked = "PUT /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n"
            let bytes = Array(chunked.utf8) + [UInt8](repeating: 0, count: 2_048) + Array("\r\n0\r\n\r\n".utf8)
            let answer4 = try await client.send(raw: bytes)
            #expect(answer4.status == .contentTooLarge)
            #expect(failures.withLock { $0 } == ["ContentTooLarge"])
            let answer5 = try await client.send(.put, "/small", body: [UInt8](repeating: 0, count: 1_000))
            #expect(answer5.status == .noContent)
        }
    }

    @Test func aHandlerHearsThatItsClientLeft() async throws {
        let started = Counter()
        let failures = Lock<[String]>([])
        var router = Router()
        router.on(.put, "/cut", options: Self.options) { request in
            let incoming = request.incoming
            do {
                while let piece = try await incoming.next() { if !piece.isEmpty { started.increment() } }
            } catch {
                failures.withLock { $0.append("\(type(of: error))") }
                throw error
            }
            return .noContent
        }
        try await LiveServer.serving(router) { server in
            let client = LiveClient(port: server.port)
            let head = "PUT /cut HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf"
            let call = Task { try await client.send(raw: Array(head.utf8)) }
            try await eventually { started.value == 1 }
            call.cancel()
            try await eventually { failures.withLock { $0.count } == 1 }
            _ = await call.result
        }
        #expect(failures.withLock { $0 == ["ClientLeft"] || $0 == ["CancellationError"] })
    }

    @Test func aDrainThatIsCutShortLeavesNoBodyBehind() async throws {
        let started = Counter()
        let ended = Counter()
        var router = Router()
        router.on(.put, "/cut", options: Self.options) { request in
            defer { ended.increment() }
            let incoming = request.incoming
            while try await incoming.next() != nil { started.increment() }
            return .noContent
        }
        let server = HTTPServer(configuration: .init(port: 0), router: router)
        try await server.start()
        try await testGracefulShutdown { trigger in
            let run = Task { try await server.run() }
            let client = LiveClient(port: server.port)
            let head = "PUT /cut HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf"
            let call = Task { try await client.send(raw: Array(head.utf8)) }
            try await eventually { started.value == 1 }
            trigger.triggerGracefulShutdown()
            run.cancel()
            try await run.value
            try await eventually { ended.value == 1 }
            await #expect(throws: (any Error).self) { try await call.value }
        }
    }
}
