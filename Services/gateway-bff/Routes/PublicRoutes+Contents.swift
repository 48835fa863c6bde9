import HTTPCore
import ServiceDefaults

/// What the tenant made: content-center.
extension PublicRoutes {
    static let contents = [
        PublicRoute(
            method: .get, path: "/api/assets/{id}/content", flow: "Assets", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/assets/{id}/content"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/contents", flow: "Contents", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/contents"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/contents/{id}", flow: "Contents", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/contents/{id}"), rateClass: .read),
        PublicRoute(
            method: .patch, path: "/api/contents/{id}", flow: "Contents", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/contents/{id}"), rateClass: .write),
        PublicRoute(
            method: .get, path: "/api/contents/{id}/export", flow: "ContentExport", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/contents/{id}/export"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/contents/{id}/versions", flow: "Contents", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/contents/{id}/versions"), rateClass: .read),
    ]
}
