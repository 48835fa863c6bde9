import ConcurrencySupport
import FoundationEssentials
import HTTPCore
import HTTPServing
import PostgresStore

/// The rows that make a write accountable: its idempotency claim and its audit entry, together in one round trip before the call and one
/// after it.
struct WriteLedger: Sendable {
    /// What identifies a claim.
    struct Key: Sendable {
        let tenantId: UUID
        let principal: String
        /// Method and route template.
        let route: String
        let key: String
    }

    /// What came of a write.
    struct Outcome: Sendable {
        let status: Int
        /// Where what was made can be found.
        let resource: String?
        /// The answer to repeat under the key; `nil` leaves the key open for another attempt.
        var settled: Idempotency.StoredResponse?

        init(_ response: Response) {
            status = response.status.code
            resource = response.headers["Location"]
            settled = Idempotency.StoredResponse(settling: response)
        }

        /// No answer: the key stays open.
        init(failed status: HTTPStatus) {
            self.status = status.code
            resource = nil
            settled = nil
        }

        /// The same with no more of the answer to repeat than the route lets keep.
        func kept(by idempotency: PublicRoute.Idempotency) -> Outcome {
            var outcome = self
            switch idempotency {
            case .none, .optional: break
            case .replayRedacted(let members): outcome.settled = settled?.leavingOut(members)
            case .answeredAnew: outcome.settled = nil
            }
            return outcome
        }
    }

    let database: Database
    /// This process; see ``InstanceHeartbeat``.
    let instanceId: UUID

    /// An instance that has not beaten for this long is taken for dead, and its claims, once they are as old, for abandoned.
    private static let instanceTimeout = "interval '6 seconds'"

    /// Takes the key, or says why not. A granted claim has its audit row.
    func claim(_ key: Key, fingerprint: [UInt8], audit: AuditEntry, lease: Duration) async throws -> Idempotency.Claim {
        let claimId = UUID.version7()
        let granted = try await database.query(
            """
            WITH claim AS (
                INSERT INTO idempotency_keys AS k
                    (tenant_id, principal, route, key, fingerprint, operation_id, state, claim_id, instance_id, lease_until)
                VALUES (\(key.tenantId), \(key.principal), \(key.route), \(key.key), \(fingerprint), \(audit.operationId), 'in_flight',
                    \(claimId), \(instanceId), app_now() + make_interval(secs => \(lease.inSeconds)))
                ON CONFLICT (tenant_id, principal, route, key) DO UPDATE
                SET state = 'in_flight', claim_id = excluded.claim_id, instance_id = excluded.instance_id,
                    claimed_at = app_now(), lease_until = excluded.lease_until
                WHERE k.fingerprint = excluded.fingerprint
                    AND (k.state = 'open' OR k.state = 'in_flight' AND (k.lease_until < app_now()
                        OR k.claimed_at < app_now() - \(unescaped: Self.instanceTimeout) AND NOT EXISTS (
                            SELECT 1 FROM gateway_instances i
                            WHERE i.id = k.instance_id AND i.seen_at > app_now() - \(unescaped: Self.instanceTimeout))))
                RETURNING operation_id
            ), audit AS (
                INSERT INTO audit_log (tenant_id, id, actor, action, flow, request_id, operation_id, client_address)
                SELECT \(audit.tenantId), \(audit.id), \(audit.actor), \(audit.action), \(audit.flow), \(audit.requestId), operation_id,
                    \(audit.clientAddress) FROM claim
            )
            SELECT operation_id FROM claim
            """, tenant: key.tenantId)
        if let row = granted.first {
            return .granted(operationId: try row.decode("operation_id", as: UUID.self), claimId: claimId)
        }
        return try await existing(key, fingerprint: fingerprint)
    }

    private func existing(_ key: Key, fingerprint: [UInt8]) async throws -> Idempotency.Claim {
        let rows = try await database.query(
            """
            SELECT fingerprint, state, response_status, response_headers, response_body FROM idempotency_keys
            WHERE tenant_id = \(key.tenantId) AND principal = \(key.principal) AND route = \(key.route) AND key = \(key.key)
            """, tenant: key.tenantId)
        // Swept between the two statements: to the client this looks like a claim that is just ending.
        guard let row = rows.first else { return .inFlight }
        guard try row.decode("fingerprint", as: [UInt8].self) == fingerprint else { return .otherBody }
        guard try row.decode("state", as: String.self) == "done" else { return .inFlight }
        let headers = try row.decode("response_headers", as: JSONText.self)
        return .replay(
            Idempotency.StoredResponse(
                status: try row.decode("response_status", as: Int.self),
                headers: try JSON.decode([String: String].self, from: Array(headers.text.utf8)),
                body: try row.decode("response_body", as: [UInt8].self)))
    }

    /// Completes a claim and its audit row. A claim that somebody else has taken over meanwhile is left alone.
    func finish(_ key: Key, claimId: UUID, audit: AuditEntry, _ outcome: Outcome) async throws {
        let headers = try outcome.settled.map { JSONText(String(decoding: try JSON.encode($0.headers), as: UTF8.self)) }
        _ = try await database.query(
            """
            WITH claim AS (
                UPDATE idempotency_keys SET state = \(outcome.settled == nil ? "open" : "done"),
                    response_status = \(outcome.settled?.status as Int?), response_headers = \(headers as JSONText?),
                    response_body = \(outcome.settled?.body as [UInt8]?)
                WHERE tenant_id = \(key.tenantId) AND principal = \(key.principal) AND route = \(key.route) AND key = \(key.key)
                    AND claim_id = \(claimId) AND state = 'in_flight'
            )
            UPDATE audit_log SET status = \(outcome.status), resource = \(outcome.resource as String?)
            WHERE tenant_id = \(audit.tenantId) AND id = \(audit.id)
            """, tenant: key.tenantId)
    }

    /// A write without a key: the audit row alone.
    func begin(_ audit: AuditEntry) async throws {
        _ = try await database.query(
            """
            INSERT INTO audit_log (tenant_id, id, actor, action, flow, request_id, operation_id, client_address)
            VALUES (\(audit.tenantId), \(audit.id), \(audit.actor), \(audit.action), \(audit.flow), \(audit.requestId),
                \(audit.operationId), \(audit.clientAddress))
            """, tenant: audit.tenantId)
    }

    func finish(_ audit: AuditEntry, _ outcome: Outcome) async throws {
        _ = try await database.query(
            """
            UPDATE audit_log SET status = \(outcome.status), resource = \(outcome.resource as String?)
            WHERE tenant_id = \(audit.tenantId) AND id = \(audit.id)
            """, tenant: audit.tenantId)
    }
}
