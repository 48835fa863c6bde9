import FoundationEssentials
import HTTPCalling
import HTTPCore
import HTTPServing
import ServiceDefaults

/// Hands a member's request to the service that owns it, and the answer back, its body byte for byte.
struct Forwarding: Sendable {
    let upstream: @Sendable (ServiceName) -> UpstreamClient

    /// Only these travel: everything else that a client or a service sends stops at the gateway.
    private static let requestHeaders = ["Accept", "Accept-Language", "Content-Type", "If-Match", "If-None-Match", "Prefer"]
    private static let answerHeaders = [
        "Allow", "Cache-Control", "Content-Disposition", "Content-Language", "Content-Type", "ETag", "Location",
        "Preference-Applied",
        "Retry-After", "X-Accel-Buffering", "x-should-retry",
    ]

    /// - Throws: `UpstreamUnavailable`, `UpstreamTimeout`, or `UpstreamProblem` where the answer is not one for clients.
    func forward(
        _ request: Request, member: Member, to callee: ServiceName, path: TargetPath, route: PublicRoute
    ) async throws -> Response {
        var headers = HTTPHeaders()
        for name in Self.requestHeaders { if let value = request.headers[name] { headers[name] = value } }
        if route.isModelCall {
            // With it the service keeps its answer too, under the operation.
            let key = route.idempotencyKey(of: request)
            headers["Idempotency-Key"] = key
            let answer = try await upstream(callee).stream(
                request.method, path.target(of: request), body: request.body.isEmpty ? nil : request.body,
                as: member.principal, headers: headers)
            guard answer.headers["Content-Type"]?.hasPrefix("text/event-stream") == true else {
                let held = key == nil ? Self.longestHeld : Self.longestRecorded
                return try await Self.whole(answer, upTo: held, from: callee, to: request, face: route.face)
            }
            var response = Response(answer.status, body: StreamRelay.body(answer, face: route.face, for: request))
            Self.copy(answer.headers, to: &response.headers)
            return response
        }
        let answer = try await upstream(callee).send(
            request.method == .head ? .get : request.method, path.target(of: request),
            body: request.body.isEmpty ? nil : request.body, as: member.principal, idempotent: route.isRepeatable,
            headers: headers)
        return try Self.answer(answer, from: callee, to: request, face: route.face)
    }

    /// A long answer (vectors) goes on as it comes instead of being held here.
    private static func whole(
        _ answer: UpstreamStream, upTo longestHeld: Int, from callee: ServiceName, to request: Request, face: PublicRoute.Face
    ) async throws -> Response {
        let length = answer.headers["Content-Length"].flatMap { Int($0) } ?? .max
        guard answer.status == .ok, length > longestHeld else {
            return try Self.answer(try await answer.collect(), from: callee, to: request, face: face)
        }
        var response = Response(
            answer.status,
            body: .stream { writer in
                while let piece = try await answer.next() { try await writer.write(piece) }
            })
        copy(answer.headers, to: &response.headers)
        return response
    }

    private static let longestHeld = 64 << 10
    /// Texts are shorter. Longer are vectors, of which the repeat finds each in agent-center's cache and pays for none.
    private static let longestRecorded = 2 << 20

    private static func copy(_ sent: HTTPHeaders, to headers: inout HTTPHeaders) {
        for name in answerHeaders { if let value = sent[name] { headers[name] = value } }
        // Where something is, is told as the client knows it: what a service has under /v1 stands under /api here.
        if let place = sent["Location"], place.hasPrefix("/v1/") { headers["Location"] = "/api/" + place.dropFirst("/v1/".count) }
    }

    private static func answer(
        _ answer: ClientResponse, from callee: ServiceName, to request: Request, face: PublicRoute.Face
    ) throws -> Response {
        var response = Response(answer.status)
        // What the entrance and the server add comes to twice as much.
        response.headers.reserveCapacity(20)
        copy(answer.headers, to: &response.headers)
        guard answer.headers["Content-Type"]?.hasPrefix(ProblemBody.mediaType) == true else {
            response.body = answer.body.isEmpty ? .none : .bytes(answer.body)
            return response
        }
        return try relayed(answer.body, as: response, callee: callee, request: request, face: face)
    }

    /// A problem speaks of the path that the client knows, and of faults that are the client's own.
    private static func relayed(
        _ body: [UInt8], as response: Response, callee: ServiceName, request: Request, face: PublicRoute.Face
    ) throws -> Response {
        guard var problem = try? JSON.decode(ProblemBody.self, from: body), response.status.code != 401,
            response.status.code != 500, problem.code != "auth.arrow_missing"
        else { throw UpstreamProblem(callee: callee, status: response.status, body: nil) }
        problem.instance = request.path
        problem.requestId = request.requestId
        if face == .openAI { return OpenAIEnvelope.response(for: problem, headers: response.headers) }
        var response = response
        response.body = .bytes(try JSON.encode(problem))
        return response
    }
}

/// A service's own path for a public route, e.g. `/v1/contents/{id}`, taken apart once.
struct TargetPath: Sendable {
    private enum Part {
        case text(String)
        case parameter(String)
    }

    private let parts: [Part]

    init(_ template: String) {
        var parts: [Part] = []
        var text = ""
        for segment in template.split(separator: "/") {
            text += "/"
            guard segment.hasPrefix("{"), segment.hasSuffix("}") else {
                text += segment
                continue
            }
            parts += [.text(text), .parameter(String(segment.dropFirst().dropLast()))]
            text = ""
        }
        self.parts = text.isEmpty ? parts : parts + [.text(text)]
    }

    /// With the request's own parameters and query.
    func target(of request: Request) -> String {
        var target = ""
        for part in parts {
            switch part {
            case .text(let text): target += text
            case .parameter(let name): target += PercentEncoding.encode(request.parameters[name] ?? "")
            }
        }
        return request.rawQuery.map { "\(target)?\($0)" } ?? target
    }
}
