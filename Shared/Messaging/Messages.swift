import FoundationEssentials
import Observability

/// A message on its way out.
public struct OutgoingMessage: Sendable {
    var exchange: Exchange
    public var routingKey: String
    public var headers: [String: String]
    public var messageId: String
    public var contentType: String
    public var body: [UInt8]
    /// An error instead of silence when no queue takes the message.
    public var isMandatory: Bool

    public init(
        exchange: Exchange = .marketingEvents, routingKey: String, headers: [String: String] = [:], messageId: String,
        contentType: String, body: [UInt8], isMandatory: Bool = true
    ) {
        self.exchange = exchange
        self.routingKey = routingKey
        self.headers = headers
        self.messageId = messageId
        self.contentType = contentType
        self.body = body
        self.isMandatory = isMandatory
    }

    /// The event under its type, with trace, request and operation also in the headers.
    public init(_ event: CloudEvent, exchange: Exchange = .marketingEvents) {
        var headers: [String: String] = [:]
        headers[HeaderName.traceparent] = event.traceparent
        headers[HeaderName.requestId] = event.correlationId
        headers[HeaderName.subject] = event.subject
        headers[HeaderName.operationId] = event.operationId?.text
        self.init(
            exchange: exchange, routingKey: event.type, headers: headers, messageId: event.id.text,
            contentType: CloudEvent.contentType, body: event.encoded())
    }
}

/// A message that a consumer's handler is given. Returning from the handler acknowledges it.
public struct Delivery: Sendable {
    public let event: CloudEvent
    /// The key under which the message was first published, also after retries.
    public let routingKey: String
    public let headers: [String: String]
    /// 1 for the first attempt; grows with every rung of the retry ladder.
    public let attempt: Int
    /// The broker has handed this message out before: the first consumer may have done the work already.
    public let isRedelivered: Bool
}

/// A message in the parking queue.
public struct ParkedMessage: Sendable, Codable, Hashable {
    public let messageId: String
    public let routingKey: String
    /// Why it was parked.
    public let reason: String
    public let attempts: Int
    /// The message as text; bytes that are not UTF-8 are replaced.
    public let body: String
}

enum HeaderName {
    static let traceparent = "traceparent"
    static let requestId = "x-request-id"
    static let operationId = "x-operation-id"
    static let subject = "x-subject"
    static let attempt = "x-attempt"
    static let reason = "x-reason"
    static let routingKey = "x-original-routing-key"
    /// Written by the broker when it dead-letters, e.g. `delivery_limit`.
    static let firstDeathReason = "x-first-death-reason"
}
