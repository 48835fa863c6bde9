import HTTPCore
import HTTPServing
import Observability

/// What the object listener does, shown on this service's `/metrics`: the listener itself shows nothing.
struct ObjectMetrics: Middleware {
    private let requests: Counter
    private let bytes: Counter

    init(_ metrics: MetricsRegistry) {
        requests = metrics.counter(
            "object_requests_total", help: "Requests of the object listener.", labels: ["method", "status"])
        bytes = metrics.counter(
            "object_bytes_total", help: "Bytes of objects that were received, or were to be sent.", labels: ["method", "status"])
    }

    func respond(to request: Request, next: @escaping Handler) async throws -> Response {
        // Methods that no route has are the client's words: they must not become labels.
        let method = request.route == nil ? "other" : request.method.rawValue
        do {
            let response = try await next(request)
            let labels = [method, "\(response.status.code)"]
            requests.increment(labels)
            bytes.increment(by: Double(Self.size(request, response)), labels)
            return response
        } catch {
            requests.increment([method, "\((error as? any HTTPFailure)?.problem.status.code ?? 500)"])
            throw error
        }
    }

    private static func size(_ request: Request, _ response: Response) -> Int {
        switch (request.method, response.body) {
        case (.put, _): request.headers["Content-Length"].flatMap { Int($0) } ?? 0
        case (.get, .file(let slice)): slice.length
        case (.get, .bytes(let bytes)): bytes.count
        default: 0
        }
    }
}
