public import FoundationEssentials
import HTTPCore
import Observability

/// What happened to one aggregate, as CloudEvents 1.0 in structured JSON mode (design §4, "Events").
public struct CloudEvent: Sendable, Hashable {
    /// Made by the emitting service; consumers recognise a repeat by it.
    public var id: UUID
    /// Who emitted it: the service's name as a URI reference, e.g. `content-center`.
    public var source: String
    /// Dotted, past tense, versioned: `content.draft.created.v1`. Also the routing key.
    public var type: String
    /// Id of the aggregate. Events of one subject are published in the order in which they were appended.
    public var subject: String?
    public var time: Date
    public var tenantId: UUID
    /// W3C trace context of the work that emitted the event.
    public var traceparent: String?
    /// The request id (`X-Request-Id`) of the work that emitted the event.
    public var correlationId: String?
    /// The operation id (`X-Operation-Id`) of the work that emitted the event.
    public var operationId: UUID?
    /// The aggregate's version after the change. A consumer applies only what is newer than what it has.
    public var version: Int64
    /// The payload: a JSON document, kept byte for byte.
    public var data: [UInt8]

    /// Trace, request and operation are taken from `CallContext.current` where they are not given.
    public init(
        id: UUID, source: String, type: String, subject: String? = nil, time: Date, tenantId: UUID, traceparent: String? = nil,
        correlationId: String? = nil, operationId: UUID? = nil, version: Int64, data: [UInt8]
    ) {
        let context = CallContext.current
        self.id = id
        self.source = source
        self.type = type
        self.subject = subject
        self.time = time
        self.tenantId = tenantId
        self.traceparent = traceparent ?? context?.trace.traceparent
        self.correlationId = correlationId ?? context?.requestId
        self.operationId = operationId ?? context?.operationId
        self.version = version
        self.data = data
    }

    public static let contentType = "application/cloudevents+json"

    /// Reads ``data`` as a DTO.
    ///
    /// - Throws: ``PermanentFailure``: what is not of that form now never will be.
    public func decode<Payload: Decodable>(_ payload: Payload.Type) throws -> Payload {
        do {
            return try JSON.decode(payload, from: data)
        } catch {
            throw PermanentFailure(reason: "data is not that of \(type): \(error)")
        }
    }
}

extension CloudEvent {
    /// The event as structured-mode JSON, UTF-8.
    public func encoded() -> [UInt8] {
        var members: [(String, String?)] = [
            ("specversion", "1.0"), ("id", id.text), ("source", source), ("type", type), ("subject", subject),
            ("time", RFC3339.format(time)), ("datacontenttype", "application/json"),
            ("tenantid", tenantId.text),
            ("traceparent", traceparent), ("correlationid", correlationId), ("operationid", operationId?.text),
        ]
        members.removeAll { $0.1 == nil }
        var text: [UInt8] = [UInt8(ascii: "{")]
        for (name, value) in members {
            text += "\"\(name)\":".utf8
            text += JSONValue.string(value ?? "").encode()
            text.append(UInt8(ascii: ","))
        }
        text += "\"version\":\(version),\"data\":".utf8
        text += data.isEmpty ? Array("null".utf8) : data
        text.append(UInt8(ascii: "}"))
        return text
    }

    /// Reads structured-mode JSON. Unknown attributes are ignored, as additive evolution needs.
    ///
    /// - Throws: ``MalformedEvent``, which names the attribute.
    public init(decoding bytes: [UInt8]) throws {
        let json: JSONValue
        do {
            json = try JSONValue(parsing: bytes)
        } catch {
            throw MalformedEvent(attribute: "", message: "\(error.reason.rawValue) at byte \(error.offset)")
        }
        func text(_ name: String) throws -> String {
            guard let value = json[name]?.string, !value.isEmpty else {
                throw MalformedEvent(attribute: name, message: "must be a non-empty string")
            }
            return value
        }
        func uuid(_ name: String) throws -> UUID {
            guard let value = UUID(text: try text(name)) else {
                throw MalformedEvent(attribute: name, message: "must be a UUID")
            }
            return value
        }
        guard try text("specversion") == "1.0" else {
            throw MalformedEvent(attribute: "specversion", message: "must be 1.0")
        }
        guard let time = RFC3339.parse(try text("time")) else {
            throw MalformedEvent(attribute: "time", message: "must be an RFC 3339 time")
        }
        guard let version = json["version"]?.int else {
            throw MalformedEvent(attribute: "version", message: "must be an integer")
        }
        id = try uuid("id")
        source = try text("source")
        type = try text("type")
        subject = json["subject"]?.string
        self.time = time
        tenantId = try uuid("tenantid")
        traceparent = json["traceparent"]?.string
        correlationId = json["correlationid"]?.string
        operationId = json["operationid"]?.string.flatMap(UUID.init(text:))
        self.version = Int64(version)
        data = (json["data"] ?? .null).encode()
    }
}

/// A message body that is no CloudEvent of ours. It will not get better by waiting: the consumer parks it.
public struct MalformedEvent: Error, Equatable, CustomStringConvertible {
    /// The attribute at fault; empty when the body is not JSON at all.
    public let attribute: String
    public let message: String

    public var description: String { attribute.isEmpty ? "not a CloudEvent: \(message)" : "CloudEvent \(attribute): \(message)" }
}
