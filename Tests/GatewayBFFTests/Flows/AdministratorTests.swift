import ConfigReading
import DTO
import Foundation
import HTTPCore
import HTTPServing
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import GatewayBFF

@Suite("Making an administrator of the platform")
struct AdministratorTests {
    private static let password = "a long enough one"

    private static func create(
        _ email: String, _ password: String?, at gateway: GatewayHarness
    ) async throws -> AdministratorStore.Outcome {
        let order = try AdministratorOrder([email], password: password.map(Secret.init))
        let owner = Database(configuration: gateway.database.ownerConfiguration)
        let store = AdministratorStore(owner: owner, app: gateway.runtime.database, hasher: GatewayHarness.cheapHasher)
        do {
            let outcome = try await store.create(order)
            await owner.close()
            return outcome
        } catch {
            await owner.close()
            throw error
        }
    }

    private static func memberships(_ gateway: GatewayHarness) async throws -> Int {
        try await gateway.database.superuser.query("SELECT count(*) AS n FROM memberships").only.decode("n")
    }

    @Test("lets him sign in to the operator's tenant, and once is enough")
    func making() async throws {
        try await GatewayHarness.run { gateway in
            #expect(try await Self.create("Root@Example.com", Self.password, at: gateway) == .made)
            let body = ["email": "root@example.com", "password": Self.password]
            let login = try await gateway.post("/api/auth/login", body).decode(LoginAnswer.self)
            #expect(login.tenantId == AdministratorStore.tenantId && login.roles == ["system_admin"])
            let before = try await Self.memberships(gateway)
            #expect(try await Self.create("root@example.com", Self.password, at: gateway) == .wasThere)
            #expect(try await Self.create("root@example.com", nil, at: gateway) == .wasThere)
            #expect(try await Self.create("second@example.com", Self.password, at: gateway) == .made)
            #expect(try await Self.memberships(gateway) == before + 1)
        }
    }

    @Test("gives the role to somebody who is there, with the password that he has")
    func promoting() async throws {
        try await GatewayHarness.run { gateway in
            #expect(try await Self.create("demo@example.com", "", at: gateway) == .promoted)
            let body = [
                "email": "demo@example.com", "password": GatewayHarness.password,
                "tenantId": AdministratorStore.tenantId.uuidString,
            ]
            let login = try await gateway.post("/api/auth/login", body).decode(LoginAnswer.self)
            #expect(login.roles == ["system_admin"])
            // Beside another role in that tenant.
            let tenant = AdministratorStore.tenantId
            try await gateway.database.superuser.query(
                "UPDATE memberships SET roles = ARRAY['viewer'] WHERE tenant_id = \(tenant)")
            #expect(try await Self.create("demo@example.com", GatewayHarness.password, at: gateway) == .promoted)
            let both = try await gateway.post("/api/auth/login", body).decode(LoginAnswer.self)
            #expect(both.roles == ["viewer", "system_admin"])
        }
    }

    @Test("refuses what leads to nobody, and changes nothing")
    func refusals() async throws {
        try await GatewayHarness.run { gateway in
            let before = try await Self.memberships(gateway)
            await #expect(throws: AdministratorRefusal.otherPassword) {
                try await Self.create("demo@example.com", Self.password, at: gateway)
            }
            await #expect(throws: AdministratorRefusal.passwordMissing) {
                try await Self.create("nobody@example.com", nil, at: gateway)
            }
            try await gateway.database.superuser.query("UPDATE users SET status = 'disabled' WHERE email = 'demo@example.com'")
            await #expect(throws: AdministratorRefusal.disabledUser) {
                try await Self.create("demo@example.com", nil, at: gateway)
            }
            #expect(try await Self.memberships(gateway) == before)
        }
    }

    @Test(
        "takes an address and a password that can be right",
        arguments: [([], "long enough it is"), (["a@b.c", "password"], nil), (["example.com"], nil), (["a@b.c"], "short")])
    func rules(arguments: [String], password: String?) {
        #expect(throws: TenantOrder.WrongOrder.self) { try AdministratorOrder(arguments, password: password.map(Secret.init)) }
    }
}
