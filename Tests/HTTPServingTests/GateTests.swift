import ConcurrencySupport
import HTTPCore
import TestSupport
import Testing

@testable import HTTPServing

@Suite struct GateTests {
    @Test(arguments: ["/whole", "/taken"]) func whatTheClosedGateRefusesIsSaidNotToHaveBegun(path: String) async throws {
        let begun = Counter()
        var router = Router()
        for (path, streamsBody) in [("/whole", false), ("/taken", true)] {
            router.on(.delete, path, options: RouteOptions(streamsBody: streamsBody)) { _ in
                begun.increment()
                return .text("done")
            }
        }
        let listener = try await Listener.start(.init(port: 0), router: router, loops: .shared)
        let client = LiveClient(port: listener.port)
        #expect(try await client.send(.delete, path).headers[NotStarted.header] == nil)
        listener.core.gate.close()
        let refused = try await client.send(.delete, path)
        #expect(refused.status == .serviceUnavailable && refused.headers[NotStarted.header] == "true")
        #expect(try refused.problem().code == "service.stopping")
        #expect(begun.value == 1)
        await listener.acceptor.stop()
        await listener.core.gate.waitUntilReleased(patience: .seconds(10))
        for daemon in listener.daemons { await daemon.stop() }
    }
}
