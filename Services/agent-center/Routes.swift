import HTTPCore
import HTTPServing
import ServiceDefaults

/// The table of contents: method and path → flow. `/healthz`, `/readyz` and `/metrics` come with the runtime.
struct Routes {
    let titles: TitleGenerationRoutes
    let authentication: InternalAuthentication

    func register(on router: inout Router) {
        router.group(authentication) { routes in
            routes.on(
                .post, "/v1/titles",
                // A caller that leaves does not stop what is paid for: its repeat finds the answer.
                options: RouteOptions(
                    deadline: .seconds(20), maxBodyBytes: 256 << 10, flow: "TitleGeneration", hangUp: .runsToEnd),
                titles.write)
        }
    }
}
