import ConcurrencySupport
import HTTPCalling
import TestSupport
import Testing

@testable import AgentCenter

/// When a route that failed is asked again, and by how many.
@Suite("A route's rest")
struct ModelRouteTests {
    /// Moves only when told to.
    private final class Clock: Sendable {
        private let offset = Lock(Duration.zero)
        private let base = ContinuousClock.now

        func advance(_ duration: Duration) { offset.withLock { $0 += duration } }

        @Sendable func now() -> ContinuousClock.Instant { base + offset.withLock { $0 } }
    }

    private let clock = Clock()

    private func route() -> ModelRoute {
        ModelRoute(
            provider: "house", modelName: "m", model: ScriptedModel([.say("ok")]), pause: .seconds(60),
            circuit: .init(window: 10, minimumCalls: 5, failureRatio: 0.5, openFor: .seconds(15)), now: clock.now)
    }

    private func fail(_ route: ModelRoute, _ kind: ChatFailure.Kind, _ circuit: ChatFailure.Circuit) async -> ChatFailure.Kind? {
        do {
            try await route.guarded(within: .seconds(600)) { _ in
                throw ChatFailure(kind, .nextRoute, circuit, message: "scripted")
            }
            return nil
        } catch {
            return (error as? ChatFailure)?.kind
        }
    }

    /// Many calls at once, of which the first to arrive is held until all others have been turned away.
    private func storm(_ route: ModelRoute, of count: Int) async throws -> (asked: Int, refused: Int) {
        let (gates, refused) = (Locked<[OneShot<Void>]>([]), Locked(0))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask {
                    do {
                        try await route.guarded(within: .seconds(600)) { _ in
                            let gate = OneShot<Void>()
                            gates.withLock { $0.append(gate) }
                            try await gate.value()
                        }
                    } catch let failure as ChatFailure where failure.kind == .circuitOpen {
                        refused.withLock { $0 += 1 }
                    }
                }
            }
            try await eventually { gates.withLock { $0.count } + refused.withLock { $0 } == count }
            for gate in gates.withLock({ $0 }) { gate.succeed() }
            try await group.waitForAll()
        }
        return (gates.withLock { $0.count }, refused.withLock { $0 })
    }

    @Test(
        "After a refusal that waiting does not cure nobody asks for the pause, then one, and once that is answered all",
        arguments: [ChatFailure.Kind.authentication, .balance, .forbidden, .modelNotFound])
    func refused(kind: ChatFailure.Kind) async throws {
        let route = route()
        #expect(await fail(route, kind, .open) == kind)
        clock.advance(.seconds(59))
        #expect(route.rest?.kind == .circuitOpen && route.rest?.cause == kind)
        let reason = ChatFailure(kind, .nextRoute, .open, message: "").chineseReason
        #expect(route.rest?.chineseReason == "模型线路熔断中（\(reason)）")
        #expect(try await storm(route, of: 8) == (0, 8))
        clock.advance(.seconds(1))
        #expect(route.rest == nil)
        #expect(try await storm(route, of: 8) == (1, 7))
        #expect(try await storm(route, of: 8) == (8, 0))
    }

    @Test("A probe that is refused as well begins the pause anew")
    func again() async throws {
        let route = route()
        #expect(await fail(route, .balance, .open) == .balance)
        clock.advance(.seconds(60))
        #expect(await fail(route, .balance, .open) == .balance)
        clock.advance(.seconds(59))
        #expect(await fail(route, .balance, .open) == .circuitOpen)
        clock.advance(.seconds(1))
        #expect(try await storm(route, of: 4) == (1, 3))
    }

    /// Fault 46 of `llm-wire.md` §13.
    @Test("A vendor that is down and up again is asked by one call after its rest")
    func flapping() async throws {
        let route = route()
        for _ in 0..<5 { #expect(await fail(route, .overloaded, .count) == .overloaded) }
        #expect(try await storm(route, of: 8) == (0, 8))
        clock.advance(.seconds(15))
        #expect(try await storm(route, of: 8) == (1, 7))
        #expect(try await storm(route, of: 8) == (8, 0))
    }
}
