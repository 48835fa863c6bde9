import DTO
import Foundation
import HTTPCalling
import HTTPCore
import HTTPServing
import Observability
import ServiceDefaults
import TestSupport
import Testing

@testable import GatewayBFF

/// Which writes are sent again when nobody knows whether the first one arrived.
@Suite("Repeats of forwarded requests")
struct RepeatTests {
    /// Those that the services do not find again: their repeat would be refused for what they did themselves.
    private static let once: Set = [
        "POST /api/ai/budgets", "PUT /api/ai/budgets/{id}", "DELETE /api/ai/budgets/{id}", "POST /api/ai/aliases",
        "POST /api/ai/prices",
        "DELETE /api/ai/providers/{name}", "DELETE /api/ai/providers/{name}/key", "DELETE /api/ai/models/{provider}/{name}",
        "DELETE /api/ai/aliases/{id}",
        "DELETE /api/ai/policies/{scene}", "DELETE /api/ai/usage/records/{operationId}/texts", "DELETE /api/ai/usage/texts",
        "DELETE /api/vocabulary/brand-words/{word}", "DELETE /api/vocabulary/banned-words/{word}", "PATCH /api/contents/{id}",
        "DELETE /api/contents/{id}", "PATCH /api/contents/{id}/labels", "PATCH /api/spaces/{id}", "DELETE /api/spaces/{id}",
        "DELETE /api/contents/{id}/comments/{commentId}", "PATCH /api/assets/{id}", "DELETE /api/assets/{id}",
        "POST /api/assets/organize", "POST /api/assets/tags/rename", "PATCH /api/asset-folders/{id}",
        "DELETE /api/asset-folders/{id}", "PATCH /api/materials/{id}", "DELETE /api/materials/{id}",
        "POST /api/experiments/{id}/start", "POST /api/experiments/{id}/stop",
    ]

    @Test("are made only where the service finds what was done")
    func repeatable() async throws {
        let signer = ContextSigner(service: .gatewayBFF, key: TestContext.key(of: .gatewayBFF))
        let tracer = Tracer(service: "test")
        let member = Member(
            tenantId: TestContext.tenant, subject: "u", roles: [], permissions: [], expiresAt: .distantFuture)
        var sentOnce: Set<String> = []
        for route in PublicRoutes.all where !route.isModelCall {
            guard case .upstream(let callee, let path) = route.target else { continue }
            let repeatable = Locked<[Bool]>([])
            let forwarding = Forwarding { callee in
                UpstreamClient(
                    callee: callee, baseURL: "http://upstream",
                    transport: { request in
                        repeatable.withLock { $0.append(request.isIdempotent) }
                        return ClientResponse(status: .ok, headers: [:], body: [])
                    }, signer: signer, tracer: tracer)
            }
            let request = Request(route.method, route.path)
            _ = try await forwarding.forward(request, member: member, to: callee, path: TargetPath(path), route: route)
            if repeatable.withLock({ $0 }) == [false] { sentOnce.insert("\(route.method) \(route.path)") }
        }
        #expect(sentOnce == Self.once)
    }

    /// Design §4: unsafe POSTs take `Idempotency-Key`.
    @Test("by clients are recognised by their key, where a POST makes something")
    func keys() {
        // Saying these twice is saying them once, or is about a secret that is never stored.
        let without: Set = [
            "/api/auth/login", "/api/runs/{id}/cancel", "/api/content-jobs/{id}/cancel", "/api/media/jobs/{id}/cancel",
            "/api/tenant/exports/{id}/cancel", "/api/contents/{id}/restore", "/api/materials/{id}/restore",
            "/api/contents/{id}/comments/{commentId}/resolve", "/api/contents/{id}/comments/{commentId}/reopen",
            "/api/assets/organize", "/api/assets/tags/rename", "/api/assets/{id}/complete",
            "/api/prompts/{name}/versions/{version}/preview",
        ]
        let posts = PublicRoutes.all.filter { $0.method == .post && !$0.isModelCall && $0.idempotency == .none }
        #expect(Set(posts.map(\.path)) == without)
    }

    @Test("are answered anew where the first answer grants something for a while, and found by the service then")
    func answeredAnew() {
        let routes = PublicRoutes.all.filter { $0.idempotency == .answeredAnew }
        #expect(routes.map(\.path) == ["/api/assets/presign"])
        #expect(routes.allSatisfy { $0.isFoundAgain })
    }
}
