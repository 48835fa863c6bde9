import HTTPCore
import ServiceDefaults

/// Prompts and the experiments on them: agent-center.
extension PublicRoutes {
    static let prompts = promptVersions + promptLabels + experiments

    static let promptVersions = [
        PublicRoute(
            method: .get, path: "/api/prompts", flow: "Prompts", access: .member(.readPrompts),
            target: .upstream(.agentCenter, path: "/v1/prompts"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/prompts/{name}", flow: "Prompts", access: .member(.readPrompts),
            target: .upstream(.agentCenter, path: "/v1/prompts/{name}"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/prompts/{name}/versions", flow: "Prompts", access: .member(.readPrompts),
            target: .upstream(.agentCenter, path: "/v1/prompts/{name}/versions"), rateClass: .read),
        PublicRoute(
            method: .post, path: "/api/prompts/{name}/versions", flow: "Prompts", access: .member(.writePrompts),
            target: .upstream(.agentCenter, path: "/v1/prompts/{name}/versions"), rateClass: .write, idempotency: .optional,
            isFoundAgain: true,
            maximumBodyBytes: 512 * 1024),
        PublicRoute(
            method: .get, path: "/api/prompts/{name}/versions/{version}", flow: "Prompts", access: .member(.readPrompts),
            target: .upstream(.agentCenter, path: "/v1/prompts/{name}/versions/{version}"), rateClass: .read),
        PublicRoute(
            method: .post, path: "/api/prompts/{name}/versions/{version}/preview", flow: "Prompts", access: .member(.readPrompts),
            target: .upstream(.agentCenter, path: "/v1/prompts/{name}/versions/{version}/preview"), rateClass: .read,
            isFoundAgain: true,
            maximumBodyBytes: 512 * 1024),
        PublicRoute(
            method: .get, path: "/api/prompts/{name}/diff", flow: "Prompts", access: .member(.readPrompts),
            target: .upstream(.agentCenter, path: "/v1/prompts/{name}/diff"), rateClass: .read),
    ]

    static let promptLabels = [
        PublicRoute(
            method: .get, path: "/api/prompts/{name}/labels/{label}", flow: "Prompts", access: .member(.readPrompts),
            target: .upstream(.agentCenter, path: "/v1/prompts/{name}/labels/{label}"), rateClass: .read),
        PublicRoute(
            method: .put, path: "/api/prompts/{name}/labels/{label}", flow: "Prompts", access: .member(.writePrompts),
            target: .upstream(.agentCenter, path: "/v1/prompts/{name}/labels/{label}"), rateClass: .write, isFoundAgain: true),
        PublicRoute(
            method: .delete, path: "/api/prompts/{name}/labels/{label}", flow: "Prompts", access: .member(.writePrompts),
            target: .upstream(.agentCenter, path: "/v1/prompts/{name}/labels/{label}"), rateClass: .write, isFoundAgain: true),
        PublicRoute(
            method: .get, path: "/api/prompts/{name}/labels/{label}/history", flow: "Prompts", access: .member(.readPrompts),
            target: .upstream(.agentCenter, path: "/v1/prompts/{name}/labels/{label}/history"), rateClass: .read),
        PublicRoute(
            method: .post, path: "/api/prompts/{name}/rollback", flow: "Prompts", access: .member(.writePrompts),
            target: .upstream(.agentCenter, path: "/v1/prompts/{name}/rollback"), rateClass: .write, idempotency: .optional,
            isFoundAgain: true),
    ]

    static let experiments = [
        PublicRoute(
            method: .post, path: "/api/experiments", flow: "Experiments", access: .member(.writePrompts),
            target: .upstream(.agentCenter, path: "/v1/experiments"), rateClass: .write, idempotency: .optional,
            isFoundAgain: true),
        PublicRoute(
            method: .get, path: "/api/experiments", flow: "Experiments", access: .member(.readPrompts),
            target: .upstream(.agentCenter, path: "/v1/experiments"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/experiments/{id}", flow: "Experiments", access: .member(.readPrompts),
            target: .upstream(.agentCenter, path: "/v1/experiments/{id}"), rateClass: .read),
        PublicRoute(
            method: .post, path: "/api/experiments/{id}/start", flow: "Experiments", access: .member(.writePrompts),
            target: .upstream(.agentCenter, path: "/v1/experiments/{id}/start"), rateClass: .write, idempotency: .optional),
        PublicRoute(
            method: .post, path: "/api/experiments/{id}/stop", flow: "Experiments", access: .member(.writePrompts),
            target: .upstream(.agentCenter, path: "/v1/experiments/{id}/stop"), rateClass: .write, idempotency: .optional),
        PublicRoute(
            method: .post, path: "/api/experiments/{id}/outcomes", flow: "Experiments", access: .member(.writePrompts),
            target: .upstream(.agentCenter, path: "/v1/experiments/{id}/outcomes"), rateClass: .write, idempotency: .optional,
            // Whoever had the text written knows what became of it.
            isFoundAgain: true, alternative: .callModels),
        PublicRoute(
            method: .get, path: "/api/experiments/{id}/results", flow: "Experiments", access: .member(.readPrompts),
            target: .upstream(.agentCenter, path: "/v1/experiments/{id}/results"), rateClass: .read),
    ]
}
