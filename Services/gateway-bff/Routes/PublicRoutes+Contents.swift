import HTTPCore
import ServiceDefaults

/// What the tenant made: content-center.
extension PublicRoutes {
    static let contents = [
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

/// The files of the tenant: content-center. Their bytes do not come this way, they go to and from the store under signed URLs.
extension PublicRoutes {
    static let assets = [
        PublicRoute(
            method: .get, path: "/api/assets", flow: "Assets", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/assets"), rateClass: .read),
        PublicRoute(
            method: .post, path: "/api/assets/presign", flow: "AssetUpload", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/assets/presign"), rateClass: .write),
        PublicRoute(
            method: .get, path: "/api/assets/{id}", flow: "Assets", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/assets/{id}"), rateClass: .read),
        PublicRoute(
            method: .delete, path: "/api/assets/{id}", flow: "Assets", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/assets/{id}"), rateClass: .write),
        PublicRoute(
            method: .get, path: "/api/assets/{id}/content", flow: "Assets", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/assets/{id}/content"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/assets/{id}/download-url", flow: "Assets", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/assets/{id}/download-url"), rateClass: .read),
        PublicRoute(
            method: .post, path: "/api/assets/{id}/complete", flow: "AssetUpload", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/assets/{id}/complete"), rateClass: .write),
    ]
}
