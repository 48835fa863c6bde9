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
}
