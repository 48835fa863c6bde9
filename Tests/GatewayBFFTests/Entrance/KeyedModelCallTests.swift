import ConcurrencySupport
import DTO
import Foundation
import HTTPCore
import HTTPServing
import PostgresStore
import TestSupport
import Testing

@testable import GatewayBFF

@Suite("A model call with a key")
struct KeyedModelCallTests {
    private static let path = "/api/ai/generate"
    private static let body = ["task": "reply", "input": "多少钱？"]

    @Test("reaches the service once; the repeat is told what the first was, another body is refused")
    func repeated() async throws {
        let upstream: Handler = { _ in .json(bytes: Array(#"{"output":"九十九元"}"#.utf8)) }
        try await GatewayHarness.run(upstream: upstream) { gateway in
            let login = try await gateway.signIn()
            let headers = gateway.bearer(login, ["Idempotency-Key": "once"])
            let first = try await gateway.post(Self.path, headers: headers, Self.body)
            let again = try await gateway.post(Self.path, headers: headers, Self.body)
            #expect(first.status == .ok && first.headers["Idempotent-Replayed"] == nil)
            #expect(again.status == .ok && again.headers["Idempotent-Replayed"] == "true" && again.text == first.text)
            let other = try await gateway.post(Self.path, headers: headers, ["task": "reply", "input": "怎么买？"])
            #expect(other.status == .unprocessableContent)
            #expect(try other.problem().code == "idempotency.key_reused")
            let calls = gateway.calls.all
            // The service hears of the key, and keeps its answer under the operation.
            #expect(
                calls.count == 1 && calls[0].headers["Idempotency-Key"] == "once" && calls[0].headers["X-Operation-Id"] != nil)
            // Without one every call is a call of its own.
            for _ in 0..<2 { _ = try await gateway.post(Self.path, headers: gateway.bearer(login), Self.body) }
            #expect(gateway.calls.all.count == 3)
        }
    }

    @Test("is the same operation again where the first answer settled nothing")
    func unsettled() async throws {
        let count = Locked(0)
        let upstream: Handler = { _ in
            let number = count.withLock { count in
                count += 1
                return count
            }
            return number == 1 ? Response(.serviceUnavailable) : .json(bytes: Array("{}".utf8))
        }
        try await GatewayHarness.run(upstream: upstream) { gateway in
            let login = try await gateway.signIn()
            let headers = gateway.bearer(login, ["Idempotency-Key": "twice"])
            var last = try await gateway.post(Self.path, headers: headers, Self.body)
            if last.status != .ok { last = try await gateway.post(Self.path, headers: headers, Self.body) }
            #expect(last.status == .ok)
            let operations = Set(gateway.calls.all.map { $0.headers["X-Operation-Id"] })
            #expect(gateway.calls.all.count == 2 && operations.count == 1)
        }
    }

    @Test("runs to its end although its client left")
    func left() async throws {
        let (begun, allowed) = (OneShot<Void>(), OneShot<Void>())
        let upstream: Handler = { _ in
            begun.succeed()
            try await allowed.value()
            return .json(bytes: Array(#"{"output":"九十九元"}"#.utf8))
        }
        try await GatewayHarness.run(upstream: upstream) { gateway in
            let login = try await gateway.signIn()
            let headers = gateway.bearer(login, ["Idempotency-Key": "left"])
            let waiting = Task { try await gateway.post(Self.path, headers: headers, Self.body) }
            try await begun.value()
            waiting.cancel()
            allowed.succeed()
            _ = try? await waiting.value
            try await eventually("the answer is recorded") {
                let again = try await gateway.post(Self.path, headers: headers, Self.body)
                return again.status == .ok && again.headers["Idempotent-Replayed"] == "true"
            }
            #expect(gateway.calls.all.count == 1)
        }
    }

    @Test("cannot be a stream")
    func streamed() async throws {
        try await GatewayHarness.run { gateway in
            let login = try await gateway.signIn()
            let headers = gateway.bearer(login, ["Idempotency-Key": "stream", "Accept": "text/event-stream"])
            let refused = try await gateway.post(Self.path, headers: headers, Self.body)
            #expect(refused.status == .badRequest)
            let problem = try refused.problem()
            #expect(problem.code == "idempotency.not_for_streams" && problem.errors?.first?.pointer == "Idempotency-Key")
            #expect(gateway.calls.all.isEmpty)
        }
    }
}
