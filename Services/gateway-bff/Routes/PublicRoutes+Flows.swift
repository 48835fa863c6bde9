import HTTPCore
import ServiceDefaults

/// The flows: each goes to orchestration-service, which knows the business.
extension PublicRoutes {
    static let flows = [
        PublicRoute(
            method: .post, path: "/api/titles", flow: "TitleGeneration", access: .member(.generateTitles),
            target: .upstream(.orchestrationService, path: "/v1/titles"), rateClass: .generate, idempotency: .optional)
    ]

    /// What is going on in the flows.
    static let runs = [
        PublicRoute(
            method: .get, path: "/api/runs", flow: "Runs", access: .member(.readRuns),
            target: .upstream(.orchestrationService, path: "/v1/runs"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/runs/{id}", flow: "Runs", access: .member(.readRuns),
            target: .upstream(.orchestrationService, path: "/v1/runs/{id}"), rateClass: .read),
        PublicRoute(
            method: .post, path: "/api/runs/{id}/cancel", flow: "Runs", access: .member(.cancelRuns),
            target: .upstream(.orchestrationService, path: "/v1/runs/{id}/cancel"), rateClass: .write),
    ]
}
