import Cryptography
import Foundation
import HTTPCore
import HTTPServing
import Observability
import ServiceDefaults
import TestSupport
import Testing

@Suite struct InternalAuthenticationTests {
    private var client: InProcessClient {
        var router = Router()
        let verifier = ContextVerifier(service: .contentCenter, publicKeys: TestContext.publicKeys)
        router.group(InternalAuthentication(verifier: verifier)) { group in
            group.on(.get, "/v1/who") { request in
                let principal = try request.principal
                return try .json(
                    .ok,
                    [
                        "tenant": principal.tenantId.uuidString, "caller": request.callingService?.rawValue ?? "",
                        "logged": CallContext.current?.tenantId?.uuidString ?? "",
                    ])
            }
        }
        router.on(.get, "/open") { request in try .json(.ok, ["subject": try request.principal.subject]) }
        return InProcessClient(router)
    }

    @Test func tellsTheHandlerForWhomTheCallIs() async throws {
        let response = try await client.send(.get, "/v1/who", headers: try TestContext.headers(to: .contentCenter))
        #expect(response.status == .ok)
        let answer = try response.decode([String: String].self)
        #expect(answer["tenant"] == TestContext.tenant.uuidString)
        #expect(answer["logged"] == TestContext.tenant.uuidString)
        #expect(answer["caller"] == "gateway-bff")
    }

    @Test func refusesCallsWithoutAGoodContext() async throws {
        let token = try TestContext.token(to: .contentCenter)
        let wrong = [
            [:], ["Authorization": token], ["Authorization": "Basic \(token)"], ["Authorization": "Bearer "],
            ["Authorization": "Bearer \(try TestContext.token(to: .agentCenter))"],
            ["Authorization": "Bearer \(try TestContext.token(to: .contentCenter, age: 120))"],
            ["Authorization": "Bearer \(try TestContext.token(to: .contentCenter, key: .generate()))"],
        ]
        for fields in wrong {
            var headers = HTTPHeaders()
            for (name, value) in fields { headers[name] = value }
            let response = try await client.send(.get, "/v1/who", headers: headers)
            #expect(response.status == .unauthorized)
            #expect(try response.problem().code == "auth.invalid_context")
            #expect(response.headers["WWW-Authenticate"] == "Bearer")
        }
    }

    @Test func refusesTwoTokens() async throws {
        var headers = try TestContext.headers(to: .contentCenter)
        headers.add("Authorization", "Bearer \(try TestContext.token(to: .contentCenter))")
        #expect(try await client.send(.get, "/v1/who", headers: headers).status == .unauthorized)
    }

    @Test func refusesCallersWithoutAnArrow() async throws {
        let headers = try TestContext.headers(from: .agentCenter, to: .contentCenter)
        let response = try await client.send(.get, "/v1/who", headers: headers)
        #expect(response.status == .forbidden)
        #expect(try response.problem().code == "auth.arrow_missing")
    }

    @Test func aRouteWithoutAuthenticationHasNoPrincipal() async throws {
        let response = try await client.send(.get, "/open", headers: try TestContext.headers(to: .contentCenter))
        #expect(response.status == .unauthorized)
    }
}
