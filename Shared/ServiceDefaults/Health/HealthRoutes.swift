import HTTPCore
public import HTTPServing
public import Observability

/// `/healthz` (the process answers), `/readyz` (dependencies, each named) and `/metrics` (Prometheus text), for machines of the same
/// network; they need no token. The gateway serves them on its public port too: what stands in front of it publishes other paths only
/// (deploy/README.md).
public struct HealthRoutes: Sendable {
    private let checks: HealthChecks
    private let metrics: MetricsRegistry

    public init(checks: HealthChecks, metrics: MetricsRegistry) {
        self.checks = checks
        self.metrics = metrics
    }

    public func register(on router: inout Router) {
        router.on(.get, "/healthz") { _ in try .json(.ok, ["status": "ok"]) }
        router.on(.get, "/readyz") { [checks] _ in
            let report = await checks.recentReport()
            return try .json(report.isReady ? .ok : .serviceUnavailable, report, headers: ["Cache-Control": "no-store"])
        }
        router.on(.get, "/metrics") { [metrics] _ in
            .text(metrics.render(), contentType: "text/plain; version=0.0.4; charset=utf-8")
        }
    }
}
