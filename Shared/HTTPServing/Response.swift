public import HTTPCore

/// What a handler answers.
public struct Response: Sendable {
    public enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// Runs after the head was sent; a throw cuts the answer off, visibly for the client. The task is cancelled when the client
        /// leaves. The route's deadline ends with the head.
        case stream(@Sendable (BodyWriter) async throws -> Void)
        /// Sent by the kernel from its cache of files, past our memory.
        case file(FileSlice)
    }

    public var status: HTTPStatus
    public var headers: HTTPHeaders
    public var body: Body

    public init(_ status: HTTPStatus = .ok, headers: HTTPHeaders = [:], body: Body = .none) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// - Throws: `EncodingError`.
    public static func json(_ status: HTTPStatus, _ value: some Encodable, headers: HTTPHeaders = [:]) throws -> Response {
        json(status, bytes: try JSON.encode(value), headers: headers)
    }

    /// 200 with this value.
    ///
    /// - Throws: `EncodingError`.
    public static func json(_ value: some Encodable, headers: HTTPHeaders = [:]) throws -> Response {
        try json(.ok, value, headers: headers)
    }

    /// JSON that is there already, e.g. relayed from another service untouched.
    public static func json(_ status: HTTPStatus = .ok, bytes: [UInt8], headers: HTTPHeaders = [:]) -> Response {
        var headers = headers
        headers["Content-Type"] = "application/json"
        return Response(status, headers: headers, body: .bytes(bytes))
    }

    public static func text(
        _ text: String, status: HTTPStatus = .ok, contentType: String = "text/plain; charset=utf-8", headers: HTTPHeaders = [:]
    ) -> Response {
        var headers = headers
        headers["Content-Type"] = contentType
        return Response(status, headers: headers, body: .bytes(Array(text.utf8)))
    }

    public static let noContent = Response(.noContent)

    /// `application/problem+json` for this failure, in the request's language.
    public static func problem(_ failure: any HTTPFailure, for request: Request) -> Response {
        let problem = failure.problem
        let body = ProblemBody(
            problem, language: request.language, instance: request.path,
            requestId: request.requestId.isEmpty ? nil : request.requestId)
        var headers = problem.headers
        headers["Content-Type"] = ProblemBody.mediaType
        headers["Content-Language"] = request.language.rawValue
        headers["Cache-Control"] = "no-store"
        // A problem is made of strings, numbers and booleans; encoding it cannot fail.
        let bytes = (try? JSON.encode(body)) ?? Array(#"{"title":"Internal error","status":500,"code":"internal"}"#.utf8)
        return Response(problem.status, headers: headers, body: .bytes(bytes))
    }
}

/// Thrown by writers when nobody reads any more.
public struct ClientLeft: Error, Equatable {
    public init() {}
}

/// The writing end of a streamed body.
public struct BodyWriter: Sendable {
    let pipe: BodyPipe

    /// Hands the bytes on as one piece. Waits while more than 64 kB are unread.
    ///
    /// - Throws: ``ClientLeft``, or `CancellationError` when the stream's task is cancelled.
    public func write(_ bytes: [UInt8]) async throws { try await pipe.write(bytes) }
}

/// Answers a request. The server calls it as a task on the event loop of its connection: a synchronous stretch of more than about
/// a millisecond belongs onto a pool of its own.
public typealias Handler = @Sendable (Request) async throws -> Response

/// Something around handlers: looks at the request, calls `next` or not, looks at the answer. Failures of `next` come as throws;
/// the router turns them into problems outside of all middleware.
public protocol Middleware: Sendable {
    func respond(to request: Request, next: @escaping Handler) async throws -> Response
}
