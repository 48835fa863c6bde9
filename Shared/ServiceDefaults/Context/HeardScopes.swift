/// Which scopes a service looks at: a context token carries no others. What is not sent cannot be misused, and every call is shorter:
/// the full list of an administrator would be half of it.
public enum HeardScopes {
    /// By the part before the colon. Services that call others in the caller's name are not listed: they get all.
    private static let nouns: [ServiceName: Set<String>] = [
        .agentCenter: ["ai", "prompts"],
        .contentCenter: ["contents", "materials", "tenant"],
    ]

    /// - Parameter scope: e.g. `contents:read`.
    public static func hears(_ service: ServiceName, _ scope: String) -> Bool {
        nouns[service]?.contains(String(scope.prefix { $0 != ":" })) ?? true
    }
}
