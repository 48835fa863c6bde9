import HTTPCore
import ServiceDefaults

/// The closing materials (成交素材库), and who the bound accounts are: content-center.
extension PublicRoutes {
    static let materials = [
        PublicRoute(
            method: .post, path: "/api/materials", flow: "MaterialLibrary", access: .member(.writeMaterials),
            target: .upstream(.contentCenter, path: "/v1/materials"), rateClass: .write, idempotency: .optional,
            isFoundAgain: true,
            maximumBodyBytes: 256 * 1024),
        PublicRoute(
            method: .get, path: "/api/materials", flow: "MaterialLibrary", access: .member(.readMaterials),
            target: .upstream(.contentCenter, path: "/v1/materials"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/materials/recommended", flow: "MaterialLibrary", access: .member(.readMaterials),
            target: .upstream(.contentCenter, path: "/v1/materials/recommended"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/materials/{id}", flow: "MaterialLibrary", access: .member(.readMaterials),
            target: .upstream(.contentCenter, path: "/v1/materials/{id}"), rateClass: .read),
        PublicRoute(
            method: .patch, path: "/api/materials/{id}", flow: "MaterialLibrary", access: .member(.writeMaterials),
            target: .upstream(.contentCenter, path: "/v1/materials/{id}"), rateClass: .write, maximumBodyBytes: 256 * 1024),
        PublicRoute(
            method: .delete, path: "/api/materials/{id}", flow: "MaterialLibrary", access: .member(.writeMaterials),
            target: .upstream(.contentCenter, path: "/v1/materials/{id}"), rateClass: .write),
        PublicRoute(
            method: .post, path: "/api/materials/{id}/approve", flow: "MaterialLibrary", access: .member(.approveMaterials),
            target: .upstream(.contentCenter, path: "/v1/materials/{id}/approve"), rateClass: .write, idempotency: .optional,
            isFoundAgain: true),
        PublicRoute(
            method: .post, path: "/api/materials/{id}/reject", flow: "MaterialLibrary", access: .member(.approveMaterials),
            target: .upstream(.contentCenter, path: "/v1/materials/{id}/reject"), rateClass: .write, idempotency: .optional,
            isFoundAgain: true),
        PublicRoute(
            method: .post, path: "/api/materials/{id}/restore", flow: "MaterialLibrary", access: .member(.writeMaterials),
            target: .upstream(.contentCenter, path: "/v1/materials/{id}/restore"), rateClass: .write, isFoundAgain: true),
        PublicRoute(
            method: .get, path: "/api/materials/{id}/outcomes", flow: "MaterialLibrary", access: .member(.readMaterials),
            target: .upstream(.contentCenter, path: "/v1/materials/{id}/outcomes"), rateClass: .read),
        PublicRoute(
            method: .post, path: "/api/materials/{id}/outcomes", flow: "MaterialLibrary", access: .member(.writeMaterials),
            target: .upstream(.contentCenter, path: "/v1/materials/{id}/outcomes"), rateClass: .write, idempotency: .optional,
            isFoundAgain: true),
    ]

    static let accountMaterial = [
        PublicRoute(
            method: .get, path: "/api/accounts/{id}/material", flow: "AccountManagement", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/accounts/{id}/material"), rateClass: .read)
    ]
}
