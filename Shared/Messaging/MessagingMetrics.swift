import Observability

/// What the module counts. Label values are queue names and fixed words.
struct MessagingMetrics: Sendable {
    let published: Counter
    let consumed: Counter
    let relayed: Counter
    let outboxFailing: Gauge
    let yielded: Counter

    init(_ registry: MetricsRegistry) {
        published = registry.counter(
            "messaging_published_total", help: "Messages by what became of publishing them.", labels: ["outcome"])
        consumed = registry.counter(
            "messaging_consumed_total", help: "Deliveries by queue and outcome.", labels: ["queue", "outcome"])
        relayed = registry.counter("messaging_outbox_relayed_total", help: "Outbox rows that the broker confirmed.")
        outboxFailing = registry.gauge(
            "messaging_outbox_failing", help: "Outbox rows of the last batch that the broker did not confirm.")
        yielded = registry.counter(
            "messaging_outbox_yielded_total", help: "Batches left to another process's relay, which was at work.")
    }
}
