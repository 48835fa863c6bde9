import FoundationEssentials

/// Writes one JSON line per call: `time, level, service, message`, then from ``CallContext/current`` `traceId, spanId, requestId,
/// operationId, tenant, flow`, then the caller's attributes in the order of their names.
///
/// Values under names such as `authorization`, `password`, `token` or `phone` are replaced by `•••`. A level that is switched off costs
/// a comparison: neither message nor attributes are computed.
public struct Logger: Sendable {
    public enum Level: String, Sendable, Comparable, CaseIterable {
        case debug, info, warning, error

        private var rank: Int {
            switch self {
            case .debug: 0
            case .info: 1
            case .warning: 2
            case .error: 3
            }
        }

        public static func < (lhs: Level, rhs: Level) -> Bool { lhs.rank < rhs.rank }
    }

    public let service: String
    public let level: Level
    private let sink: LogSink
    private let fixed: Attributes

    public init(service: String, level: Level = .info, sink: LogSink = .standardOutput) {
        self.init(service: service, level: level, sink: sink, fixed: [:])
    }

    private init(service: String, level: Level, sink: LogSink, fixed: Attributes) {
        self.service = service
        self.level = level
        self.sink = sink
        self.fixed = fixed
    }

    /// A logger that writes nothing, for tests and tools.
    public static let silent = Logger(service: "", level: .error, sink: LogSink(write: { _ in }))

    /// The same logger with attributes that stand in each of its lines.
    public func with(_ attributes: Attributes) -> Logger {
        Logger(service: service, level: level, sink: sink, fixed: fixed.merging(attributes))
    }

    public func debug(_ message: @autoclosure () -> String, _ attributes: @autoclosure () -> Attributes = [:]) {
        log(.debug, message(), attributes())
    }

    public func info(_ message: @autoclosure () -> String, _ attributes: @autoclosure () -> Attributes = [:]) {
        log(.info, message(), attributes())
    }

    public func warning(_ message: @autoclosure () -> String, _ attributes: @autoclosure () -> Attributes = [:]) {
        log(.warning, message(), attributes())
    }

    public func error(_ message: @autoclosure () -> String, _ attributes: @autoclosure () -> Attributes = [:]) {
        log(.error, message(), attributes())
    }

    public func log(_ level: Level, _ message: @autoclosure () -> String, _ attributes: @autoclosure () -> Attributes = [:]) {
        guard level >= self.level else { return }
        var line = JSONText(capacity: 320)
        line.beginObject()
        line.field("time", WallClock.now().rfc3339)
        line.field("level", level.rawValue)
        line.field("service", service)
        line.field("message", message())
        if let context = CallContext.current { write(context, to: &line) }
        let attributes = fixed.isEmpty ? attributes() : fixed.merging(attributes())
        for (key, value) in attributes.pairs {
            let traits = Redaction.traits(of: key)
            line.key(traits.isReserved ? "_\(key)" : key)
            line.value(traits.isSensitive ? Redaction.redacted(value, key: key) : value)
        }
        line.endObject()
        line.endLine()
        sink.write(line.bytes)
    }

    /// Waits until written lines have left the process; for its end only.
    public func flush() { sink.flush() }

    /// The names of a line's own members.
    static let reserved: Set<String> = [
        "time", "level", "service", "message", "traceId", "spanId", "requestId", "operationId", "tenant", "flow",
    ]

    private func write(_ context: CallContext, to line: inout JSONText) {
        line.field("traceId", context.trace.traceId)
        line.field("spanId", context.trace.spanId)
        line.field("requestId", context.requestId)
        if let id = context.operationId { line.field("operationId", id.text) }
        if let id = context.tenantId { line.field("tenant", id.text) }
        if let flow = context.flow { line.field("flow", flow) }
    }
}
