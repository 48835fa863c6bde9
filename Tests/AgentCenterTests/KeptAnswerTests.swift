import ConcurrencySupport
import FoundationEssentials
import HTTPCore
import HTTPServing
import PostgresStore
import TestSupport
import Testing

@testable import AgentCenter

/// `POST /v1/ai/generate` for callers who may ask again under the same operation.
@Suite("An answer that is kept")
struct KeptAnswerTests {
    private static func headers(operation: UUID, key: String? = "k") throws -> HTTPHeaders {
        var headers = try TitleService.modelCallHeaders()
        headers["X-Operation-Id"] = operation.uuidString.lowercased()
        headers["Idempotency-Key"] = key
        return headers
    }

    private static let body: JSONValue = ["task": "reply", "input": ["多少钱？", "怎么买？"]]

    @Test("is found by the repeat: the vendor is asked and the tenant pays once")
    func repeated() async throws {
        let vendor = try ScriptedVendor([.says(ModelFault.text)])
        try await TitleService.run(primary: vendor) { service in
            let headers = try Self.headers(operation: UUID())
            let first = try await service.app.client.send(.post, TitleService.generate, headers: headers, json: Self.body)
            let again = try await service.app.client.send(.post, TitleService.generate, headers: headers, json: Self.body)
            #expect(first.status == .ok && again.status == .ok, "\(again.text)")
            #expect(try first.json() == again.json())
            #expect(vendor.received.count == 2)
            let rows = try await service.ledger()
            #expect(rows.map(\.cost) == [69_000])
        }
    }

    @Test("waits for the caller who left before it was there")
    func left() async throws {
        let vendor = try ScriptedVendor([.stall(after: ""), .says(ModelFault.text)])
        try await TitleService.run(primary: vendor, environment: ["MODEL_FIRST_TOKEN_TIMEOUT": "1s"]) {
            service in
            let headers = try Self.headers(operation: UUID())
            let body: JSONValue = ["task": "reply", "input": "多少钱？"]
            let waiting = Task { try await service.app.client.send(.post, TitleService.generate, headers: headers, json: body) }
            try await eventually("the vendor is asked") { vendor.received.count == 1 }
            waiting.cancel()
            _ = try? await waiting.value
            let again = try await service.app.client.send(.post, TitleService.generate, headers: headers, json: body)
            #expect(again.status == .ok, "\(again.text)")
            let rows = try await service.ledger()
            #expect(rows.count == 1 && rows[0].attempts.contains { $0.outcome == "abandoned" } == false)
        }
    }
}
