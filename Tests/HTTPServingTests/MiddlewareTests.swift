import ConcurrencySupport
import Foundation
import HTTPCore
import HTTPServing
import Observability
import TestSupport
import Testing

@Suite struct MiddlewareTests {
    struct Tag: Middleware {
        let name: String

        func respond(to request: Request, next: @escaping Handler) async throws -> Response {
            var request = request
            request[Trail.self] = (request[Trail.self] ?? "") + name
            var response = try await next(request)
            response.headers.add("X-Trail", name)
            return response
        }
    }

    enum Trail: RequestKey { typealias Value = String }

    struct Refuse: Middleware {
        func respond(to request: Request, next: @escaping Handler) async throws -> Response {
            guard request.headers["Authorization"] != nil else { throw Unauthorized(code: "auth.missing_token") }
            return try await next(request)
        }
    }

    @Test(arguments: Place.allCases) func wrapsInOrder(_ place: Place) async throws {
        var router = Router()
        router.use(Tag(name: "a"))
        router.use(Tag(name: "b"))
        router.on(.get, "/open") { .text($0[Trail.self] ?? "") }
        router.group(Refuse(), Tag(name: "c")) { $0.on(.get, "/closed") { .text($0[Trail.self] ?? "") } }
        try await place.serving(router) { client in
            let open = try await client.send(.get, "/open")
            #expect(open.text == "ab")
            #expect(open.headers.values(of: "X-Trail") == ["b", "a"])
            let refused = try await client.send(.get, "/closed")
            #expect(refused.status == .unauthorized)
            #expect(refused.headers["WWW-Authenticate"] == "Bearer")
            #expect(try refused.problem().code == "auth.missing_token")
            #expect(try await client.send(.get, "/closed", headers: ["Authorization": "x"]).text == "abc")
        }
    }

    @Test(arguments: Place.allCases) func bindsTheCallContext(_ place: Place) async throws {
        let operation = "0190163d-8694-739b-aea5-966c26f8ad91"
        @Sendable func describe(_ request: Request) -> Response {
            let context = CallContext.current
            return .text(
                "\(context?.trace.traceId ?? "-") \(context?.operationId?.uuidString.lowercased() ?? "-") \(context?.flow ?? "-") "
                    + "\(request.deadline.remaining < .seconds(2))")
        }
        let headers: HTTPHeaders = [
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "X-Operation-Id": operation,
            "X-Deadline-Ms": "1000",
        ]
        var inner = Router(entrance: .internalCalls)
        inner.on(.get, "/", options: RouteOptions(flow: "TitleGeneration"), describe)
        try await place.serving(inner) { client in
            let text = try await client.send(.get, "/", headers: headers).text
            #expect(text == "0af7651916cd43dd8448eb211c80319c \(operation) TitleGeneration true")
        }
        var outer = Router(entrance: .publicCalls)
        outer.on(.get, "/", options: RouteOptions(flow: "TitleGeneration"), describe)
        try await place.serving(outer) { client in
            let text = try await client.send(.get, "/", headers: headers).text
            #expect(text == "0af7651916cd43dd8448eb211c80319c - TitleGeneration false")
        }
    }

    @Test(arguments: Place.allCases) func answers504AtTheDeadline(_ place: Place) async throws {
        let cancelled = Counter()
        let gate = Gate()
        var router = Router()
        router.on(.get, "/slow", options: RouteOptions(deadline: .milliseconds(50))) { _ in
            try await waitForCancellation(cancelled)
        }
        router.on(.get, "/deaf", options: RouteOptions(deadline: .milliseconds(50))) { _ in
            // Ignores its cancellation: only the deadline itself can answer.
            await gate.wait()
            return .text("late")
        }
        try await place.serving(router) { client in
            for path in ["/slow", "/deaf"] {
                let answer = try await client.send(.get, path)
                #expect(answer.status == .gatewayTimeout)
                #expect(try answer.problem().code == "deadline_exceeded")
                #expect(try answer.problem().retryable)
            }
            #expect(try await client.send(.get, "/slow", headers: ["X-Deadline-Ms": "0"]).status == .gatewayTimeout)
            gate.open()
        }
        try await eventually { cancelled.value == 1 }
    }

    @Test func countsByRouteTemplateOnly() async throws {
        let metrics = MetricsRegistry()
        var router = Router(metrics: metrics)
        router.on(.get, "/things/{id}") { _ in .noContent }
        let client = InProcessClient(router)
        for id in 0..<5 { _ = try await client.send(.get, "/things/\(id)") }
        _ = try await client.send(HTTPMethod("X-ODD"), "/odd/path")
        let text = metrics.render()
        #expect(
            text.contains(
                #"http_server_request_duration_seconds_count{method="GET",route="/things/{id}",status="204"} 5"#))
        #expect(!text.contains("odd") && !text.contains("X-ODD"))
    }
}
