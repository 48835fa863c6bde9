import ConcurrencySupport
public import HTTPCalling
public import HTTPCore

/// An answer of another service whose head is there and whose body is still coming.
public struct UpstreamStream: Sendable {
    public let status: HTTPStatus
    public let headers: HTTPHeaders
    /// The next piece; `nil` only at the end of a complete body. Cancelling the waiting task ends the call at the other side too.
    public let next: @Sendable () async throws -> [UInt8]?

    public init(status: HTTPStatus, headers: HTTPHeaders, next: @escaping @Sendable () async throws -> [UInt8]?) {
        self.status = status
        self.headers = headers
        self.next = next
    }

    public init(_ response: StreamingResponse) {
        let body = response.body
        // Iterators share the one reading position.
        self.init(status: response.status, headers: response.headers) { try await body.makeAsyncIterator().next() }
    }

    /// An answer that is there as a whole.
    init(_ response: ClientResponse) {
        let rest = Lock<[UInt8]?>(response.body)
        self.init(status: response.status, headers: response.headers) {
            rest.withLock { rest in
                defer { rest = nil }
                return rest
            }
        }
    }

    /// What is left of the body, in one piece.
    public func collect() async throws -> ClientResponse {
        var body: [UInt8] = []
        while let piece = try await next() { body += piece }
        return ClientResponse(status: status, headers: headers, body: body)
    }
}
