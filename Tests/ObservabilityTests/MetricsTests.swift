import Foundation
import Observability
import Testing

@Suite struct MetricsTests {
    @Test func rendersPrometheusText() {
        let registry = MetricsRegistry()
        let requests = registry.counter("http_requests_total", help: "Requests.", labels: ["method", "status"])
        requests.increment(["GET", "200"])
        requests.increment(by: 2, ["GET", "200"])
        requests.increment(["POST", "201"])
        registry.gauge("pool_idle", help: "Idle connections.").set(2.5)
        let latency = registry.histogram("latency_seconds", help: "Latency.", labels: ["route"], buckets: [0.1, 1])
        latency.observe(0.05, ["/a"])
        latency.observe(.milliseconds(500), ["/a"])
        latency.observe(7, ["/a"])
        #expect(
            registry.render() == """
                # HELP http_requests_total Requests.
                # TYPE http_requests_total counter
                http_requests_total{method="GET",status="200"} 3
                http_requests_total{method="POST",status="201"} 1
                # HELP latency_seconds Latency.
                # TYPE latency_seconds histogram
                latency_seconds_bucket{route="/a",le="0.1"} 1
                latency_seconds_bucket{route="/a",le="1"} 2
                latency_seconds_bucket{route="/a",le="+Inf"} 3
                latency_seconds_sum{route="/a"} 7.55
                latency_seconds_count{route="/a"} 3
                # HELP pool_idle Idle connections.
                # TYPE pool_idle gauge
                pool_idle 2.5

                """)
    }

    @Test func aBoundIsInItsBucket() {
        let registry = MetricsRegistry()
        registry.histogram("h", help: "", buckets: [1, 2]).observe(1)
        #expect(registry.render().contains("h_bucket{le=\"1\"} 1\n"))
    }

    @Test func escapesLabelsAndHelp() {
        let registry = MetricsRegistry()
        registry.counter("c", help: "a\nb\\", labels: ["l"]).increment(["q\"b\\n\nx"])
        #expect(registry.render() == "# HELP c a\\nb\\\\\n# TYPE c counter\nc{l=\"q\\\"b\\\\n\\nx\"} 1\n")
    }

    @Test func theSameNameIsTheSameMetric() {
        let registry = MetricsRegistry()
        registry.counter("c", help: "").increment()
        registry.counter("c", help: "").increment()
        #expect(registry.counter("c", help: "").value() == 2)
    }

    @Test func countsWhatExceedsTheLabelBoundTogether() {
        let registry = MetricsRegistry(seriesLimit: 10)
        let counter = registry.counter("c", help: "", labels: ["path"])
        for number in 0..<1_000 { counter.increment(["/\(number)"]) }
        counter.increment(["/3"])
        #expect(counter.value(["/3"]) == 2)
        #expect(counter.value(["/500"]) == 0)
        #expect(counter.value(["other"]) == 990)
        #expect(registry.render().split(separator: "\n").count == 2 + 11)
    }

    @Test func readsGaugesAtRendering() {
        let registry = MetricsRegistry()
        let gauge = registry.gauge("g", help: "")
        registry.onRender { gauge.add(1) }
        _ = registry.render()
        #expect(registry.render().contains("g 2\n"))
    }

    @Test func countsExactlyFromManyTasks() async {
        let registry = MetricsRegistry()
        let counter = registry.counter("c", help: "", labels: ["l"])
        let histogram = registry.histogram("h", help: "")
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<16 {
                group.addTask {
                    for _ in 0..<1_000 {
                        counter.increment(["\(task % 2)"])
                        histogram.observe(0.001)
                    }
                }
            }
        }
        #expect(counter.value(["0"]) == 8_000)
        #expect(counter.value(["1"]) == 8_000)
        #expect(histogram.count() == 16_000)
    }
}
