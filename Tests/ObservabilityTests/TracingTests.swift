import ConcurrencySupport
import Foundation
import Observability
import Testing

private struct Broken: Error {}

@Suite struct TraceContextTests {
    @Test func readsAndWritesTraceparent() throws {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let trace = try #require(TraceContext(traceparent: text))
        #expect(trace.traceId == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(trace.spanId == "00f067aa0ba902b7")
        #expect(trace.isSampled)
        #expect(trace.traceparent == text)
        #expect(TraceContext(traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")?.isSampled == false)
        // A later version may have more fields.
        #expect(TraceContext(traceparent: "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x") != nil)
    }

    @Test(arguments: [
        "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01", "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ])
    func refusesInvalidOnes(text: String) { #expect(TraceContext(traceparent: text) == nil) }

    @Test func makesNewIds() {
        let roots = (0..<1_000).map { _ in TraceContext.makeRoot() }
        #expect(Set(roots.map(\.traceId)).count == 1_000)
        for root in roots { #expect(TraceContext(traceparent: root.traceparent) == root) }
        let child = roots[0].makeChild()
        #expect(child.traceId == roots[0].traceId && child.spanId != roots[0].spanId)
    }
}

@Suite struct TracerTests {
    private let collector = Collector()

    @Test func aSpanIsTheParentOfTheSpansInsideIt() async throws {
        let exporter = SpanExporter(service: "gateway-bff") { [collector] in collector.take($0) }
        let tracer = Tracer(service: "gateway-bff", exporter: exporter)
        let (outer, inner) = await tracer.withSpan("POST /api/titles", kind: .server) { outer in
            #expect(CallContext.current?.trace == outer.trace)
            let inner = await tracer.withSpan("call", kind: .client) { inner in inner }
            #expect(CallContext.current?.trace == outer.trace)
            return (outer, inner)
        }
        #expect(CallContext.current == nil)
        await exporter.flush()
        let spans = try collector.spans()
        #expect(spans.map { $0["name"] as? String } == ["call", "POST /api/titles"])
        #expect(spans[0]["parentSpanId"] as? String == outer.trace.spanId)
        #expect(spans[0]["spanId"] as? String == inner.trace.spanId)
        #expect(spans[1]["parentSpanId"] == nil)
        #expect(spans.allSatisfy { $0["traceId"] as? String == outer.trace.traceId })
        #expect(spans.map { $0["kind"] as? Int } == [3, 2])
    }

    @Test func continuesTheTraceOfAnotherProcess() async throws {
        let exporter = SpanExporter(service: "s") { [collector] in collector.take($0) }
        let tracer = Tracer(service: "s", exporter: exporter)
        let remote = try #require(TraceContext(traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
        let context = CallContext(trace: remote, requestId: "req-12345", tenantId: UUID(), flow: "TitleGeneration")
        await CallContext.$current.withValue(context) {
            await tracer.withSpan("server", kind: .server) { _ in
                #expect(CallContext.current?.requestId == "req-12345")
                #expect(CallContext.current?.tenantId == context.tenantId)
                #expect(CallContext.current?.flow == "TitleGeneration")
            }
        }
        await exporter.flush()
        let span = try #require(try collector.spans().first)
        #expect(span["traceId"] as? String == remote.traceId)
        #expect(span["parentSpanId"] as? String == remote.spanId)
    }

    @Test func theFirstSpanOfANewTraceHasNoParent() async throws {
        let exporter = SpanExporter(service: "s") { [collector] in collector.take($0) }
        let tracer = Tracer(service: "s", exporter: exporter)
        let root = CallContext(trace: .makeRoot(), requestId: "req-12345")
        await CallContext.$current.withValue(root) { await tracer.withSpan("server", kind: .server) { _ in } }
        await exporter.flush()
        let span = try #require(try collector.spans().first)
        #expect(span["traceId"] as? String == root.trace.traceId)
        #expect(span["parentSpanId"] == nil)
    }

    @Test func anErrorMarksTheSpanAndGoesOn() async throws {
        let exporter = SpanExporter(service: "s") { [collector] in collector.take($0) }
        let tracer = Tracer(service: "s", exporter: exporter)
        await #expect(throws: Broken.self) { try await tracer.withSpan("x") { _ in throw Broken() } }
        await exporter.flush()
        let status = try #require(try collector.spans().first?["status"] as? [String: Any])
        #expect(status["code"] as? Int == 2)
        #expect(status["message"] as? String == "Broken")
    }

    @Test func unsampledTracesAreNotExported() async throws {
        let exporter = SpanExporter(service: "s") { [collector] in collector.take($0) }
        let tracer = Tracer(service: "s", exporter: exporter)
        let context = CallContext(trace: .makeRoot(isSampled: false), requestId: "req-12345")
        await CallContext.$current.withValue(context) {
            await tracer.withSpan("x") { span in #expect(!span.trace.isSampled) }
        }
        await exporter.flush()
        #expect(try collector.spans().isEmpty)
    }

    @Test func writesOTLPJSON() async throws {
        let exporter = SpanExporter(service: "agent-center") { [collector] in collector.take($0) }
        let tracer = Tracer(service: "agent-center", exporter: exporter)
        let before = Date().timeIntervalSince1970
        await tracer.withSpan("x", attributes: ["text": "中\"", "count": 3, "ratio": 0.5, "flag": true, "apiKey": "s3cr3t"]) {
            span in
            span.set("late", "yes")
        }
        await exporter.flush()
        let body = try #require(collector.bodies.withLock { $0.first })
        #expect(!String(decoding: body, as: UTF8.self).contains("s3cr3t"))
        let root = try #require(try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any])
        let resource = try #require((root["resourceSpans"] as? [[String: Any]])?.first)
        let service = try #require(((resource["resource"] as? [String: Any])?["attributes"] as? [[String: Any]])?.first)
        #expect(service["key"] as? String == "service.name")
        #expect((service["value"] as? [String: Any])?["stringValue"] as? String == "agent-center")
        let span = try #require(try collector.spans().first)
        #expect((span["traceId"] as? String)?.count == 32 && (span["spanId"] as? String)?.count == 16)
        let start = try #require((span["startTimeUnixNano"] as? String).flatMap(Double.init))
        let end = try #require((span["endTimeUnixNano"] as? String).flatMap(Double.init))
        #expect(start / 1e9 > before - 1 && start <= end)
        let attributes = try #require(span["attributes"] as? [[String: Any]]).reduce(into: [String: [String: Any]]()) {
            $0[$1["key"] as? String ?? ""] = $1["value"] as? [String: Any]
        }
        #expect(attributes["text"]?["stringValue"] as? String == "中\"")
        #expect(attributes["count"]?["intValue"] as? String == "3")
        #expect(attributes["ratio"]?["doubleValue"] as? Double == 0.5)
        #expect(attributes["flag"]?["boolValue"] as? Bool == true)
        #expect(attributes["late"]?["stringValue"] as? String == "yes")
        #expect(attributes["apiKey"]?["stringValue"] as? String == "•••")
    }
}

@Suite struct SpanExporterTests {
    @Test func dropsAndCountsWhatDoesNotFit() async {
        let (metrics, collector) = (MetricsRegistry(), Collector())
        let exporter = SpanExporter(service: "s", metrics: metrics, batchSize: 4, queueLimit: 10) { collector.take($0) }
        let tracer = Tracer(service: "s", exporter: exporter)
        for _ in 0..<25 { await tracer.withSpan("x") { _ in } }
        await exporter.flush()
        #expect(metrics.counter("telemetry_spans_sent_total", help: "").value() == 10)
        #expect(metrics.counter("telemetry_spans_dropped_total", help: "").value() == 15)
        #expect(collector.bodies.withLock { $0.count } == 3)
    }

    @Test func dropsAndCountsABatchThatCannotBeSent() async {
        let metrics = MetricsRegistry()
        let exporter = SpanExporter(service: "s", metrics: metrics) { _ in throw Broken() }
        let tracer = Tracer(service: "s", exporter: exporter)
        for _ in 0..<3 { await tracer.withSpan("x") { _ in } }
        await exporter.flush()
        #expect(metrics.counter("telemetry_spans_dropped_total", help: "").value() == 3)
    }
}

/// Keeps the bodies an exporter sends.
private final class Collector: Sendable {
    let bodies = Lock<[[UInt8]]>([])

    func take(_ body: [UInt8]) { bodies.withLock { $0.append(body) } }

    func spans() throws -> [[String: Any]] {
        try bodies.withLock { $0 }.flatMap { body -> [[String: Any]] in
            let root = try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]
            let resource = (root?["resourceSpans"] as? [[String: Any]])?.first
            let scope = (resource?["scopeSpans"] as? [[String: Any]])?.first
            return try #require(scope?["spans"] as? [[String: Any]])
        }
    }
}
