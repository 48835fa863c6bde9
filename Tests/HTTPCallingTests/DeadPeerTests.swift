import ConcurrencySupport
import HTTPCalling
import HTTPCore
import Testing

/// The other side dies or was never there: what is known about the request afterwards.
@Suite struct DeadPeerTests {
    @Test func refusedConnectionMeansNotStarted() async throws {
        let port = ScriptedServer.unusedPort()
        let (error, _) = try await failure {
            _ = try await withClient { try await $0.send(ClientRequest(.post, "http://127.0.0.1:\(port)/", body: .bytes([1]))) }
        }
        #expect(error.kind == .connect)
        #expect(!error.requestMayHaveStarted)
    }

    @Test func unknownNameMeansNotStarted() async throws {
        let (error, _) = try await failure {
            _ = try await withClient { client in
                try await client.send(ClientRequest(.get, "http://no-such-host.invalid/", deadline: .after(.seconds(10))))
            }
        }
        #expect(error.kind == .connect || error.kind == .timeout(.connect))
        #expect(!error.requestMayHaveStarted)
    }

    enum Death: CaseIterable {
        case resetBeforeAnswer, closeBeforeAnswer, resetInHead, closeInBody, resetInBody, closeInChunks
    }

    @Test(arguments: Death.allCases)
    func deathAfterTheRequestIsAResetThatMayHaveStarted(death: Death) async throws {
        let server = ScriptedServer { connection in
            try connection.readRequest()
            switch death {
            case .resetBeforeAnswer: connection.reset()
            case .closeBeforeAnswer: connection.close()
            case .resetInHead:
                try connection.write("HTTP/1.1 200 OK\r\nContent-")
                connection.reset()
            case .closeInBody: try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            case .resetInBody:
                try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
                connection.reset()
            case .closeInChunks: try connection.write(chunkedHead + chunk("half"))
            }
        }
        let (error, _) = try await failure {
            _ = try await withClient { try await $0.send(ClientRequest(.post, server.url, body: .bytes([1]))) }
        }
        #expect(error.kind == .reset)
        #expect(error.requestMayHaveStarted)
        #expect(server.requests.count == 1)
    }

    @Test func connectionThatWasClosedWhileIdleIsNotUsed() async throws {
        let server = ScriptedServer { connection in
            try connection.readRequest()
            try connection.write(ok("once"))
        }
        try await withClient { client in
            for _ in 0..<3 {
                let answer = try await client.send(ClientRequest(.post, server.url, body: .bytes([1])))
                #expect(answer.body == Array("once".utf8))
                // The server's FIN must have arrived for this case; the next test is about the race.
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        #expect(server.connections.count == 3)
        #expect(server.requests.count == 3)
    }

    /// A kept connection dies after it took the second request and before it answered: the request may have been done.
    @Test(arguments: [(HTTPMethod.post, false), (.get, true), (.post, true)])
    func deadPooledConnectionIsRepeatedOnlyIfIdempotent(method: HTTPMethod, isIdempotent: Bool) async throws {
        let server = ScriptedServer { connection in
            let first = try connection.readRequest()
            try connection.write(ok("first"))
            guard first.head.contains("/warm-up") else { return }
            try connection.readRequest()
            connection.reset()
        }
        try await withClient { client in
            _ = try await client.send(ClientRequest(.get, server.url + "/warm-up"))
            let request = ClientRequest(method, server.url + "/real", body: .bytes([1]), isIdempotent: isIdempotent)
            if isIdempotent {
                #expect(try await client.send(request).status == .ok)
            } else {
                let (error, _) = try await failure { _ = try await client.send(request) }
                #expect(error.kind == .reset)
                #expect(error.requestMayHaveStarted)
            }
        }
        #expect(server.requests.count { $0.head.contains("/real") } == (isIdempotent ? 2 : 1))
    }
}
