public import HTTPCore

/// A whole answer. Any status is an answer, also 4xx and 5xx.
public struct ClientResponse: Sendable {
    public var status: HTTPStatus
    /// Of a decompressed answer without its `Content-Encoding` and `Content-Length`.
    public var headers: HTTPHeaders
    public var body: [UInt8]

    public init(status: HTTPStatus, headers: HTTPHeaders, body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// An answer whose head is there and whose body is still coming.
public struct StreamingResponse: Sendable {
    public let status: HTTPStatus
    public let headers: HTTPHeaders
    /// To be read once. Dropping the response without reading to the end closes the connection.
    public let body: ResponseBody

    /// The rest of the body in one piece, e.g. to read an error's text. Throws what ``ResponseBody`` throws.
    public func collect() async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await chunk in body { bytes += chunk }
        return bytes
    }

    /// The body as server-sent events.
    public var events: ServerSentEvents { ServerSentEvents(body: body) }
}

/// The pieces of a body as they come, cut anywhere. At most 64 kB (plus one read) wait in memory; when the reader is slower, the
/// connection is not read and the sender is slowed down.
///
/// Ends with `nil` only if the answer was complete; a cut or stalled one throws ``HTTPClientError``.
public struct ResponseBody: AsyncSequence, Sendable {
    public typealias Element = [UInt8]

    let handle: StreamHandle

    public struct AsyncIterator: AsyncIteratorProtocol {
        let handle: StreamHandle

        public func next() async throws -> [UInt8]? { try await handle.next() }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(handle: handle) }
}

/// Events and comments of a `text/event-stream` body; see ``SSEParser``.
public struct ServerSentEvents: AsyncSequence, Sendable {
    public typealias Element = SSEParser.Item

    let body: ResponseBody

    public struct AsyncIterator: AsyncIteratorProtocol {
        var chunks: ResponseBody.AsyncIterator
        var parser = SSEParser()
        var ready: [SSEParser.Item] = []
        var position = 0

        public mutating func next() async throws -> SSEParser.Item? {
            while position == ready.count {
                guard let chunk = try await chunks.next() else { return nil }
                ready = try parser.feed(chunk)
                position = 0
            }
            defer { position += 1 }
            return ready[position]
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(chunks: body.makeAsyncIterator()) }
}
