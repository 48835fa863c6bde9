import ConcurrencySupport
import Foundation
import HTTPCore
import HTTPServing
import Observability
import PostgresStore
import TestSupport
import Testing

@testable import GatewayBFF

@Suite("The write ledger")
struct WriteLedgerTests {
    private static let created = WriteLedger.Outcome(
        Response(
            .created, headers: ["Location": "/api/contents/1", "Content-Type": "application/json"], body: .bytes([1, 2, 3])))
    private static let failed = WriteLedger.Outcome(failed: .serviceUnavailable)

    private struct Bench {
        let database: TestDatabase
        let tenant = UUID.version7()
        let ledger: WriteLedger

        init(_ database: TestDatabase) async throws {
            self.database = database
            ledger = WriteLedger(database: database.app, instanceId: UUID.version7())
            try await beat()
        }

        func beat() async throws {
            try await InstanceHeartbeat(instanceId: ledger.instanceId, database: database.app, logger: .silent).beat()
        }

        func key(_ text: String = "k-1", tenant: UUID? = nil, principal: String = "u1") -> WriteLedger.Key {
            .init(tenantId: tenant ?? self.tenant, principal: principal, route: "POST /api/titles", key: text)
        }

        func audit(tenant: UUID? = nil) -> AuditEntry {
            AuditEntry(
                id: UUID.version7(), tenantId: tenant ?? self.tenant, actor: "u1", action: "POST /api/titles",
                flow: "TitleGeneration",
                requestId: "request-1", operationId: UUID.version7(), clientAddress: "127.0.0.1")
        }

        func claim(
            _ key: WriteLedger.Key, body: [UInt8] = [7], with ledger: WriteLedger? = nil, lease: Duration = .seconds(60)
        ) async throws -> Idempotency.Claim {
            try await (ledger ?? self.ledger).claim(key, fingerprint: body, audit: audit(tenant: key.tenantId), lease: lease)
        }
    }

    private func withBench(_ test: @Sendable (Bench) async throws -> Void) async throws {
        try await TestDatabase.withClone(of: GatewayHarness.template) { try await test(Bench($0)) }
    }

    @Test("forgets the answers of an erased tenant, not what comes after, and nobody else's")
    func erased() async throws {
        try await withBench { bench in
            let other = UUID.version7()
            func answer(_ key: WriteLedger.Key) async throws {
                guard case .granted(_, let claimId) = try await bench.claim(key) else { return }
                try await bench.ledger.finish(key, claimId: claimId, audit: bench.audit(tenant: key.tenantId), Self.created)
            }
            for number in 0..<3 { try await answer(bench.key("k-\(number)")) }
            try await answer(bench.key(tenant: other))
            _ = try await bench.claim(bench.key("under-way"))
            var order = bench.key("order")
            order = .init(tenantId: order.tenantId, principal: order.principal, route: ErasedAnswers.order, key: order.key)
            try await answer(order)
            // More than go at a time.
            try await bench.database.superuser.query(
                """
                INSERT INTO idempotency_keys (tenant_id, principal, route, key, fingerprint, operation_id, state, claim_id, instance_id,
                    lease_until)
                SELECT tenant_id, principal, route, 'n-' || n, fingerprint, operation_id, state, claim_id, instance_id, lease_until
                FROM idempotency_keys, generate_series(1, \(ErasedAnswers.batch)) AS n WHERE key = 'k-0'
                """)
            let time: Date = try await bench.database.superuser.query("SELECT app_now() AS at").only.decode("at")
            try await bench.database.setClock(offset: .seconds(5))
            try await answer(bench.key("after"))
            try await ErasedAnswers(system: bench.database.system).erase(of: bench.tenant, before: time)
            let left = try await bench.database.superuser.query("SELECT tenant_id, key FROM idempotency_keys ORDER BY key")
            #expect(try left.map { try $0.decode("key", as: String.self) } == ["after", "k-1", "order", "under-way"])
            #expect(try left[1].decode("tenant_id", as: UUID.self) == other)
            let again = try await bench.claim(bench.key("k-0"))
            let isNew = if case .granted = again { true } else { false }
            #expect(isNew)
        }
    }

