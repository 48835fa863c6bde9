import HTTPCore
import ServiceDefaults

/// Pure model work without a business flow, with its budgets and what it used: agent-center.
extension PublicRoutes {
    static let ai = generation + openAI + catalogue + budgets

    static let generation = [
        PublicRoute(
            method: .post, path: "/api/ai/generate", flow: "AIGeneration", access: .member(.callModels),
            target: .upstream(.agentCenter, path: "/v1/ai/generate"), rateClass: .generate, idempotency: .optional,
            deadline: .seconds(125), maximumBodyBytes: 2 << 20, isModelCall: true)
    ]

    /// What OpenAI's clients call, with an API key of the tenant. OpenAI's own API knows no `Idempotency-Key`; nor does this one.
    static let openAI = [
        PublicRoute(
            method: .post, path: "/api/openai/v1/chat/completions", flow: "AIGeneration", access: .member(.callModels),
            target: .upstream(.agentCenter, path: "/v1/chat/completions"), rateClass: .generate, deadline: .seconds(125),
            maximumBodyBytes: 2 << 20, isModelCall: true, face: .openAI),
        PublicRoute(
            method: .post, path: "/api/openai/v1/embeddings", flow: "AIGeneration", access: .member(.callModels),
            target: .upstream(.agentCenter, path: "/v1/embeddings"), rateClass: .generate, deadline: .seconds(60),
            maximumBodyBytes: 2 << 20, isModelCall: true, face: .openAI),
        PublicRoute(
            method: .get, path: "/api/openai/v1/models", flow: "AIGeneration", access: .member(.callModels),
            target: .upstream(.agentCenter, path: "/v1/models"), rateClass: .read, face: .openAI),
        PublicRoute(
            method: .get, path: "/api/openai/v1/models/{id}", flow: "AIGeneration", access: .member(.callModels),
            target: .upstream(.agentCenter, path: "/v1/models/{id}"), rateClass: .read, face: .openAI),
    ]

