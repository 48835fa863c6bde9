import HTTPCore
import HTTPServing
import Testing

/// What only a real socket can show.
@Suite struct WireTests {
    private static func router() -> Router {
        var router = Router()
        router.on(.post, "/echo", options: RouteOptions(maxBodyBytes: 1_000)) { .text("\($0.path) \($0.body.count)") }
        router.on(.get, "/path/{name}") { .text("\($0.path) \(try $0.parameters.string("name")) \($0.peerAddress)") }
        return router
    }

    private static func serving(_ body: @escaping @Sendable (LiveClient) async throws -> Void) async throws {
        try await LiveServer.serving(router()) { try await body(LiveClient(port: $0.port)) }
    }

    @Test(arguments: [
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 0\r\n\r\n",
        "OPTIONS /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\nab",
    ]) func refusesAmbiguousFramingAndCloses(_ request: String) async throws {
        try await Self.serving { client in
            // A second request behind it must not be taken for one.
            let second = "GET /path/smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
            let answer = try await client.send(raw: Array((request + second).utf8))
            // A number with a sign is refused by the library itself.
            #expect(answer.status == .badRequest && (answer.headers["X-Request-Id"] != nil || request.contains("+2")))
            #expect(answer.headers["Connection"]?.lowercased() == "close")
            #expect(!answer.text.contains("smuggled"))
        }
    }

    @Test func takesChunkedBodiesAndKeepsTheConnection() async throws {
        try await Self.serving { client in
            let chunked = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
            let answer = try await client.send(raw: Array(chunked.utf8))
            #expect(answer.text == "/echo 5")
        }
    }

    @Test func seesTheRawPath() async throws {
        try await Self.serving { client in
            let answer = try await client.send(.get, "/path/a%2Fb%3F")
            #expect(answer.text == "/path/a%2Fb%3F a/b? 127.0.0.1")
            // The library itself would have cut this at the zero.
            let cut = try await client.send(.get, "/path/a%00b")
            #expect(cut.status == .notFound)
        }
    }

    @Test func readsARefusedUploadBeforeItAnswers() async throws {
        try await Self.serving { client in
            let body = [UInt8](repeating: 0, count: 10 << 20)
            let answer = try await client.send(.post, "/echo", body: body)
            #expect(answer.status == .contentTooLarge && answer.headers["X-Request-Id"] != nil)
            let chunked = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n"
            let bytes = Array(chunked.utf8) + [UInt8](repeating: 0, count: 1 << 20) + Array("\r\n0\r\n\r\n".utf8)
            let second = try await client.send(raw: bytes)
            #expect(second.status == .contentTooLarge)
        }
    }

    @Test func answersExpectContinueAtOnceWhereTheBodyIsTooLong() async throws {
        try await Self.serving { client in
            let head = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n"
            let answer = try await client.send(raw: Array(head.utf8))
            #expect(answer.status == .contentTooLarge && answer.headers["X-Request-Id"] != nil)
            #expect(answer.headers["Connection"]?.lowercased() == "close")
        }
    }

    @Test func refusesLongHeaders() async throws {
        try await Self.serving { client in
            let long = String(repeating: "x", count: 8_200)
            let answer = try await client.send(.get, "/path/a", headers: ["X-Long": long])
            #expect(answer.status == .headerFieldsTooLarge)
            #expect(try answer.problem().code == "request.headers_too_large")
            // Beyond the connection's memory the library answers itself.
            let huge = try await client.send(.get, "/path/a", headers: ["X-Long": String(repeating: "x", count: 60_000)])
            #expect(huge.status == .headerFieldsTooLarge || huge.status == .contentTooLarge)
        }
    }

    @Test func neverSendsABrokenHeader() async throws {
        var router = Router()
        router.on(.get, "/") { _ in Response(.noContent, headers: ["X-A": "a\r\nX-Forged: 1", "X-B": "b"]) }
        try await LiveServer.serving(router) { server in
            let answer = try await LiveClient(port: server.port).send(.get, "/")
            #expect(answer.status == .noContent)
            #expect(answer.headers["X-Forged"] == nil)
            #expect(answer.headers["X-B"] == "b")
        }
    }

    @Test func saysWhereItCannotListen() async throws {
        try await LiveServer.serving(Self.router()) { server in
            let second = HTTPServer(configuration: .init(port: server.port), router: Self.router())
            await #expect(throws: ListenError.self) { try await second.start() }
        }
        let nowhere = HTTPServer(configuration: .init(host: "no.such.host", port: 0), router: Self.router())
        await #expect(throws: ListenError.self) { try await nowhere.start() }
    }
}
