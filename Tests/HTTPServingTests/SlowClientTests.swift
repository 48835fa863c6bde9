import ConcurrencySupport
import HTTPCore
import HTTPServing
import TestSupport
import Testing

/// Clients that take their time must not hold what others need.
@Suite(.timeLimit(.minutes(5))) struct SlowClientTests {
    @Test func requestsThatDoNotComeToTheirEndAreEnded() async throws {
        let gate = Gate()
        var router = Router()
        router.on(.post, "/echo") { .text("\($0.body.count)") }
        router.on(.get, "/slow") { _ in
            await gate.wait()
            return .text("done")
        }
        let configuration = HTTPServer.Configuration(port: 0, receiveTimeout: .milliseconds(200))
        try await LiveServer.serving(router, configuration: configuration) { server in
            // The server's own slowness is not the client's.
            async let slow = LiveClient(port: server.port).send(.get, "/slow")
            for unfinished in [
                "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Le", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab",
            ] {
                await #expect(throws: (any Error).self) {
                    try await LiveClient(port: server.port).send(raw: Array(unfinished.utf8))
                }
            }
            gate.open()
            let answer = try await slow
            #expect(answer.text == "done")
        }
    }

    @Test func largeBodiesHaveSoMuchRoomTogether() async throws {
        var router = Router()
        router.on(.post, "/echo", options: RouteOptions(maxBodyBytes: 100_000)) { .text("\($0.body.count)") }
        let configuration = HTTPServer.Configuration(port: 0, maxBufferedBytes: 50_000)
        try await LiveServer.serving(router, configuration: configuration) { server in
            let client = LiveClient(port: server.port)
            let head = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n"
            func hold() -> Task<TestResponse, any Error> {
                Task {
                    try await LiveClient(port: server.port).send(raw: Array(head.utf8) + [UInt8](repeating: 0, count: 40_000))
                }
            }
            var held = hold()
            let large = [UInt8](repeating: 0, count: 30_000)
            try await eventually("there is no room for another large one", within: .seconds(120)) {
                let answer = try await client.send(.post, "/echo", body: large)
                if answer.status == .serviceUnavailable {
                    return answer.text.contains("service.overloaded") && answer.headers["Retry-After"] != nil
                }
                // It took the room before the held one came, which is refused then, and waits to be told so.
                held.cancel()
                held = hold()
                return false
            }
            #expect(try await client.send(.post, "/echo", body: [UInt8](repeating: 0, count: 10_000)).text == "10000")
            held.cancel()
            try await eventually("the room is free again", within: .seconds(120)) {
                try await client.send(.post, "/echo", body: large).text == "30000"
            }
        }
    }

    @Test func whoLeavesAmidABodyHoldsNothing() async throws {
        var router = Router()
        router.on(.post, "/echo", options: RouteOptions(maxBodyBytes: 100_000)) { .text("\($0.body.count)") }
        // Only for this: nobody is late within the test.
        let configuration = HTTPServer.Configuration(port: 0, receiveTimeout: .seconds(600), maxBufferedBytes: 50_000)
        try await LiveServer.serving(router, configuration: configuration) { server in
            let unfinished =
                "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n" + String(repeating: "x", count: 40_000)
            for _ in 0..<50 { LiveProbe.send(Array(unfinished.utf8), andLeave: server.port) }
            let large = [UInt8](repeating: 0, count: 45_000)
            try await eventually("nothing is held", within: .seconds(120)) {
                try await LiveClient(port: server.port).send(.post, "/echo", body: large).text == "45000"
            }
        }
    }
}
