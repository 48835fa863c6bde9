import HTTPCore
import HTTPServing
import TestSupport
import Testing

@Suite struct HangUpTests {
    @Test(arguments: Place.allCases) func cancelsTheHandlersTask(_ place: Place) async throws {
        let started = Counter()
        let cancelled = Counter()
        var router = Router()
        router.on(.post, "/work") { _ in
            started.increment()
            try await waitForCancellation(cancelled)
        }
        try await place.serving(router) { client in
            let call = Task { try await client.send(.post, "/work", json: [:]) }
            try await eventually { started.value == 1 }
            call.cancel()
            try await eventually { cancelled.value == 1 }
            _ = await call.result
        }
    }

    @Test(arguments: Place.allCases) func letsAHandlerRunToItsEndWhereTheRouteSaysSo(_ place: Place) async throws {
        let started = Counter()
        let finished = Counter()
        let gate = Gate()
        var router = Router()
        router.on(.post, "/work", options: RouteOptions(hangUp: .runsToEnd)) { _ in
            started.increment()
            await gate.wait()
            if !Task.isCancelled { finished.increment() }
            return .noContent
        }
        try await place.serving(router) { client in
            let call = Task { try await client.send(.post, "/work", json: [:]) }
            try await eventually { started.value == 1 }
            call.cancel()
            try await Task.sleep(for: .milliseconds(50))
            gate.open()
            try await eventually { finished.value == 1 }
            _ = await call.result
        }
    }

    @Test func freesTheConnectionOfADeafHandler() async throws {
        let started = Counter()
        let gate = Gate()
        var router = Router()
        router.on(.get, "/deaf") { _ in
            started.increment()
            await gate.wait()
            return .noContent
        }
        router.on(.get, "/quick") { _ in .text("quick") }
        try await LiveServer.serving(router, configuration: .init(port: 0, connectionLimit: 2)) { server in
            let client = LiveClient(port: server.port)
            for round in 1...5 {
                let call = Task { try await client.send(.get, "/deaf") }
                try await eventually { started.value == round }
                call.cancel()
                _ = await call.result
            }
            // Five of two connections are taken by handlers that never listened; the sixth is served all the same.
            let answer = try await client.send(.get, "/quick")
            #expect(answer.text == "quick")
            gate.open()
        }
    }
}
