import HTTPCore
import ServiceDefaults

/// The gateway's table of contents, in the order of `openapi/gateway-bff.yaml`. It drives authentication, permissions, limits,
/// idempotency and forwarding; a test compares it with the document.
enum PublicRoutes {
    static let all: [PublicRoute] =
        identity + apiKeys + flows + runs + regeneration + vocabulary + ai + prompts + contents + review + filing + assets
        + materials
        + accountMaterial + tenantLife + media
        + stream

    static let identity = [
        PublicRoute(
            method: .get, path: "/.well-known/jwks.json", flow: "Identity", access: .everyone, target: .jwks, rateClass: .read),
        PublicRoute(
            method: .post, path: "/api/auth/login", flow: "Identity", access: .everyone, target: .login, rateClass: .signIn,
            deadline: .seconds(10), maximumBodyBytes: 4 * 1024),
    ]

    static let apiKeys = [
        PublicRoute(
            method: .post, path: "/api/api-keys", flow: "Identity", access: .member(.manageAPIKeys), target: .apiKeys(.create),
            rateClass: .write, idempotency: .replayRedacted(["key"]), maximumBodyBytes: 16 * 1024),
        PublicRoute(
            method: .get, path: "/api/api-keys", flow: "Identity", access: .member(.manageAPIKeys), target: .apiKeys(.list),
            rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/api-keys/{id}", flow: "Identity", access: .member(.manageAPIKeys), target: .apiKeys(.show),
            rateClass: .read),
        PublicRoute(
            method: .delete, path: "/api/api-keys/{id}", flow: "Identity", access: .member(.manageAPIKeys),
            target: .apiKeys(.revoke), rateClass: .write),
    ]

    static let stream = [
        PublicRoute(
            method: .get, path: "/api/stream", flow: "EventStream", access: .member(.readStream), target: .stream,
            rateClass: .stream)
    ]
}
