import HTTPCore
import ServiceDefaults

/// The flows: each goes to orchestration-service, which knows the business.
extension PublicRoutes {
    static let flows = [
        PublicRoute(
            method: .post, path: "/api/titles", flow: "TitleGeneration", access: .member(.generateTitles),
            target: .upstream(.orchestrationService, path: "/v1/titles"), rateClass: .generate, idempotency: .optional)
    ]
}
