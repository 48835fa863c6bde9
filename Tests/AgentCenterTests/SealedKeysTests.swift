import ConfigReading
import Cryptography
import Foundation
import ServiceDefaults
import TestSupport
import Testing

@testable import AgentCenter

@Suite("Sealed keys of providers")
struct SealedKeysTests {
    @Test("A sealed key opens for the row it was made for only, and with rotated keys")
    func sealedKeys() throws {
        let old = try KeyRing(setting: Secret("k1=" + Base64.encode(Array(repeating: 1, count: 32))))
        let both = try KeyRing(
            setting: Secret(
                "k2=" + Base64.encode(Array(repeating: 2, count: 32)) + ",k1=" + Base64.encode(Array(repeating: 1, count: 32))))
        let context = CatalogueChanges.context(of: "openai", tenantId: TestContext.tenant)
        let sealed = old.seal(Array("sk-1".utf8), context: Array(context.utf8))
        var changes = CatalogueChanges()
        let provider = ModelCatalogue.Provider(name: "openai", dialect: .openai, baseURL: "http://x", key: Secret("seeded"))
        let seeded = ModelCatalogue.seeded([.init(provider: provider, models: ["gpt-4o"])])
        changes.tenantKeys = [
            .init(tenantId: TestContext.tenant, provider: "openai", key: sealed),
            // Moved by hand into another tenant's row.
            .init(tenantId: TestContext.otherTenant, provider: "openai", key: sealed),
        ]
        let (_, ofTenants) = changes.applied(to: seeded) { sealed, context in
            (try? both.open(sealed, context: Array(context.utf8))).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(ofTenants[TestContext.tenant]?.provider("openai")?.key.exposed == "sk-1")
        #expect(ofTenants[TestContext.otherTenant]?.provider("openai")?.key.exposed == "seeded")
    }
}
