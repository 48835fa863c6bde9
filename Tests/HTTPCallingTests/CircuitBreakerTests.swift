import ConcurrencySupport
import HTTPCalling
import HTTPCore
import Testing

@Suite struct CircuitBreakerTests {
    /// Moves only when told to.
    private final class ManualClock: Sendable {
        private let offset = Lock(Duration.zero)
        private let base = ContinuousClock.now

        func advance(_ duration: Duration) { offset.withLock { $0 += duration } }

        @Sendable func now() -> ContinuousClock.Instant { base + offset.withLock { $0 } }
    }

    private let clock = ManualClock()

    private func makeBreaker() -> CircuitBreaker {
        let configuration = CircuitBreaker.Configuration(window: 10, minimumCalls: 4, failureRatio: 0.5, openFor: .seconds(5))
        return CircuitBreaker(name: "content-center", configuration: configuration, now: clock.now)
    }

    private func report(_ breaker: CircuitBreaker, _ outcomes: CircuitBreaker.Outcome...) throws {
        for outcome in outcomes { try breaker.acquire().report(outcome) }
    }

    @Test func opensWhenEnoughOfTheLatestCallsFailed() throws {
        let breaker = makeBreaker()
        try report(breaker, .failure, .failure, .failure)
        #expect(breaker.state == .closed)
        try report(breaker, .failure)
        #expect(breaker.state == .open)
        let error = #expect(throws: HTTPClientError.self) { try breaker.acquire() }
        #expect(error?.kind == .circuitOpen)
        #expect(error?.requestMayHaveStarted == false)
    }

    @Test func oldOutcomesAreForgotten() throws {
        let breaker = makeBreaker()
        try report(breaker, .success, .success, .success, .success, .success, .success, .success)
        try report(breaker, .failure, .failure, .failure)
        #expect(breaker.state == .closed)
        try report(breaker, .failure)
        #expect(breaker.state == .closed)
        // Ten kept: five successes have left the window.
        try report(breaker, .failure)
        #expect(breaker.state == .open)
    }

    @Test func callersWhoLeaveDoNotCount() throws {
        let breaker = makeBreaker()
        try report(breaker, .unknown, .unknown, .unknown, .unknown, .unknown, .failure)
        #expect(breaker.state == .closed)
    }

    @Test func opensForAsLongAsACallSays() throws {
        let breaker = makeBreaker()
        let (first, late) = (try breaker.acquire(), try breaker.acquire())
        first.open(for: .seconds(60))
        clock.advance(.seconds(59))
        #expect(breaker.state == .open)
        clock.advance(.seconds(1))
        #expect(breaker.state == .halfOpen)
        let probe = try breaker.acquire()
        // Begun before the circuit opened: it neither closes it nor opens it anew.
        late.open(for: .seconds(600))
        #expect(breaker.state == .halfOpen)
        #expect(throws: HTTPClientError.self) { try breaker.acquire() }
        probe.report(.success)
        #expect(breaker.state == .closed)
    }

    private func makeOpenBreaker() throws -> CircuitBreaker {
        let breaker = makeBreaker()
        try report(breaker, .failure, .failure, .failure, .failure)
        return breaker
    }

    @Test func letsExactlyOneProbeThrough() async throws {
        let breaker = try makeOpenBreaker()
        clock.advance(.seconds(5))
        #expect(breaker.state == .halfOpen)
        let permits = await withTaskGroup(of: CircuitBreaker.Permit?.self) { group in
            for _ in 0..<50 { group.addTask { try? breaker.acquire() } }
            var permits: [CircuitBreaker.Permit] = []
            for await permit in group { if let permit { permits.append(permit) } }
            return permits
        }
        #expect(permits.count == 1)
        permits.first?.report(.success)
        #expect(breaker.state == .closed)
    }

    @Test func aFailedProbeOpensItAgain() throws {
        let breaker = try makeOpenBreaker()
        clock.advance(.seconds(5))
        try report(breaker, .failure)
        #expect(breaker.state == .open)
        clock.advance(.seconds(4))
        #expect(throws: HTTPClientError.self) { try breaker.acquire() }
        clock.advance(.seconds(1))
        try report(breaker, .success)
        #expect(breaker.state == .closed)
    }

    @Test func anAbandonedProbePassesOnTheTurn() throws {
        let breaker = try makeOpenBreaker()
        clock.advance(.seconds(5))
        try report(breaker, .unknown)
        try report(breaker, .success)
        #expect(breaker.state == .closed)
    }

    @Test func latecomersFromBeforeItOpenedAreNotCounted() throws {
        let breaker = makeBreaker()
        let late = try breaker.acquire()
        try report(breaker, .failure, .failure, .failure, .failure)
        clock.advance(.seconds(5))
        let probe = try breaker.acquire()
        late.report(.failure)
        #expect(breaker.state == .halfOpen)
        probe.report(.success)
        #expect(breaker.state == .closed)
    }

    @Test func stopsCallsToAFailingServerAndFindsItBack() async throws {
        let broken = Flag(true)
        let server = ScriptedServer { connection in
            while true {
                try connection.readRequest()
                try connection.write(broken.value ? "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n" : ok("back"))
            }
        }
        let breaker = makeBreaker()
        try await withClient { client in
            let request = ClientRequest(.get, server.url, breaker: breaker)
            for _ in 0..<4 { #expect(try await client.send(request).status == .internalServerError) }
            let (error, _) = try await failure { _ = try await client.send(request) }
            #expect(error.kind == .circuitOpen)
            #expect(server.requests.count == 4)
            broken.value = false
            clock.advance(.seconds(5))
            #expect(try await client.send(request).status == .ok)
            #expect(breaker.state == .closed)
        }
    }
}
