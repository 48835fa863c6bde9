import ConcurrencySupport
import HTTPCalling
import HTTPCore
import Testing

@Suite struct RetryTests {
    // MARK: The pure decision

    private let policy = RetryPolicy(maxAttempts: 4, baseDelay: .milliseconds(100), maxDelay: .seconds(1), jitter: 0.5)
    /// 1994-11-06 08:49:37 UTC.
    private let noon = 784_111_777.0

    private func delay(
        after attempt: Int = 1, _ outcome: RetryPolicy.Outcome, isIdempotent: Bool = true, remaining: Duration = .seconds(60),
        chance: Double = 0
    ) -> Duration? {
        policy.delay(
            afterAttempt: attempt, outcome: outcome, isIdempotent: isIdempotent, remaining: remaining, secondsSince1970: noon,
            chance: chance)
    }

    private func answer(_ code: Int, _ headers: HTTPHeaders = [:]) -> RetryPolicy.Outcome { .answer(HTTPStatus(code), headers) }

    private func error(_ kind: HTTPClientError.Kind, started: Bool) -> RetryPolicy.Outcome {
        .failure(HTTPClientError(kind, requestMayHaveStarted: started, message: ""))
    }

    @Test func delaysDoubleUpToTheLimitAndJitterShortensThem() {
        #expect(delay(after: 1, answer(503)) == .milliseconds(100))
        #expect(delay(after: 2, answer(503)) == .milliseconds(200))
        #expect(delay(after: 3, answer(503)) == .milliseconds(400))
        #expect(delay(after: 4, answer(503)) == nil)
        #expect(delay(after: 1, answer(503), chance: 0.5) == .milliseconds(75))
        let patient = RetryPolicy(maxAttempts: 100, baseDelay: .milliseconds(100), maxDelay: .seconds(1), jitter: 0)
        #expect(
            patient.delay(
                afterAttempt: 90, outcome: answer(503), isIdempotent: true, remaining: .seconds(9), secondsSince1970: 0, chance: 0
            )
                == .seconds(1))
    }

    @Test func onlyIdempotentRequestsAreRepeatedOnceTheyMayHaveStarted() {
        #expect(delay(answer(503), isIdempotent: false) == nil)
        #expect(delay(error(.reset, started: true), isIdempotent: false) == nil)
        #expect(delay(error(.timeout(.firstByte), started: true), isIdempotent: false) == nil)
        #expect(delay(error(.connect, started: false), isIdempotent: false) == .milliseconds(100))
        #expect(delay(error(.timeout(.connect), started: false), isIdempotent: false) == .milliseconds(100))
        #expect(delay(error(.reset, started: true)) == .milliseconds(100))
        // A dead pooled connection, then refused: the first one may have done it.
        #expect(delay(error(.connect, started: true), isIdempotent: false) == nil)
    }

    @Test func anAnswerThatSaysThatNothingBeganLetsAnyRequestBeRepeatedWhereItIsBelieved() {
        let unstarted = answer(503, ["X-Not-Started": "true"])
        #expect(delay(unstarted, isIdempotent: false) == nil)
        var believing = policy
        believing.unstartedHeader = "X-Not-Started"
        func believed(_ outcome: RetryPolicy.Outcome) -> Duration? {
            believing.delay(
                afterAttempt: 1, outcome: outcome, isIdempotent: false, remaining: .seconds(60), secondsSince1970: noon, chance: 0
            )
        }
        #expect(believed(unstarted) == .milliseconds(100))
        #expect(believed(answer(503)) == nil)
        #expect(believed(answer(409, ["X-Not-Started": "true"])) == nil)
    }

    @Test(arguments: [HTTPClientError.Kind.responseTooLarge, .cancelled, .circuitOpen, .tls, .malformed, .closed])
    func hopelessErrorsAreNotRepeated(kind: HTTPClientError.Kind) {
        #expect(delay(error(kind, started: false)) == nil)
    }

    @Test(arguments: [
        (200, false), (400, false), (401, false), (404, false), (422, false), (408, true), (429, true), (500, true), (502, true),
        (503, true), (504, true),
    ])
    func onlyPassingAnswersAreRepeated(status: Int, isRepeated: Bool) {
        #expect((delay(answer(status)) != nil) == isRepeated)
    }

    @Test(arguments: [
        ("2", 2_000), ("0", 100), ("1.5", 1_500), ("Sun, 06 Nov 1994 08:49:47 GMT", 10_000),
        ("Sunday, 06-Nov-94 08:49:42 GMT", 5_000),
        ("Sun Nov  6 08:49:39 1994", 2_000), ("Sun, 06 Nov 1994 08:00:00 GMT", 100), ("soon", 100), ("-3", 100), ("", 100),
        ("Sun, 99 Nov 1994 08:49:47 GMT", 100),
    ])
    func retryAfterIsHonoured(value: String, milliseconds: Int) {
        #expect(delay(answer(429, ["Retry-After": value])) == .milliseconds(milliseconds))
    }

    @Test func tooLongHintsAndSpentBudgetsMeanNoRepeat() {
        #expect(delay(answer(429, ["Retry-After": "121"]), remaining: .seconds(600)) == nil)
        #expect(delay(answer(429, ["Retry-After": "120"]), remaining: .seconds(600)) == .seconds(120))
        #expect(delay(answer(429, ["retry-after-ms": "250", "Retry-After": "9"])) == .milliseconds(250))
        #expect(delay(answer(429, ["Retry-After": "5"]), remaining: .seconds(5)) == nil)
        #expect(delay(answer(503), remaining: .milliseconds(100)) == nil)
    }

    // MARK: On the wire

    /// Answers the first requests of all connections from the list, the rest with 200.
    private func server(_ answers: [String]) -> ScriptedServer {
        let next = Counter()
        return ScriptedServer { connection in
            while true {
                try connection.readRequest()
                let index = next.increment()
                try connection.write(index < answers.count ? answers[index] : ok("done"))
            }
        }
    }

    private let busy = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    private let quick = RetryPolicy(maxAttempts: 3, baseDelay: .milliseconds(5))

    @Test func repeatsUntilItWorks() async throws {
        let server = server([busy, busy])
        let answer = try await withClient { try await $0.send(ClientRequest(.get, server.url, retry: quick)) }
        #expect(answer.status == .ok)
        #expect(server.requests.count == 3)
    }

    @Test func givesTheLastAnswerWhenTheAttemptsAreUsedUp() async throws {
        let server = server([busy, busy, busy, busy])
        let answer = try await withClient { try await $0.send(ClientRequest(.get, server.url, retry: quick)) }
        #expect(answer.status == .serviceUnavailable)
        #expect(server.requests.count == 3)
    }

    @Test func waitsAsLongAsTheServerAsks() async throws {
        let server = server(["HTTP/1.1 429 Slow down\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"])
        let start = ContinuousClock.now
        let answer = try await withClient { try await $0.send(ClientRequest(.get, server.url, retry: quick)) }
        #expect(answer.status == .ok)
        #expect(.now - start >= .seconds(1))
    }

    @Test func aPostIsRepeatedOnlyWithAnIdempotencyPromise() async throws {
        for (isIdempotent, requests) in [(false, 1), (true, 2)] {
            let server = server([busy])
            try await withClient { client in
                _ = try await client.send(
                    ClientRequest(.post, server.url, body: .bytes([1]), isIdempotent: isIdempotent, retry: quick))
            }
            #expect(server.requests.count == requests)
        }
    }

    @Test func aRefusedPostIsRepeatedAndStillNotStarted() async throws {
        let port = ScriptedServer.unusedPort()
        let start = ContinuousClock.now
        let (error, _) = try await failure {
            _ = try await withClient { client in
                let policy = RetryPolicy(maxAttempts: 3, baseDelay: .milliseconds(50), jitter: 0)
                return try await client.send(
                    ClientRequest(.post, "http://127.0.0.1:\(port)/", body: .bytes([1]), retry: policy))
            }
        }
        #expect(error.kind == .connect)
        #expect(!error.requestMayHaveStarted)
        #expect(.now - start >= .milliseconds(150))
    }

    @Test func streamsAreRepeatedBeforeTheirHeadOnly() async throws {
        let next = Counter()
        let server = ScriptedServer { connection in
            try connection.readRequest()
            if next.increment() == 0 { return connection.reset() }
            try connection.write(chunkedHead + chunk("half"))
        }
        try await withClient { client in
            let stream = try await client.stream(ClientRequest(.get, server.url, retry: quick))
            let (error, _) = try await failure { _ = try await stream.collect() }
            #expect(error.kind == .reset)
        }
        #expect(server.requests.count == 2)
    }
}
