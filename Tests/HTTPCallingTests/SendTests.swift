import ConcurrencySupport
import HTTPCalling
import HTTPCore
import TestSupport
import Testing

@Suite struct SendTests {
    @Test func answersWithStatusHeadersAndBody() async throws {
        let server = ScriptedServer(answering: "HTTP/1.1 201 Created\r\nContent-Length: 5\r\nX-Two: a\r\nX-Two:  b \r\n\r\nhello")
        try await withClient { client in
            let answer = try await client.send(
                ClientRequest(
                    .post, server.url + "/v1/things?x=%20", headers: ["Content-Type": "application/json", "X-Empty": ""],
                    body: .bytes(Array("{}".utf8))))
            #expect(answer.status == .created)
            #expect(answer.headers.values(of: "x-two") == ["a", "b"])
            #expect(answer.body == Array("hello".utf8))
        }
        let request = try #require(server.requests.first)
        #expect(request.head.hasPrefix("POST /v1/things?x=%20 HTTP/1.1\r\n"))
        #expect(request.head.contains("Content-Type: application/json"))
        #expect(request.head.contains("X-Empty:"))
        #expect(!request.head.contains("Expect"))
        #expect(request.body == Array("{}".utf8))
    }

    @Test func keepsConnectionsAlive() async throws {
        let server = ScriptedServer(answering: ok("x"))
        try await withClient { client in
            for _ in 0..<5 { _ = try await client.send(ClientRequest(.post, server.url + "/", body: .bytes([1]))) }
        }
        #expect(server.connections.count == 1)
        #expect(server.requests.count == 5)
    }

    @Test func manyAtOnceShareBoundedConnections() async throws {
        let server = ScriptedServer(answering: ok("x"))
        let request = ClientRequest(
            .get, server.url, deadline: .after(.seconds(60)), timeouts: .init(connect: .seconds(60)))
        try await withClient(.init(maxConnectionsPerHost: 8)) { client in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<300 { group.addTask { try await client.send(request).status.code } }
                for try await status in group { #expect(status == 200) }
            }
        }
        #expect(server.requests.count == 300)
        #expect(server.connections.count <= 8)
    }

    @Test(arguments: [HTTPMethod.get, .head, .post, .put, .patch, .delete, .options, HTTPMethod("PURGE")])
    func sendsEveryMethodWithAndWithoutBody(method: HTTPMethod) async throws {
        let answer = method == .head ? "HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n" : ok("y")
        let server = ScriptedServer(answering: answer)
        try await withClient { client in
            #expect(try await client.send(ClientRequest(method, server.url + "/a")).body == (method == .head ? [] : [0x79]))
            if method != .head {
                _ = try await client.send(ClientRequest(method, server.url + "/b", body: .bytes(Array("body".utf8))))
            }
        }
        #expect(server.requests.first?.head.hasPrefix("\(method) /a HTTP/1.1") == true)
        if method != .head {
            #expect(server.requests.last?.head.hasPrefix("\(method) /b HTTP/1.1") == true)
            #expect(server.requests.last?.body == Array("body".utf8))
            #expect(server.requests.last?.head.lowercased().contains("content-type") == false)
        }
    }

    @Test func uploadsMultipart() async throws {
        let server = ScriptedServer(answering: ok("stored"))
        let file = [UInt8](repeating: 0xAB, count: 300_000)
        try await withClient { client in
            let parts = [
                MultipartPart(name: "title", body: Array("标题".utf8)),
                MultipartPart(name: "video", filename: "a \"b\".mp4", contentType: "video/mp4", body: file),
                MultipartPart(name: "empty", body: []),
            ]
            let answer = try await client.send(ClientRequest(.post, server.url, body: .multipart(parts)))
            #expect(answer.body == Array("stored".utf8))
        }
        let request = try #require(server.requests.first)
        #expect(request.head.contains("Content-Type: multipart/form-data; boundary="))
        let text = String(decoding: request.body.filter { $0 < 0x80 }, as: UTF8.self)
        #expect(text.contains("name=\"title\""))
        #expect(text.contains("name=\"video\"; filename=\"a %22b%22.mp4\"\r\nContent-Type: video/mp4"))
        #expect(text.contains("name=\"empty\""))
        #expect(request.body.count { $0 == 0xAB } >= file.count)
    }

    @Test func uploadsALargeBody() async throws {
        let server = ScriptedServer(answering: ok("stored"))
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try await withClient { client in
            // The scripted server is slow to read so much under the sanitiser.
            _ = try await client.send(ClientRequest(.put, server.url, body: .bytes(body), deadline: .after(.seconds(120))))
        }
        #expect(server.requests.first?.body == body)
    }

