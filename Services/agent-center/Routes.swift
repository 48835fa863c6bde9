import HTTPCore
import HTTPServing
import ServiceDefaults

/// The table of contents: method and path → flow. `/healthz`, `/readyz` and `/metrics` come with the runtime.
struct Routes {
    let titles: TitleGenerationRoutes
    let generate: GenerateRoutes
    let conversations: ConversationRoutes
    let copies: CopyGenerationRoutes
    let imageTexts: ImageTextCreationRoutes
    let videoScripts: VideoScriptGenerationRoutes
    let catalogue: CatalogueRoutes
    let embeddings: EmbeddingsRoutes
    let modelList: ModelListRoutes
    let holds: SpendingHoldsRoutes
    let budgets: BudgetRoutes
    let usage: UsageRoutes
    let prompts: PromptRoutes
    let experiments: ExperimentRoutes
    let authentication: InternalAuthentication

    func register(on router: inout Router) {
        router.group(authentication) { routes in
            // A caller that leaves does not stop what is paid for: its repeat finds the answer.
            func writes(_ path: String, _ flow: String, within deadline: Duration = .seconds(20), _ handler: @escaping Handler) {
                routes.on(
                    .post, path,
                    options: RouteOptions(deadline: deadline, maxBodyBytes: 2 << 20, flow: flow, hangUp: .runsToEnd), handler)
            }
            writes("/v1/titles", "TitleGeneration", titles.write)
            writes("/v1/copies", "CopyGeneration", copies.write)
            writes("/v1/image-texts", "ImageTextCreation", imageTexts.write)
            // A script of a quarter of an hour is ten times as long as any copy.
            writes("/v1/video-scripts", "VideoScriptGeneration", within: .seconds(120), videoScripts.write)

            // OpenAI's face. A client that leaves a raw call stops it.
            routes.on(
                .post, "/v1/embeddings",
                options: RouteOptions(deadline: .seconds(58), maxBodyBytes: 2 << 20, flow: "AIGeneration"), embeddings.create)
            routes.on(.get, "/v1/models", options: RouteOptions(flow: "AIGeneration"), modelList.list)
            routes.on(.get, "/v1/models/{id}", options: RouteOptions(flow: "AIGeneration"), modelList.show)

            // Raw model calls: they end when their caller leaves, and a stream may take its time.
            let raw = RouteOptions(deadline: .seconds(120), maxBodyBytes: 2 << 20, flow: "AIGeneration")
            routes.on(.post, "/v1/ai/generate", options: raw, generate.generate)
            routes.on(.post, "/v1/chat/completions", options: raw, conversations.complete)

            func catalogued(_ method: HTTPMethod, _ path: String, query: Bool = false, _ handler: @escaping Handler) {
                routes.on(
                    method, path, options: RouteOptions(maxBodyBytes: 64 << 10, flow: "AIGeneration", takesQuery: query), handler)
            }
            catalogued(.get, "/v1/ai/catalogue", catalogue.show)
            catalogued(.put, "/v1/ai/providers/{name}", catalogue.putProvider)
            catalogued(.delete, "/v1/ai/providers/{name}", catalogue.removeProvider)
            catalogued(.put, "/v1/ai/providers/{name}/key", catalogue.putKey)
            catalogued(.delete, "/v1/ai/providers/{name}/key", catalogue.removeKey)
            catalogued(.put, "/v1/ai/models/{provider}/{name}", catalogue.putModel)
            catalogued(.delete, "/v1/ai/models/{provider}/{name}", catalogue.removeModel)
            catalogued(.post, "/v1/ai/aliases", catalogue.addAlias)
            catalogued(.delete, "/v1/ai/aliases/{id}", catalogue.endAlias)
            catalogued(.post, "/v1/ai/prices", catalogue.addPrice)
            catalogued(.put, "/v1/ai/policies/{scene}", query: true, catalogue.putPolicy)
            catalogued(.delete, "/v1/ai/policies/{scene}", query: true, catalogue.removePolicy)

            func held(_ path: String, _ handler: @escaping Handler) {
                routes.on(
                    .post, path,
                    options: RouteOptions(
                        deadline: .seconds(10), maxBodyBytes: 16 << 10, flow: SpendingHolds.flow, hangUp: .runsToEnd),
                    handler)
            }
            catalogued(.post, "/v1/ai/budgets", budgets.create)
            catalogued(.get, "/v1/ai/budgets", query: true, budgets.list)
            catalogued(.get, "/v1/ai/budgets/{id}", budgets.show)
            catalogued(.put, "/v1/ai/budgets/{id}", budgets.change)
            catalogued(.delete, "/v1/ai/budgets/{id}", budgets.remove)
            catalogued(.get, "/v1/ai/usage", query: true, usage.report)
            catalogued(.get, "/v1/ai/usage/records", query: true, usage.records)
            catalogued(.get, "/v1/ai/usage/records/{operationId}", usage.operation)
            catalogued(.delete, "/v1/ai/usage/records/{operationId}/texts", usage.eraseOperation)
            catalogued(.delete, "/v1/ai/usage/texts", query: true, usage.eraseUser)
            catalogued(.get, "/v1/ai/settings", usage.settings)
            catalogued(.put, "/v1/ai/settings", usage.putSettings)

            held("/v1/ai/holds", holds.hold)
            held("/v1/ai/holds/settle", holds.settle)
            held("/v1/ai/holds/release", holds.release)

            func prompted(_ method: HTTPMethod, _ path: String, query: Bool = false, _ handler: @escaping Handler) {
                routes.on(
                    method, path, options: RouteOptions(maxBodyBytes: 512 << 10, flow: "Prompts", takesQuery: query), handler)
            }
            prompted(.get, "/v1/prompts", query: true, prompts.list)
            prompted(.get, "/v1/prompts/{name}", prompts.show)
            prompted(.get, "/v1/prompts/{name}/versions", query: true, prompts.versions)
            prompted(.post, "/v1/prompts/{name}/versions", prompts.add)
            prompted(.get, "/v1/prompts/{name}/versions/{version}", prompts.version)
            prompted(.post, "/v1/prompts/{name}/versions/{version}/preview", prompts.preview)
            prompted(.get, "/v1/prompts/{name}/diff", query: true, prompts.diff)
            prompted(.get, "/v1/prompts/{name}/labels/{label}", prompts.label)
            prompted(.put, "/v1/prompts/{name}/labels/{label}", prompts.move)
            prompted(.delete, "/v1/prompts/{name}/labels/{label}", prompts.remove)
            prompted(.get, "/v1/prompts/{name}/labels/{label}/history", query: true, prompts.history)
            prompted(.post, "/v1/prompts/{name}/rollback", prompts.rollBack)

            func tested(_ method: HTTPMethod, _ path: String, query: Bool = false, _ handler: @escaping Handler) {
                routes.on(
                    method, path, options: RouteOptions(maxBodyBytes: 64 << 10, flow: "Experiments", takesQuery: query), handler)
            }
            tested(.post, "/v1/experiments", experiments.create)
            tested(.get, "/v1/experiments", query: true, experiments.list)
            tested(.get, "/v1/experiments/{id}", experiments.show)
            tested(.post, "/v1/experiments/{id}/start", experiments.start)
            tested(.post, "/v1/experiments/{id}/stop", experiments.stop)
            tested(.post, "/v1/experiments/{id}/outcomes", experiments.record)
            tested(.get, "/v1/experiments/{id}/results", experiments.results)
        }
    }
}