    static let catalogue = [
        PublicRoute(
            method: .get, path: "/api/ai/catalogue", flow: "AIGeneration", access: .member(.readUsage),
            target: .upstream(.agentCenter, path: "/v1/ai/catalogue"), rateClass: .read),
        PublicRoute(
            method: .put, path: "/api/ai/providers/{name}", flow: "AIGeneration", access: .member(.administerModels),
            target: .upstream(.agentCenter, path: "/v1/ai/providers/{name}"), rateClass: .write, isFoundAgain: true),
        PublicRoute(
            method: .delete, path: "/api/ai/providers/{name}", flow: "AIGeneration", access: .member(.administerModels),
            target: .upstream(.agentCenter, path: "/v1/ai/providers/{name}"), rateClass: .write),
        PublicRoute(
            method: .put, path: "/api/ai/providers/{name}/key", flow: "AIGeneration", access: .member(.administerModels),
            target: .upstream(.agentCenter, path: "/v1/ai/providers/{name}/key"), rateClass: .write, isFoundAgain: true),
        PublicRoute(
            method: .delete, path: "/api/ai/providers/{name}/key", flow: "AIGeneration", access: .member(.administerModels),
            target: .upstream(.agentCenter, path: "/v1/ai/providers/{name}/key"), rateClass: .write),
        PublicRoute(
            method: .put, path: "/api/ai/models/{provider}/{name}", flow: "AIGeneration", access: .member(.administerModels),
            target: .upstream(.agentCenter, path: "/v1/ai/models/{provider}/{name}"), rateClass: .write, isFoundAgain: true),
        PublicRoute(
            method: .delete, path: "/api/ai/models/{provider}/{name}", flow: "AIGeneration", access: .member(.administerModels),
            target: .upstream(.agentCenter, path: "/v1/ai/models/{provider}/{name}"), rateClass: .write),
        PublicRoute(
            method: .post, path: "/api/ai/aliases", flow: "AIGeneration", access: .member(.administerModels),
            target: .upstream(.agentCenter, path: "/v1/ai/aliases"), rateClass: .write, idempotency: .optional),
        PublicRoute(
            method: .delete, path: "/api/ai/aliases/{id}", flow: "AIGeneration", access: .member(.administerModels),
            target: .upstream(.agentCenter, path: "/v1/ai/aliases/{id}"), rateClass: .write),
        PublicRoute(
            method: .post, path: "/api/ai/prices", flow: "AIGeneration", access: .member(.administerModels),
            target: .upstream(.agentCenter, path: "/v1/ai/prices"), rateClass: .write, idempotency: .optional),
        PublicRoute(
            method: .put, path: "/api/ai/policies/{scene}", flow: "AIGeneration", access: .member(.administerModels),
            target: .upstream(.agentCenter, path: "/v1/ai/policies/{scene}"), rateClass: .write, isFoundAgain: true),
        PublicRoute(
            method: .delete, path: "/api/ai/policies/{scene}", flow: "AIGeneration", access: .member(.administerModels),
            target: .upstream(.agentCenter, path: "/v1/ai/policies/{scene}"), rateClass: .write),
    ]
    static let budgets = [
        PublicRoute(
            method: .post, path: "/api/ai/budgets", flow: "AIGeneration", access: .member(.administerModels),
            target: .upstream(.agentCenter, path: "/v1/ai/budgets"), rateClass: .write, idempotency: .optional),
        PublicRoute(
            method: .get, path: "/api/ai/budgets", flow: "AIGeneration", access: .member(.readUsage),
            target: .upstream(.agentCenter, path: "/v1/ai/budgets"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/ai/budgets/{id}", flow: "AIGeneration", access: .member(.readUsage),
            target: .upstream(.agentCenter, path: "/v1/ai/budgets/{id}"), rateClass: .read),
        PublicRoute(
            method: .put, path: "/api/ai/budgets/{id}", flow: "AIGeneration", access: .member(.administerModels),
            target: .upstream(.agentCenter, path: "/v1/ai/budgets/{id}"), rateClass: .write),
        PublicRoute(
            method: .delete, path: "/api/ai/budgets/{id}", flow: "AIGeneration", access: .member(.administerModels),
            target: .upstream(.agentCenter, path: "/v1/ai/budgets/{id}"), rateClass: .write),
        PublicRoute(
            method: .get, path: "/api/ai/usage", flow: "AIGeneration", access: .member(.readUsage),
            target: .upstream(.agentCenter, path: "/v1/ai/usage"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/ai/usage/records", flow: "AIGeneration", access: .member(.readUsage),
            target: .upstream(.agentCenter, path: "/v1/ai/usage/records"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/ai/usage/records/{operationId}", flow: "AIGeneration", access: .member(.readUsage),
            target: .upstream(.agentCenter, path: "/v1/ai/usage/records/{operationId}"), rateClass: .read),
        PublicRoute(
            method: .delete, path: "/api/ai/usage/records/{operationId}/texts", flow: "AIGeneration",
            access: .member(.administerModels),
            target: .upstream(.agentCenter, path: "/v1/ai/usage/records/{operationId}/texts"), rateClass: .write),
        PublicRoute(
            method: .delete, path: "/api/ai/usage/texts", flow: "AIGeneration", access: .member(.administerModels),
            target: .upstream(.agentCenter, path: "/v1/ai/usage/texts"), rateClass: .write),
        PublicRoute(
            method: .get, path: "/api/ai/settings", flow: "AIGeneration", access: .member(.readUsage),
            target: .upstream(.agentCenter, path: "/v1/ai/settings"), rateClass: .read),
        PublicRoute(
            method: .put, path: "/api/ai/settings", flow: "AIGeneration", access: .member(.administerModels),
            target: .upstream(.agentCenter, path: "/v1/ai/settings"), rateClass: .write, isFoundAgain: true),
    ]
}
