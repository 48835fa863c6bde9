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

@Suite("Making a tenant")
struct TenantCreationTests {
    private static let password = "a long enough one"

    private static func order(
        _ name: String = "喵喵家", _ email: String = "Owner@Example.com", _ password: String = password
    ) throws -> TenantOrder {
        try TenantOrder([name, email], password: Secret(password))
    }

    /// As the command does it, with a connection of its own.
    private static func create(_ order: TenantOrder, at gateway: GatewayHarness) async throws -> (tenantId: UUID, isNew: Bool) {
        let owner = Database(configuration: gateway.database.ownerConfiguration)
        let creation = TenantCreationStore(
            owner: owner, app: gateway.runtime.database, system: gateway.runtime.system, hasher: GatewayHarness.cheapHasher)
        do {
            let made = try await creation.create(order)
            await owner.close()
            return made
        } catch {
            await owner.close()
            throw error
        }
    }

    private static func counts(_ gateway: GatewayHarness) async throws -> [Int] {
        var counts: [Int] = []
        for table in ["tenants", "users", "memberships"] {
            let rows = try await gateway.database.superuser.query("SELECT count(*) AS n FROM \(identifier: table)")
            counts.append(try rows.only.decode("n"))
        }
        return counts
    }

    @Test("lets its owner sign in, and once is enough")
    func making() async throws {
        try await GatewayHarness.run { gateway in
            let made = try await Self.create(Self.order(), at: gateway)
            #expect(made.isNew)
            let body = ["email": "owner@example.com", "password": Self.password]
            let login = try await gateway.post("/api/auth/login", body).decode(LoginAnswer.self)
            #expect(login.tenantId == made.tenantId && login.roles == ["tenant_admin"])
            let answer = try await gateway.client.send(.get, "/api/api-keys", headers: gateway.bearer(login))
            #expect(answer.status == .ok)

            let before = try await Self.counts(gateway)
            let again = try await Self.create(Self.order(), at: gateway)
            #expect(again.tenantId == made.tenantId && !again.isNew)
            #expect(try await Self.counts(gateway) == before && before == [3, 3, 3])
        }
    }

    @Test("refuses another's address and another's name, and changes nothing")
    func refusals() async throws {
        try await GatewayHarness.run { gateway in
            _ = try await Self.create(Self.order(), at: gateway)
            let before = try await Self.counts(gateway)
            let wrong: [(TenantOrder, TenantRefusal)] = [
                (try Self.order("另一家", "owner@example.com", "another password"), .otherPassword),
                (try Self.order("喵喵家", "owner@example.com", "another password"), .otherPassword),
                (try Self.order("喵喵家", "somebody@example.com"), .nameTaken),
                (try Self.order("演示企业一", "owner@example.com"), .nameTaken),
            ]
            for (order, refusal) in wrong {
                await #expect(throws: refusal) { try await Self.create(order, at: gateway) }
            }
            try await gateway.database.superuser.query("UPDATE users SET status = 'disabled' WHERE email = 'owner@example.com'")
            await #expect(throws: TenantRefusal.disabledUser) { try await Self.create(Self.order("新的"), at: gateway) }
            #expect(try await Self.counts(gateway) == before)
        }
    }

    @Test("gives somebody who is there a second tenant, with the same password")
    func second() async throws {
        try await GatewayHarness.run { gateway in
            let first = try await Self.create(Self.order(), at: gateway)
            let second = try await Self.create(Self.order("汪汪家"), at: gateway)
            #expect(second.isNew && second.tenantId != first.tenantId)
            for made in [first, second] {
                let body = [
                    "email": "owner@example.com", "password": Self.password, "tenantId": made.tenantId.uuidString,
                ]
                #expect(try await gateway.post("/api/auth/login", body).status == .ok)
            }
            #expect(try await Self.counts(gateway) == [4, 3, 4])
        }
    }

    @Test("makes one, however many ask at once")
    func race() async throws {
        try await GatewayHarness.run { gateway in
            let made = try await withThrowingTaskGroup(of: (tenantId: UUID, isNew: Bool).self) { group in
                for _ in 0..<4 { group.addTask { try await Self.create(Self.order(), at: gateway) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(made.map { $0.tenantId }).count == 1 && made.filter { $0.isNew }.count == 1)
            #expect(try await Self.counts(gateway) == [3, 3, 3])
        }
    }

    @Test(
        "takes a name, an address and a password that can be right",
        arguments: [
            ([], "long enough it is"), (["喵喵家"], "long enough it is"), (["喵喵家", "a@b.c", "password"], "long enough it is"),
            ([" ", "a@b.c"], "long enough it is"), (["喵喵家", "example.com"], "long enough it is"),
            (["喵喵家", "a @b.c"], "long enough it is"), (["喵喵家", "@b.c"], "long enough it is"), (["喵喵家", "a@b.c"], "short"),
            ([String(repeating: "名", count: 101), "a@b.c"], "long enough it is"), (["喵喵家", "a@b.c"], ""),
        ])
    func rules(arguments: [String], password: String) {
        #expect(throws: TenantOrder.WrongOrder.self) { try TenantOrder(arguments, password: Secret(password)) }
    }
}
