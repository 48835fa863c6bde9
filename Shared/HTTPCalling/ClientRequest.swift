public import ConcurrencySupport
public import HTTPCore

/// One request to another service or a vendor. Only `http` and `https`; redirects are answers, they are not followed.
public struct ClientRequest: Sendable {
    public enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// `multipart/form-data`; the header with its boundary is written for you.
        case multipart([MultipartPart])
    }

    /// How long each stage may take. The total is the request's ``ClientRequest/deadline``.
    public struct Timeouts: Sendable {
        /// Until the connection (and its TLS) stands, waiting for a free one included.
        public var connect: Duration
        /// From the connection until the first line of the answer. A large upload starts the count again as long as it moves.
        public var firstByte: Duration
        /// Between two pieces of the answer. The clock stands still while the reader of a stream holds it back.
        public var idle: Duration

        public init(connect: Duration = .seconds(5), firstByte: Duration = .seconds(60), idle: Duration = .seconds(60)) {
            self.connect = connect
            self.firstByte = firstByte
            self.idle = idle
        }
    }

    public var method: HTTPMethod
    /// Absolute and already percent-encoded; sent as it is.
    public var url: String
    public var headers: HTTPHeaders
    public var body: Body
    /// After this instant nobody waits for the answer. An earlier deadline of the current `CallContext` wins.
    public var deadline: Deadline
    public var timeouts: Timeouts
    /// An answer with a longer body fails with ``HTTPClientError/Kind/responseTooLarge``; counted after decompression.
    public var maxResponseBytes: Int
    /// Whether sending it twice has the effect of sending it once. Follows the method; set it for a POST that the other side
    /// recognises by an operation id or idempotency key. Anything else is never sent a second time once it may have left.
    public var isIdempotent: Bool
    public var retry: RetryPolicy
    /// Consulted before, and told after, every attempt. One per upstream, shared by all its requests.
    public var breaker: CircuitBreaker?

    public init(
        _ method: HTTPMethod, _ url: String, headers: HTTPHeaders = [:], body: Body = .none,
        deadline: Deadline = .after(.seconds(30)), timeouts: Timeouts = Timeouts(), maxResponseBytes: Int = 8 << 20,
        isIdempotent: Bool? = nil, retry: RetryPolicy = .never, breaker: CircuitBreaker? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.deadline = deadline
        self.timeouts = timeouts
        self.maxResponseBytes = maxResponseBytes
        self.isIdempotent = isIdempotent ?? method.isIdempotent
        self.retry = retry
        self.breaker = breaker
    }
}

/// A field or a file of a `multipart/form-data` body.
public struct MultipartPart: Sendable {
    public var name: String
    public var filename: String?
    public var contentType: String?
    public var body: [UInt8]

    public init(name: String, filename: String? = nil, contentType: String? = nil, body: [UInt8]) {
        self.name = name
        self.filename = filename
        self.contentType = contentType
        self.body = body
    }
}
