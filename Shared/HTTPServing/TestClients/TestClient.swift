public import HTTPCore

/// What tests speak to a service with. The same test runs against a handler in process and against a listening server.
public protocol TestClient: Sendable {
    /// Sends one request and waits for the answer's head.
    func open(_ method: HTTPMethod, _ target: String, headers: HTTPHeaders, body: [UInt8]) async throws -> TestStream
}

extension TestClient {
    /// Sends one request and reads the whole answer.
    ///
    /// - Throws: ``TruncatedAnswer`` where the answer was cut off.
    public func send(
        _ method: HTTPMethod, _ target: String, headers: HTTPHeaders = [:], body: [UInt8] = []
    ) async throws -> TestResponse {
        let stream = try await open(method, target, headers: headers, body: body)
        var bytes: [UInt8] = []
        while let piece = try await stream.read() { bytes.append(contentsOf: piece) }
        stream.close()
        return TestResponse(status: stream.status, headers: stream.headers, body: bytes)
    }

    /// ``send(_:_:headers:body:)`` with JSON.
    public func send(_ method: HTTPMethod, _ target: String, headers: HTTPHeaders = [:], json: JSONValue) async throws
        -> TestResponse
    {
        var headers = headers
        headers["Content-Type"] = headers["Content-Type"] ?? "application/json"
        return try await send(method, target, headers: headers, body: json.encode())
    }

    /// Opens an answer that is read piece by piece.
    public func open(_ method: HTTPMethod, _ target: String, headers: HTTPHeaders = [:]) async throws -> TestStream {
        try await open(method, target, headers: headers, body: [])
    }
}

/// The answer ended before it was complete.
public struct TruncatedAnswer: Error {
    public init() {}
}

public struct TestResponse: Sendable {
    public let status: HTTPStatus
    public let headers: HTTPHeaders
    public let body: [UInt8]

    public var text: String { String(decoding: body, as: UTF8.self) }

    public func json() throws -> JSONValue { try JSONValue(parsing: body) }

    public func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try JSON.decode(type, from: body) }

    /// The problem+json, read back.
    public func problem() throws -> ProblemBody { try decode(ProblemBody.self) }
}

/// An answer whose body is still coming.
public struct TestStream: Sendable {
    public let status: HTTPStatus
    public let headers: HTTPHeaders
    private let next: @Sendable () async throws -> [UInt8]?
    private let hangUp: @Sendable () -> Void

    init(
        status: HTTPStatus, headers: HTTPHeaders, next: @escaping @Sendable () async throws -> [UInt8]?,
        hangUp: @escaping @Sendable () -> Void
    ) {
        self.status = status
        self.headers = headers
        self.next = next
        self.hangUp = hangUp
    }

    /// The next piece of the body; `nil` at its proper end.
    ///
    /// - Throws: ``TruncatedAnswer``.
    public func read() async throws -> [UInt8]? { try await next() }

    /// Hangs up; does nothing after the end.
    public func close() { hangUp() }

    /// Reads until the text occurs; returns all that was read. For event streams.
    public func read(until text: String) async throws -> String {
        var bytes: [UInt8] = []
        while let piece = try await read() {
            bytes.append(contentsOf: piece)
            let all = String(decoding: bytes, as: UTF8.self)
            if all.contains(text) { return all }
        }
        throw TruncatedAnswer()
    }
}
