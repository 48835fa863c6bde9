import DTO
import Observability

/// What became of requests for copies, image-texts and scripts.
struct TextMetrics: Sendable {
    private let answers: Counter
    private let findings: Counter

    init(_ registry: MetricsRegistry) {
        answers = registry.counter(
            "agent_text_answers_total", help: "Texts by flow: by a model, a fallback model, templates, or repeated",
            labels: ["flow", "outcome"])
        findings = Self.findings(registry)
    }

    /// One counter for whoever writes.
    static func findings(_ registry: MetricsRegistry) -> Counter {
        registry.counter(
            "agent_compliance_findings_total", help: "Words that compliance found in texts, and what became of them",
            labels: ["flow", "category", "action"])
    }

    func count<Text>(_ written: WrittenText<Text>, of flow: String, isRepeat: Bool) {
        answers.increment([flow, Self.outcome(written.provider, isDegraded: written.degraded, isRepeat: isRepeat)])
        guard !isRepeat else { return }
        for finding in written.findings { findings.increment([flow, finding.category, finding.action.rawValue]) }
    }

    static func outcome(_ provider: String, isDegraded: Bool, isRepeat: Bool) -> String {
        if isRepeat { return "repeated" }
        if provider == TitleTemplates.provider { return "template" }
        return isDegraded ? "fallback_model" : "model"
    }
}