    @Test func readsAnAnswerThatComesByteByByte() async throws {
        let server = ScriptedServer { connection in
            try connection.readRequest()
            let text = "HTTP/1.1 100 Continue\r\n\r\n" + chunkedHead + chunk("爆款") + chunk("标题") + "0\r\nX-Trailer: t\r\n\r\n"
            for byte in text.utf8 { try connection.write([byte]) }
        }
        let answer = try await withClient { try await $0.send(ClientRequest(.get, server.url)) }
        #expect(answer.status == .ok)
        #expect(String(decoding: answer.body, as: UTF8.self) == "爆款标题")
        #expect(answer.headers["X-Trailer"] == nil)
    }

    @Test func unpacksAnUnaskedGzip() async throws {
        let packed: [UInt8] = [
            0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 0xFF, 0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x86, 0xA6, 0x10, 0x36, 5, 0, 0, 0,
        ]
        let server = ScriptedServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(packed.count)\r\n\r\n")
            try connection.write(packed)
        }
        let answer = try await withClient { try await $0.send(ClientRequest(.get, server.url)) }
        #expect(String(decoding: answer.body, as: UTF8.self) == "hello")
        #expect(answer.headers["Content-Encoding"] == nil)
        #expect(answer.headers["Content-Length"] == nil)
    }

    @Test func doesNotFollowRedirects() async throws {
        let server = ScriptedServer(answering: "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
        let answer = try await withClient { try await $0.send(ClientRequest(.get, server.url)) }
        #expect(answer.status.code == 302)
        #expect(server.requests.count == 1)
    }

    @Test(arguments: [
        ClientRequest(.get, "ftp://127.0.0.1/"), ClientRequest(.get, "file:///etc/passwd"), ClientRequest(.get, "nonsense://"),
        ClientRequest(.get, "127.0.0.1/"), ClientRequest(.get, "http:///v1"), ClientRequest(.get, "http://127.0.0.1:port/"),
        ClientRequest(.get, "http://127.0.0.1/a b"), ClientRequest(.get, "http://127.0.0.1/\r\nX: y"),
        ClientRequest(.get, "http://127.0.0.1/", headers: ["X": "a\r\nY: b"]),
        ClientRequest(.get, "http://127.0.0.1/", headers: ["X Y": "a"]),
        ClientRequest(.get, "http://127.0.0.1/", headers: ["Content-Length": "3"]),
        ClientRequest(.get, "http://127.0.0.1/", headers: ["transfer-encoding": "chunked"]),
        ClientRequest(HTTPMethod("GE T"), "http://127.0.0.1/"),
        ClientRequest(.post, "http://127.0.0.1/", body: .multipart([MultipartPart(name: "a\r\nb", body: [])])),
    ])
    func refusesWhatCannotBeSent(request: ClientRequest) async throws {
        // It is refused for what it is, not for the time that is not left.
        var request = request
        request.deadline = .after(.zero)
        request.retry = .standard
        let (error, _) = try await failure { _ = try await withClient { try await $0.send(request) } }
        #expect(error.kind == .malformed)
        #expect(!error.requestMayHaveStarted)
    }

    @Test func enforcesTheBodyLimit() async throws {
        let announced = ScriptedServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n")
            try connection.waitForClose()
        }
        let unannounced = ScriptedServer { connection in
            try connection.readRequest()
            try connection.write(chunkedHead)
            while true { try connection.write(chunk(String(repeating: "x", count: 100))) }
        }
        try await withClient { client in
            for server in [announced, unannounced] {
                let (error, _) = try await failure {
                    _ = try await client.send(ClientRequest(.get, server.url, maxResponseBytes: 1_000))
                }
                #expect(error.kind == .responseTooLarge)
                #expect(error.requestMayHaveStarted)
                try await eventually("the server sees the connection close") { server.connections[0].peerClosedAt != nil }
            }
        }
    }

    @Test func refusesAnEndlessHead() async throws {
        let server = ScriptedServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\n")
            while true { try connection.write("X-Filler: \(String(repeating: "x", count: 1_000))\r\n") }
        }
        let (error, _) = try await failure { _ = try await withClient { try await $0.send(ClientRequest(.get, server.url)) } }
        #expect(error.kind == .responseTooLarge)
    }

    @Test(arguments: ["SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n"])
    func refusesWhatIsNotHTTP(answer: String) async throws {
        let server = ScriptedServer { connection in
            try connection.readRequest()
            try connection.write(answer)
            try connection.waitForClose()
        }
        let (error, _) = try await failure { _ = try await withClient { try await $0.send(ClientRequest(.get, server.url)) } }
        #expect(error.kind == .malformed)
    }
}
