import HTTPCore
import HTTPServing
import ServiceDefaults

/// The table of contents, in the order of `openapi/orchestration-service.yaml`.
enum Routes {
    static func register(
        on router: inout Router, authentication: InternalAuthentication, titleGeneration: TitleGeneration, runs: Runs,
        vocabulary: Vocabulary, search: SemanticSearch, hasImageService: Bool
    ) {
        let titleGeneration = TitleGenerationRoutes(flow: titleGeneration, runs: runs)
        let runsRoutes = RunsRoutes(runs: runs)
        router.group(authentication) { group in
            // A flow runs to its end when the client leaves (design §9).
            group.on(
                .post, "/v1/titles",
                options: .brief("TitleGeneration", hangUp: .runsToEnd),
                titleGeneration.generate)
            // What outlives the request is the run, not the handler.
            group.on(
                .post, "/v1/copies",
                options: .brief("CopyGeneration", hangUp: .cancels),
                CopyGenerationRoutes(runs: runs).generate)
            group.on(
                .post, "/v1/image-texts",
                options: .brief("ImageTextCreation", hangUp: .cancels),
                ImageTextCreationRoutes(runs: runs, hasImageService: hasImageService).create)
            group.on(
                .post, "/v1/video-scripts",
                options: .brief("VideoScriptGeneration", hangUp: .cancels),
                VideoScriptGenerationRoutes(runs: runs).generate)
            group.on(.get, "/v1/runs", options: RouteOptions(flow: "Runs", takesQuery: true), runsRoutes.list)
            group.on(.get, "/v1/runs/{id}", options: RouteOptions(flow: "Runs"), runsRoutes.show)
            group.on(
                .post, "/v1/runs/{id}/cancel", options: RouteOptions(flow: "Runs", hangUp: .runsToEnd), runsRoutes.cancel)
            group.on(.post, "/v1/runs/{id}/retry", options: RouteOptions(flow: "Runs", hangUp: .runsToEnd), runsRoutes.retry)
            group.on(
                .post, "/v1/contents/{id}/pictures",
                options: RouteOptions(deadline: .seconds(28), flow: "ImageTextCreation", hangUp: .cancels),
                PictureCompletionRoutes(runs: runs).complete)
            group.on(
                .post, "/v1/contents/{id}/regenerate",
                options: RouteOptions(deadline: .seconds(28), flow: "ContentRegeneration", hangUp: .cancels),
                ContentRegenerationRoutes(runs: runs).regenerate)
            group.on(
                .get, "/v1/search/semantic",
                options: RouteOptions(deadline: .seconds(28), flow: "ContentSearch", takesQuery: true),
                SemanticSearchRoutes(search: search).find)
            for list in WordList.allCases { VocabularyRoutes(vocabulary: vocabulary, list: list).register(on: &group) }
        }
    }
}

extension RouteOptions {
    /// What begins a flow takes a brief.
    fileprivate static func brief(_ flow: String, hangUp: HangUp) -> RouteOptions {
        RouteOptions(deadline: .seconds(28), maxBodyBytes: TextBrief.largestRequest, flow: flow, hangUp: hangUp)
    }
}