    @Test("repeats the stored answer for the same key and body")
    func replay() async throws {
        try await withBench { bench in
            let audit = bench.audit()
            guard
                case .granted(let operation, let claim) = try await bench.ledger.claim(
                    bench.key(), fingerprint: [7], audit: audit, lease: .seconds(60))
            else { throw Unexpected() }
            #expect(operation == audit.operationId)
            #expect(try await bench.claim(bench.key()) == .inFlight)
            try await bench.ledger.finish(bench.key(), claimId: claim, audit: audit, Self.created)
            #expect(
                try await bench.claim(bench.key())
                    == .replay(
                        .init(
                            status: 201, headers: ["Location": "/api/contents/1", "Content-Type": "application/json"],
                            body: [1, 2, 3])))
            #expect(try await bench.claim(bench.key(), body: [8]) == .otherBody)
            // One granted claim, one audit row, completed.
            let rows = try await bench.database.app.query("SELECT status, resource FROM audit_log", tenant: bench.tenant)
            #expect(rows.count == 1)
            #expect(try rows.first?.decode("status", as: Int.self) == 201)
            #expect(try rows.first?.decode("resource", as: String.self) == "/api/contents/1")
        }
    }

    @Test("grants one of many who come at once")
    func race() async throws {
        try await withBench { bench in
            let claims = try await withThrowingTaskGroup(of: Idempotency.Claim.self) { group in
                for _ in 0..<20 { group.addTask { try await bench.claim(bench.key()) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(claims.filter { if case .granted = $0 { true } else { false } }.count == 1)
            #expect(claims.filter { $0 == .inFlight }.count == 19)
        }
    }

    @Test("keeps the operation id when an attempt failed, and lets the next one in")
    func reopened() async throws {
        try await withBench { bench in
            let audit = bench.audit()
            guard
                case .granted(let first, let claim) = try await bench.ledger.claim(
                    bench.key(), fingerprint: [7], audit: audit, lease: .seconds(60))
            else { throw Unexpected() }
            try await bench.ledger.finish(bench.key(), claimId: claim, audit: audit, Self.failed)
            #expect(try await bench.claim(bench.key(), body: [8]) == .otherBody)
            guard case .granted(let second, let claim2) = try await bench.claim(bench.key()) else { throw Unexpected() }
            #expect(second == first)
            #expect(claim2 != claim)
        }
    }

    @Test("takes over from a dead instance, and what that one says afterwards does not count")
    func takeover() async throws {
        try await withBench { bench in
            let dead = WriteLedger(database: bench.database.app, instanceId: UUID.version7())
            let audit = bench.audit()
            guard
                case .granted(let operation, let oldClaim) = try await dead.claim(
                    bench.key(), fingerprint: [7], audit: audit, lease: .seconds(60))
            else { throw Unexpected() }
            // Young claims of an unknown instance are left alone: it may just be starting.
            #expect(try await bench.claim(bench.key()) == .inFlight)
            try await bench.database.setClock(offset: .seconds(7))
            try await bench.beat()
            // `dead` never beat. Its claim is free although the lease is long.
            guard case .granted(let again, let newClaim) = try await bench.claim(bench.key()) else { throw Unexpected() }
            #expect(again == operation)
            try await dead.finish(bench.key(), claimId: oldClaim, audit: audit, Self.created)
            #expect(try await bench.claim(bench.key()) == .inFlight)
            try await bench.ledger.finish(bench.key(), claimId: newClaim, audit: audit, Self.created)
            guard case .replay = try await bench.claim(bench.key()) else { throw Unexpected() }
        }
    }

    @Test("lets a claim lapse with its lease, though the instance lives")
    func lease() async throws {
        try await withBench { bench in
            guard case .granted(let operation, _) = try await bench.claim(bench.key(), lease: .zero) else { throw Unexpected() }
            guard case .granted(let again, _) = try await bench.claim(bench.key()) else { throw Unexpected() }
            #expect(again == operation)
        }
    }

    @Test("keeps tenants, principals and keys apart")
    func scopes() async throws {
        try await withBench { bench in
            let keys = [
                bench.key(), bench.key(tenant: UUID.version7()), bench.key(principal: "u2"), bench.key("k-2"),
            ]
            for key in keys {
                guard case .granted = try await bench.claim(key) else { throw Unexpected() }
            }
        }
    }

    @Test("is swept after 24 hours, but not while it is in flight")
    func sweep() async throws {
        try await withBench { bench in
            let audit = bench.audit()
            guard
                case .granted(_, let claim) = try await bench.ledger.claim(
                    bench.key("old"), fingerprint: [7], audit: audit, lease: .seconds(60))
            else { throw Unexpected() }
            try await bench.ledger.finish(bench.key("old"), claimId: claim, audit: audit, Self.created)
            guard case .granted = try await bench.claim(bench.key("flying"), lease: .seconds(100 * 3_600)) else {
                throw Unexpected()
            }
            try await bench.database.setClock(offset: .seconds(24 * 3_600 + 1))
            try await Sweeper(system: bench.database.system, logger: .silent).sweep()
            let left = try await bench.database.app.query("SELECT key FROM idempotency_keys", tenant: bench.tenant)
            #expect(try left.map { try $0.decode("key", as: String.self) } == ["flying"])
        }
    }

    private struct Unexpected: Error {}
}
