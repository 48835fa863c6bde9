import ConcurrencySupport

/// Makes spans. Without an exporter only the ids are made, which log lines and the next hop need anyway.
///
///     try await tracer.withSpan("TitleGeneration") { span in
///         span.set("title.count", 5)
///         …
///     }
public struct Tracer: Sendable {
    public let service: String
    private let exporter: SpanExporter?

    public init(service: String, exporter: SpanExporter? = nil) {
        self.service = service
        self.exporter = exporter
    }

    /// Runs `body` inside a new span: a child of ``CallContext/current``'s span, or the root of a new trace. While it runs,
    /// `CallContext.current` is the same context with the new span. An error that leaves `body` marks the span as failed.
    nonisolated(nonsending) public func withSpan<Value>(
        _ name: @autoclosure () -> String, kind: Span.Kind = .internal, attributes: @autoclosure () -> Attributes = [:],
        _ body: nonisolated(nonsending) (Span) async throws -> Value
    ) async rethrows -> Value {
        let span = start(name(), kind: kind, attributes: attributes())
        defer { span.end() }
        var context = CallContext.current ?? CallContext(requestId: span.trace.traceId)
        context.trace = span.trace
        return try await CallContext.$current.withValue(context) {
            do {
                return try await body(span)
            } catch {
                span.fail(error)
                throw error
            }
        }
    }

    /// A span that its owner ends with ``Span/end()``, for work that is no one function call: a stream, for instance.
    public func start(
        _ name: @autoclosure () -> String, kind: Span.Kind = .internal, attributes: @autoclosure () -> Attributes = [:]
    ) -> Span {
        let parent = CallContext.current?.trace
        let trace = parent?.makeChild() ?? TraceContext.makeRoot().makeChild()
        let isRecorded = exporter != nil && trace.isSampled
        return Span(
            name: isRecorded ? name() : "", kind: kind, trace: trace,
            parentId: isRecorded ? parent.flatMap { $0.isUnstarted ? nil : $0.spanId } : nil,
            attributes: isRecorded ? attributes() : [:], exporter: isRecorded ? exporter : nil)
    }
}

/// A piece of work with a beginning and an end.
public final class Span: Sendable {
    /// The numbers are OTLP's `SpanKind`.
    public enum Kind: Int64, Sendable {
        case `internal` = 1
        case server, client, producer, consumer
    }

    struct Record: Sendable {
        let name: String
        let kind: Kind
        let trace: TraceContext
        let parentId: String?
        let start: WallClock
        var end: WallClock
        var attributes: Attributes
        var failure: String?
    }

    public let trace: TraceContext
    /// `nil` when nobody wants the span.
    private let recording: Recording?

    /// What is handed on at the end; `nil` after it.
    private final class Recording: Sendable {
        let exporter: SpanExporter
        let record: Lock<Record?>

        init(_ record: Record, for exporter: SpanExporter) {
            self.exporter = exporter
            self.record = Lock(record)
        }
    }

    init(
        name: String, kind: Kind, trace: TraceContext, parentId: String?, attributes: Attributes, exporter: SpanExporter?
    ) {
        self.trace = trace
        guard let exporter else {
            recording = nil
            return
        }
        let now = WallClock.now()
        recording = Recording(
            Record(
                name: name, kind: kind, trace: trace, parentId: parentId, start: now, end: now, attributes: attributes,
                failure: nil), for: exporter)
    }

    public func set(_ key: String, _ value: @autoclosure () -> some AttributeConvertible) {
        guard let recording else { return }
        let value = value().attributeValue
        recording.record.withLock { $0?.attributes.set(key, value) }
    }

    /// Marks the span as failed with the error's type; its text stays in the log.
    public func fail(_ error: any Error) { fail("\(type(of: error))") }

    public func fail(_ reason: String) {
        recording?.record.withLock { $0?.failure = reason }
    }

    /// Ends the span and hands it to the exporter; a second call does nothing.
    public func end() {
        guard let recording else { return }
        let ended = recording.record.withLock { record -> Record? in
            defer { record = nil }
            return record
        }
        guard var ended else { return }
        ended.end = WallClock.now()
        recording.exporter.add(ended)
    }
}
