import HTTPCore
import ServiceDefaults

/// The life of a tenant's data in content-center: taken out, erased, counted.
extension PublicRoutes {
    static let tenantLife = [
        PublicRoute(
            method: .post, path: "/api/tenant/exports", flow: "Privacy", access: .member(.manageTenant),
            target: .upstream(.contentCenter, path: "/v1/tenant/exports"), rateClass: .write, idempotency: .optional,
            isFoundAgain: true),
        PublicRoute(
            method: .get, path: "/api/tenant/exports", flow: "Privacy", access: .member(.manageTenant),
            target: .upstream(.contentCenter, path: "/v1/tenant/exports"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/tenant/exports/{id}", flow: "Privacy", access: .member(.manageTenant),
            target: .upstream(.contentCenter, path: "/v1/tenant/exports/{id}"), rateClass: .read),
        PublicRoute(
            method: .post, path: "/api/tenant/exports/{id}/cancel", flow: "Privacy", access: .member(.manageTenant),
            target: .upstream(.contentCenter, path: "/v1/tenant/exports/{id}/cancel"), rateClass: .write, isFoundAgain: true),
        PublicRoute(
            method: .post, path: "/api/tenant/erasure", flow: "Privacy", access: .member(.manageTenant),
            target: .upstream(.contentCenter, path: "/v1/tenant/erasure"), rateClass: .write, idempotency: .optional,
            isFoundAgain: true),
        PublicRoute(
            method: .get, path: "/api/tenant/erasure", flow: "Privacy", access: .member(.manageTenant),
            target: .upstream(.contentCenter, path: "/v1/tenant/erasure"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/tenant/storage", flow: "Privacy", access: .member(.manageTenant),
            target: .upstream(.contentCenter, path: "/v1/tenant/storage"), rateClass: .read),
    ]
}
