import ConcurrencySupport

/// Numbers about the process, served as Prometheus text (exposition format 0.0.4) on `/metrics`.
///
/// Asking twice for a name gives the same metric. Each metric keeps a bounded number of label combinations; further ones are counted
/// together under `other`, so that a client that makes up paths cannot fill the memory.
public final class MetricsRegistry: Sendable {
    /// Label combinations kept per metric. The gateway's routes with every status that each answers are several hundred.
    public static let defaultSeriesLimit = 2_000

    private struct State {
        var metrics: [String: any Metric] = [:]
        var collectors: [@Sendable () -> Void] = []
    }

    private let state = Lock(State())
    private let seriesLimit: Int

    public init(seriesLimit: Int = MetricsRegistry.defaultSeriesLimit) { self.seriesLimit = seriesLimit }

    /// A number that only grows. The name ends in `_total` by convention.
    public func counter(_ name: String, help: String, labels: [String] = []) -> Counter {
        metric(name) { Counter(series: Series(name: name, help: help, labels: labels, limit: seriesLimit, zero: 0)) }
    }

    /// A number that goes up and down.
    public func gauge(_ name: String, help: String, labels: [String] = []) -> Gauge {
        metric(name) { Gauge(series: Series(name: name, help: help, labels: labels, limit: seriesLimit, zero: 0)) }
    }

    /// A distribution. Durations are in seconds and the name ends in `_seconds` by convention.
    public func histogram(
        _ name: String, help: String, labels: [String] = [], buckets: [Double] = Histogram.durationBuckets
    ) -> Histogram {
        metric(name) { Histogram(name: name, help: help, labels: labels, limit: seriesLimit, buckets: buckets) }
    }

    /// Calls `body` before each ``render()``, for gauges that are read rather than set.
    public func onRender(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.collectors.append(body) } }

    /// All metrics as Prometheus text, sorted by name.
    public func render() -> String {
        for collect in state.withLock({ $0.collectors }) { collect() }
        var text = ""
        for metric in state.withLock({ $0.metrics }).sorted(by: { $0.key < $1.key }) { metric.value.render(to: &text) }
        return text
    }

    private func metric<M: Metric>(_ name: String, make: () -> M) -> M {
        precondition(Self.isValid(name: name), "'\(name)' is no metric name")
        let existing = state.withLock { state -> any Metric in
            if let metric = state.metrics[name] { return metric }
            let metric = make()
            state.metrics[name] = metric
            return metric
        }
        guard let metric = existing as? M else { preconditionFailure("The metric '\(name)' exists with another kind") }
        return metric
    }

    private static func isValid(name: String) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: ":"):
                true
            default: false
            }
        }
    }
}

public final class Counter: Metric {
    private let series: Series<Double>

    fileprivate init(series: Series<Double>) { self.series = series }

    /// - Parameter labelValues: as many as the metric has labels, in their order.
    public func increment(by amount: Double = 1, _ labelValues: [String] = []) {
        series.update(labelValues) { $0 += amount }
    }

    /// The present value; for tests.
    public func value(_ labelValues: [String] = []) -> Double { series.value(labelValues) ?? 0 }

    fileprivate func render(to text: inout String) { series.renderNumbers(kind: "counter", to: &text) }
}

public final class Gauge: Metric {
    private let series: Series<Double>

    fileprivate init(series: Series<Double>) { self.series = series }

    public func set(_ value: Double, _ labelValues: [String] = []) { series.update(labelValues) { $0 = value } }

    /// Adds; a negative amount takes away.
    public func add(_ amount: Double, _ labelValues: [String] = []) { series.update(labelValues) { $0 += amount } }

    public func value(_ labelValues: [String] = []) -> Double { series.value(labelValues) ?? 0 }

    fileprivate func render(to text: inout String) { series.renderNumbers(kind: "gauge", to: &text) }
}

public final class Histogram: Metric {
    /// Upper bounds in seconds, from 1 ms to 30 s.
    public static let durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

    fileprivate struct Distribution {
        /// Per bucket, not cumulated; the last is over all bounds.
        var counts: [Int]
        var sum: Double
    }

    private let series: Series<Distribution>
    private let bounds: [Double]

    fileprivate init(name: String, help: String, labels: [String], limit: Int, buckets: [Double]) {
        bounds = buckets.sorted()
        let zero = Distribution(counts: Array(repeating: 0, count: buckets.count + 1), sum: 0)
        series = Series(name: name, help: help, labels: labels, limit: limit, zero: zero)
    }

