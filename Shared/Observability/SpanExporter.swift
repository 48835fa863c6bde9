import ConcurrencySupport

/// Collects finished spans and posts them in batches as OTLP/HTTP JSON (opentelemetry-proto 1.x, `POST /v1/traces`).
///
/// It never slows anybody down: the queue is bounded, and spans beyond it, or in a batch that could not be sent, are dropped and counted
/// in `telemetry_spans_dropped_total`. As a `Service` it sends every ``interval`` and once more at the end.
public final class SpanExporter: Sendable {
    private struct State {
        var queue: [Span.Record] = []
        var isSending = false
    }

    public let interval: Duration
    private let service: String
    private let batchSize: Int
    private let queueLimit: Int
    private let send: @Sendable (_ body: [UInt8]) async throws -> Void
    private let sent: Counter
    private let dropped: Counter
    private let state = Lock(State())

    /// - Parameter send: posts one body with `Content-Type: application/json`; throws unless the collector took it.
    public init(
        service: String, metrics: MetricsRegistry = MetricsRegistry(), interval: Duration = .seconds(2), batchSize: Int = 256,
        queueLimit: Int = 2_048, send: @escaping @Sendable (_ body: [UInt8]) async throws -> Void
    ) {
        self.service = service
        self.interval = interval
        self.batchSize = batchSize
        self.queueLimit = queueLimit
        self.send = send
        sent = metrics.counter("telemetry_spans_sent_total", help: "Spans taken by the collector.")
        dropped = metrics.counter("telemetry_spans_dropped_total", help: "Spans lost to a full queue or an absent collector.")
    }

    func add(_ span: Span.Record) {
        let fits = state.withLock { state in
            guard state.queue.count < queueLimit else { return false }
            state.queue.append(span)
            return true
        }
        if !fits { dropped.increment() }
    }

    /// Sends everything that is queued now, a batch at a time. A batch that fails is dropped, and with it the attempt ends.
    public func flush() async {
        guard state.withLock({ !exchange(&$0.isSending, with: true) }) else { return }
        defer { state.withLock { $0.isSending = false } }
        while true {
            let batch = state.withLock { state in
                let batch = Array(state.queue.prefix(batchSize))
                state.queue.removeFirst(batch.count)
                return batch
            }
            guard !batch.isEmpty else { return }
            do {
                try await send(OTLP.encode(batch, service: service))
                sent.increment(by: Double(batch.count))
            } catch {
                dropped.increment(by: Double(batch.count))
                return
            }
        }
    }
}

private func exchange(_ flag: inout Bool, with new: Bool) -> Bool {
    defer { flag = new }
    return flag
}

/// The JSON form of `ExportTraceServiceRequest`: ids in hexadecimal, 64-bit integers as text.
enum OTLP {
    static func encode(_ spans: [Span.Record], service: String) -> [UInt8] {
        var json = JSONText(capacity: 512 * spans.count)
        json.beginObject()
        json.key("resourceSpans")
        json.beginArray()
        json.beginObject()
        json.key("resource")
        json.beginObject()
        write(["service.name": service] as Attributes, to: &json)
        json.endObject()
        json.key("scopeSpans")
        json.beginArray()
        json.beginObject()
        json.key("scope")
        json.beginObject()
        json.field("name", "douyin-marketing-platform")
        json.endObject()
        json.key("spans")
        json.beginArray()
        for span in spans { write(span, to: &json) }
        json.endArray()
        json.endObject()
        json.endArray()
        json.endObject()
        json.endArray()
        json.endObject()
        return json.bytes
    }

    private static func write(_ span: Span.Record, to json: inout JSONText) {
        json.beginObject()
        json.field("traceId", span.trace.traceId)
        json.field("spanId", span.trace.spanId)
        if let parent = span.parentId { json.field("parentSpanId", parent) }
        json.field("name", span.name)
        json.key("kind")
        json.int(span.kind.rawValue)
        json.field("startTimeUnixNano", String(span.start.nanoseconds))
        json.field("endTimeUnixNano", String(span.end.nanoseconds))
        if !span.attributes.isEmpty { write(span.attributes, to: &json) }
        if let failure = span.failure {
            json.key("status")
            json.beginObject()
            json.key("code")
            json.int(2)
            json.field("message", failure)
            json.endObject()
        }
        json.endObject()
    }

    private static func write(_ attributes: Attributes, to json: inout JSONText) {
        json.key("attributes")
        json.beginArray()
        for (key, value) in attributes.pairs {
            let value = Redaction.value(value, for: key)
            if value == .null { continue }
            json.beginObject()
            json.field("key", key)
            json.key("value")
            json.beginObject()
            switch value {
            case .string(let text): json.field("stringValue", text)
            case .int(let number): json.field("intValue", String(number))
            case .double(let number):
                json.key("doubleValue")
                json.double(number)
            case .bool(let flag):
                json.key("boolValue")
                json.bool(flag)
            case .null: break
            }
            json.endObject()
            json.endObject()
        }
        json.endArray()
    }
}
