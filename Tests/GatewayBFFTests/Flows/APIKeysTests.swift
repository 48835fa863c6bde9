import ConcurrencySupport
import Cryptography
import DTO
import Foundation
import HTTPCore
import HTTPServing
import Observability
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import GatewayBFF

@Suite("API keys")
struct APIKeysTests {
    private static func create(
        _ gateway: GatewayHarness, _ login: LoginAnswer, scopes: [String] = ["contents:read"], expiresAt: String? = nil,
        key: String? = nil
    ) async throws -> TestResponse {
        var headers = gateway.bearer(login, ["Content-Type": "application/json"])
        if let key { headers["Idempotency-Key"] = key }
        var body = JSONObject()
        body["name"] = "脚本"
        body["scopes"] = .array(scopes.map { JSONValue.string($0) })
        if let expiresAt { body["expiresAt"] = .string(expiresAt) }
        return try await gateway.client.send(.post, "/api/api-keys", headers: headers, body: JSONValue.object(body).encode())
    }

    private static func secret(_ response: TestResponse) throws -> String {
        try #require(response.decode(CreatedAPIKey.self).key)
    }

    @Test("sign a program in, with the key's scopes and no more")
    func use() async throws {
        try await GatewayHarness.run { gateway in
            let login = try await gateway.signIn()
            let response = try await Self.create(gateway, login)
            #expect(response.status == .created)
            let created = try response.decode(CreatedAPIKey.self)
            let key = try Self.secret(response)
            #expect(key.hasPrefix(created.prefix) && key.utf8.count > 40)
            #expect(response.headers["Location"] == "/api/api-keys/\(created.id.uuidString.lowercased())")

            let headers: HTTPHeaders = ["Authorization": "Bearer \(key)"]
            #expect(try await gateway.client.send(.get, "/api/contents", headers: headers).status == .ok)
            // What the services are told.
            let context = try #require(gateway.calls.all.last?.headers["Authorization"])
            let parts = context.split(separator: ".")
            let claims = try JSONValue(parsing: #require(parts.count == 3 ? Base64URL.decode(parts[1]) : nil))
            #expect(claims["sub"]?.string == "client:\(created.id.uuidString.lowercased())")
            #expect(claims["tenant"]?.string == login.tenantId.uuidString.lowercased())
            #expect(claims["scopes"]?.array == [.string("contents:read")] && claims["roles"]?.array == [])

            let refused = try await gateway.post("/api/titles", headers: headers, ["topic": "猫"])
            #expect(refused.status == .forbidden)
            #expect(try refused.problem().code == "auth.permission_missing")
        }
    }

    @Test("that may have texts written may post what became of them, and no more of an experiment")
    func outcomes() async throws {
        try await GatewayHarness.run { gateway in
            let created = try await Self.create(gateway, gateway.signIn(), scopes: ["ai:generate"])
            let headers: HTTPHeaders = [
                "Authorization": "Bearer \(try Self.secret(created))", "Content-Type": "application/json",
            ]
            let path = "/api/experiments/\(UUID().uuidString.lowercased())"
            let body = Array(#"{"kind":"accepted"}"#.utf8)
            let posted = try await gateway.client.send(.post, path + "/outcomes", headers: headers, body: body)
            #expect(posted.status.isSuccess, "\(posted.text)")
            #expect(gateway.calls.all.last?.path.hasSuffix("/outcomes") == true)
            #expect(try await gateway.client.send(.post, path + "/start", headers: headers).status == .forbidden)
        }
    }

    @Test("are stored as hashes only")
    func storedHashed() async throws {
        try await GatewayHarness.run { gateway in
            let key = try Self.secret(try await Self.create(gateway, gateway.signIn()))
            let rows = try await gateway.database.superuser.query(
                "SELECT to_jsonb(k)::text || encode(key_sha256, 'hex') AS row FROM api_keys k")
            let row: String = try rows.only.decode("row")
            #expect(!row.contains(key.dropFirst(8)))
            #expect(row.contains("脚本"))
        }
    }

    @Test("cannot be given what keys must not have, or what their maker lacks")
    func scopes() async throws {
        try await GatewayHarness.run { gateway in
            let login = try await gateway.signIn()
            for (scope, code) in [
                ("api_keys:manage", "not_grantable"), ("ai:admin", "not_grantable"), ("fly:away", "unknown_scope"),
            ] {
                let response = try await Self.create(gateway, login, scopes: ["contents:read", scope])
                #expect(response.status == .unprocessableContent)
                let error = try #require(response.problem().errors?.first)
                #expect(error.pointer == "/scopes/1" && error.code == code)
            }
            #expect(try await Self.create(gateway, login, scopes: []).status == .unprocessableContent)
            #expect(
                try await Self.create(gateway, login, expiresAt: "2020-01-01T00:00:00Z").problem().errors?.first?.pointer
                    == "/expiresAt")
            let count = try await gateway.database.superuser.query("SELECT count(*) AS n FROM api_keys").only
            #expect(try count.decode("n", as: Int.self) == 0)
        }
    }

    @Test("end when revoked, at once where that was done and soon elsewhere; revoking twice does no harm")
    func revocation() async throws {
        try await GatewayHarness.run { gateway in
            let login = try await gateway.signIn()
            let response = try await Self.create(gateway, login)
            let created = try response.decode(CreatedAPIKey.self)
            let headers: HTTPHeaders = ["Authorization": "Bearer \(try Self.secret(response))"]
            let elsewhere = APIKeyDirectory(
                store: APIKeysStore(app: gateway.runtime.database, system: gateway.runtime.system), logger: .silent)
            #expect(try await gateway.client.send(.get, "/api/contents", headers: headers).status == .ok)
            #expect(try await elsewhere.member(for: Self.secret(response)) != nil)

            let path = "/api/api-keys/\(created.id.uuidString)"
            for _ in 1...2 {
                #expect(try await gateway.client.send(.delete, path, headers: gateway.bearer(login)).status == .noContent)
            }
            let refused = try await gateway.client.send(.get, "/api/contents", headers: headers)
            #expect(refused.status == .unauthorized)
            #expect(try refused.problem().title == "API 密钥无效、已过期或已撤销")
            #expect(try refused.problem().code == "auth.token_invalid")
            try await eventually { try await elsewhere.member(for: Self.secret(response)) == nil }
            let shown = try await gateway.client.send(.get, path, headers: gateway.bearer(login)).decode(APIKey.self)
            #expect(shown.revokedAt != nil)
        }
    }

    @Test("end when they expire")
    func expiry() async throws {
        try await GatewayHarness.run { gateway in
            let soon = RFC3339.format(Date().addingTimeInterval(1))
            let response = try await Self.create(gateway, gateway.signIn(), expiresAt: soon)
            let headers: HTTPHeaders = ["Authorization": "Bearer \(try Self.secret(response))"]
            try await eventually {
                try await gateway.client.send(.get, "/api/contents", headers: headers).status == .unauthorized
            }
        }
    }

    @Test("are shown once: a replay leaves the key out, and nothing stored holds it")
    func replay() async throws {
        try await GatewayHarness.run { gateway in
            let login = try await gateway.signIn()
            let first = try await Self.create(gateway, login, key: "k-1")
            let again = try await Self.create(gateway, login, key: "k-1")
            #expect(again.headers["Idempotent-Replayed"] == "true")
            let (one, two) = (try first.decode(CreatedAPIKey.self), try again.decode(CreatedAPIKey.self))
            #expect(one.key != nil && two.key == nil && one.id == two.id)
            let stored = try await gateway.database.superuser.query(
                "SELECT convert_from(response_body, 'UTF8') AS body FROM idempotency_keys"
            ).only
            #expect(try !stored.decode("body", as: String.self).contains("dmk_" + #require(one.key).dropFirst(4)))
        }
    }

    @Test("are listed without the key, by page, with their last use")
    func list() async throws {
        try await GatewayHarness.run { gateway in
            let login = try await gateway.signIn()
            var key = ""
            for _ in 1...3 { key = try Self.secret(try await Self.create(gateway, login)) }
            _ = try await gateway.client.send(.get, "/api/contents", headers: ["Authorization": "Bearer \(key)"])
            let directory = APIKeyDirectory(
                store: APIKeysStore(app: gateway.runtime.database, system: gateway.runtime.system), logger: .silent)
            _ = try await directory.member(for: key)
            await directory.recordUse()

            let first = try await gateway.client.send(.get, "/api/api-keys?limit=2", headers: gateway.bearer(login))
            #expect(!String(decoding: first.body, as: UTF8.self).contains(key))
            let page = try first.decode(Page<APIKey>.self)
            #expect(page.items.count == 2 && page.items[0].lastUsedAt != nil && page.items[1].lastUsedAt == nil)
            let cursor = try #require(page.nextCursor)
            let rest = try await gateway.client.send(.get, "/api/api-keys?cursor=\(cursor)", headers: gateway.bearer(login))
                .decode(Page<APIKey>.self)
            #expect(rest.items.count == 1 && rest.nextCursor == nil)
        }
    }

    @Test("of one tenant do not exist for another")
    func tenants() async throws {
        try await GatewayHarness.run { gateway in
            let (one, two) = (try await gateway.signIn(), try await gateway.signIn("demo2@example.com"))
            let response = try await Self.create(gateway, one)
            let path = "/api/api-keys/\(try response.decode(CreatedAPIKey.self).id.uuidString)"
            for method in [HTTPMethod.get, .delete] {
                #expect(try await gateway.client.send(method, path, headers: gateway.bearer(two)).status == .notFound)
            }
            let list = try await gateway.client.send(.get, "/api/api-keys", headers: gateway.bearer(two))
            #expect(try list.decode(Page<APIKey>.self).items.isEmpty)
            let headers: HTTPHeaders = ["Authorization": "Bearer \(try Self.secret(response))"]
            #expect(try await gateway.client.send(.get, "/api/contents", headers: headers).status == .ok)
        }
    }
}