    public func observe(_ value: Double, _ labelValues: [String] = []) {
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        series.update(labelValues) {
            $0.counts[bucket] += 1
            $0.sum += value
        }
    }

    /// A duration, in seconds.
    public func observe(_ duration: Duration, _ labelValues: [String] = []) {
        let (seconds, attoseconds) = duration.components
        observe(Double(seconds) + Double(attoseconds) / 1e18, labelValues)
    }

    /// How many values were observed; for tests.
    public func count(_ labelValues: [String] = []) -> Int { series.value(labelValues)?.counts.reduce(0, +) ?? 0 }

    fileprivate func render(to text: inout String) {
        series.renderHeader(kind: "histogram", to: &text)
        for (labelValues, distribution) in series.sorted() {
            var cumulated = 0
            for (index, count) in distribution.counts.enumerated() {
                cumulated += count
                let bound = index < bounds.count ? renderNumber(bounds[index]) : "+Inf"
                series.renderLine(suffix: "_bucket", labelValues, extra: ("le", bound), value: String(cumulated), to: &text)
            }
            series.renderLine(suffix: "_sum", labelValues, value: renderNumber(distribution.sum), to: &text)
            series.renderLine(suffix: "_count", labelValues, value: String(cumulated), to: &text)
        }
    }
}

private protocol Metric: AnyObject, Sendable {
    func render(to text: inout String)
}

/// One metric's label combinations with their values.
private final class Series<Value: Sendable>: Sendable {
    private let name: String
    private let help: String
    private let labels: [String]
    private let limit: Int
    private let zero: Value
    private let overflow: [String]
    private let values: Lock<[[String]: Value]>

    init(name: String, help: String, labels: [String], limit: Int, zero: Value) {
        self.name = name
        self.help = help
        self.labels = labels
        self.limit = limit
        self.zero = zero
        overflow = Array(repeating: "other", count: labels.count)
        // A metric without labels shows its zero from the start, so that a rate can be computed from the first change on.
        values = Lock(labels.isEmpty ? [[]: zero] : [:])
    }

    func update(_ labelValues: [String], _ change: (inout Value) -> Void) {
        precondition(labelValues.count == labels.count, "\(name) has the labels \(labels), not \(labelValues.count) of them")
        values.withLock { values in
            guard let index = values.index(forKey: labelValues) else {
                return change(&values[values.count < limit ? labelValues : overflow, default: zero])
            }
            change(&values.values[index])
        }
    }

    func value(_ labelValues: [String]) -> Value? { values.withLock { $0[labelValues] } }

    func sorted() -> [(key: [String], value: Value)] {
        values.withLock { $0 }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }

    func renderHeader(kind: String, to text: inout String) {
        let help = help.map { $0 == "\\" ? "\\\\" : $0 == "\n" ? "\\n" : String($0) }.joined()
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
    }

    func renderLine(
        suffix: String = "", _ labelValues: [String], extra: (String, String)? = nil, value: String, to text: inout String
    ) {
        text += name + suffix
        var pairs = zip(labels, labelValues).map { "\($0)=\"\(escape($1))\"" }
        if let extra { pairs.append("\(extra.0)=\"\(extra.1)\"") }
        if !pairs.isEmpty { text += "{\(pairs.joined(separator: ","))}" }
        text += " \(value)\n"
    }

    private func escape(_ value: String) -> String {
        guard value.contains(where: { $0 == "\\" || $0 == "\"" || $0.isNewline }) else { return value }
        return value.map { character in
            switch character {
            case "\\": "\\\\"
            case "\"": "\\\""
            case "\n", "\r\n": "\\n"
            default: String(character)
            }
        }.joined()
    }
}

extension Series where Value == Double {
    func renderNumbers(kind: String, to text: inout String) {
        renderHeader(kind: kind, to: &text)
        for (labelValues, number) in sorted() { renderLine(labelValues, value: renderNumber(number), to: &text) }
    }
}

/// Whole numbers without `.0`; infinities as Prometheus spells them.
private func renderNumber(_ number: Double) -> String {
    if let whole = Int(exactly: number) { return String(whole) }
    if number.isNaN { return "NaN" }
    if number.isInfinite { return number > 0 ? "+Inf" : "-Inf" }
    return "\(number)"
}
