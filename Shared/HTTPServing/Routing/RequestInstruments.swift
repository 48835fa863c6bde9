import ConcurrencySupport
import HTTPCore
import Observability

/// What is seen of requests from outside: a span, a duration by route, a line for what went wrong.
struct RequestInstruments: Sendable {
    let logger: Logger
    private let tracer: Tracer
    private let duration: Histogram?

    init(logger: Logger, metrics: MetricsRegistry?, tracer: Tracer) {
        self.logger = logger
        self.tracer = tracer
        self.duration = metrics?.histogram(
            "http_server_request_duration_seconds", help: "Time until the head of the answer",
            labels: ["method", "route", "status"])
    }

    /// Runs the rest of the request under its own span; returns the context, so that a streamed body can go on under it.
    func observing(_ request: Request, _ body: () async -> Response) async -> (Response, CallContext) {
        let start = ContinuousClock.now
        // Unknown paths and methods are the client's words: they must not become labels or span names.
        let route = request.route?.pattern ?? "unmatched"
        let method = request.route?.method.rawValue ?? "other"
        return await tracer.withSpan(request.route?.flow ?? route, kind: .server) { span in
            let response = await body()
            duration?.observe(start.duration(to: .now), [method, route, response.status.description])
            span.set("http.request.method", method)
            span.set("http.route", route)
            span.set("http.response.status_code", response.status.code)
            if response.status.code >= 500 { span.fail("status \(response.status)") }
            return (response, CallContext.current ?? CallContext(requestId: request.requestId))
        }
    }
}
