import ConcurrencySupport
import DTO
import FoundationEssentials
import HTTPCore
import Observability

/// Flow 1, 爆款标题生成器 (seed 000 §1), agent-center's part: "agent-center 根据模板生成标题".
///
/// A brief comes in with everything decided (platform rules, brand and banned words). A model writes the titles; if none can,
/// the pattern library does, and says so. Every title is judged by the same explained rules. The work is written into the
/// ledger once per operation.
struct TitleGeneration: Sendable {
    static let step = "titles"

    let models: AIGeneration
    let desk: UsageDesk
    let prompts: PromptRepository
    let metrics: TitleMetrics
    let bannedWords: BannedWordLists

    /// - Returns: `request.count` titles, best first; the same ones for the same operation.
    func write(_ request: TitleWritingRequest, for caller: Caller) async throws -> TitleWritingAnswer {
        let call = ModelCall(
            for: caller, step: Self.step,
            flow: "TitleGeneration", task: .title, scene: "\(request.platform.rawValue)-title-zh", model: request.model)
        let brief = TitleBrief(
            request, words: bannedWords.finder(for: request.bannedWords, of: caller.tenantId))
        let prompt = try await prompts.resolve(TitlePrompt.name, for: call, label: request.promptLabel)
        let task = try TitleTask(brief: brief, version: prompt.version, customer: Caller.vendorName(of: caller.tenantId))
        let plan = try await models.plan(task.question, for: call)
        let (answer, isRepeat) = try await desk.once(call, worstCase: plan.worstCase, atLeast: plan.leastCase) { ticket in
            try await writeOnce(brief, task, prompt, for: call, ticket, plan)
        }
        metrics.count(answer, isRepeat: isRepeat)
        return answer
    }

    private func writeOnce(
        _ brief: TitleBrief, _ task: TitleTask, _ prompt: PromptChoice, for call: ModelCall, _ ticket: UsageTicket,
        _ plan: RoutePlan
    ) async throws -> (answer: TitleWritingAnswer, entry: LedgerEntry) {
        let started = ContinuousClock.now
        let outcome = try await models.run(task, for: call, ticket: ticket, plan: plan, setAside: ticket.setAside)
        var answer = try answer(from: outcome, task, prompt, for: call)
        answer.latencyMs = Int(started.duration(to: .now).milliseconds)
        return (answer, try entry(for: answer, outcome: outcome, task: task, prompt: prompt))
    }

    /// The model's titles, or the pattern library's; judged, but without the time they took.
    private func answer(
        from outcome: AIGeneration.Outcome<TitleTask.Draft>, _ task: TitleTask, _ prompt: PromptChoice, for call: ModelCall
    ) throws -> TitleWritingAnswer {
        let brief = task.brief
        let totals = outcome.totals
        let currency = models.currency(for: call.tenantId)
        var answer: TitleWritingAnswer
        if let titles = outcome.product?.titles {
            answer = TitleWritingAnswer(
                candidates: Self.judged(titles.map { ($0.outline, $0.formula) }, for: brief), provider: outcome.provider,
                modelName: outcome.modelName, degraded: outcome.isDegraded, degradedReason: outcome.reason,
                usage: TokenUsage(
                    promptTokens: totals.usage.promptTokens, completionTokens: totals.usage.completionTokens,
                    costNano: String(totals.costNano), currency: currency),
                promptVersion: prompt.ref, latencyMs: 0)
        } else {
            let seed = SeededGenerator.seed(
                from: [brief.topic, brief.platform.rawValue, call.operationId.uuidString]
                    + [brief.revision?.feedback].compactMap { $0 })
            let titles = TitleTemplates.titles(for: brief, seed: seed)
            guard !titles.isEmpty else { throw NoTitleFits() }
            answer = TitleWritingAnswer(
                candidates: Self.judged(titles.map { (TitleOutline(of: $0.text), $0.formula) }, for: brief),
                provider: TitleTemplates.provider,
                modelName: TitleTemplates.modelName, degraded: true,
                degradedReason: "\(outcome.reason ?? "模型不可用")，标题由模板库生成",
                // Templates are never billed; what failed attempts cost stands in the ledger.
                usage: TokenUsage(promptTokens: 0, completionTokens: 0, costNano: "0", currency: currency),
                promptVersion: TitleTemplates.promptVersion, latencyMs: 0)
        }
        let findings = Self.blocked(in: outcome, task) + Self.warnings(in: answer.candidates, for: brief)
        answer.findings = findings.isEmpty ? nil : findings
        return answer
    }

    /// Scores each title beside the others; best first, equals in the order they were written.
    static func judged(_ titles: [(outline: TitleOutline, formula: TitleFormula)], for brief: TitleBrief) -> [TitleCandidate] {
        let candidates = titles.enumerated().map { index, title -> TitleCandidate in
            let score = TitleScore(of: title.outline, for: brief, beside: titles[..<index].lazy.map(\.outline))
            return TitleCandidate(
                title: title.outline.text, score: score.value, reasons: score.reasons, formula: title.formula.rawValue)
        }
        return candidates.enumerated().sorted { ($1.element.score, $0.offset) < ($0.element.score, $1.offset) }.map(\.element)
    }

    /// The forbidden words that the models wrote: where they were told and wrote anew, that is what became of them; else the titles that
    /// held them were left out.
    private static func blocked(in outcome: AIGeneration.Outcome<TitleTask.Draft>, _ task: TitleTask) -> [ComplianceFinding] {
        let earlier = outcome.rejected.flatMap(task.blocked).map { finding in
            var finding = finding
            if outcome.product != nil { finding.action = .rewritten }
            return finding
        }
        return earlier + (outcome.product?.blocked ?? [])
    }

    /// Forbidden words are in no title; others are for an editor to look at.
    private static func warnings(in candidates: [TitleCandidate], for brief: TitleBrief) -> [ComplianceFinding] {
        candidates.enumerated().flatMap { index, candidate in
            Compliance.outermost(brief.compliance.check(candidate.title))
                .map { ComplianceFinding($0, at: "/candidates/\(index)/title", action: .warned) }
        }
    }

    private func entry(
        for answer: TitleWritingAnswer, outcome: AIGeneration.Outcome<TitleTask.Draft>, task: TitleTask, prompt: PromptChoice
    ) throws -> LedgerEntry {
        var entry = LedgerEntry(
            provider: answer.provider, modelName: answer.modelName, attempts: outcome.attempts, isCharged: outcome.product != nil,
            currency: answer.usage.currency,
            priceVersion: outcome.product == nil ? nil : outcome.attempts.last?.priceVersion, latencyMs: answer.latencyMs,
            promptVersion: answer.promptVersion,
            texts: .init(
                prompt: task.question.messages.map(\.content).joined(separator: "\n"),
                completion: answer.candidates.map(\.title).joined(separator: "\n")),
            degradedReason: answer.degradedReason, isDegraded: answer.degraded)
        entry.experiment = prompt.experiment
        if let findings = answer.findings { entry.checks = .array(try findings.map { try JSONValue(encoding: $0) }) }
        return entry
    }
}

/// Every sentence is too long or holds a banned word.
struct NoTitleFits: Error, Equatable {}

/// What became of title requests.
struct TitleMetrics: Sendable {
    private let answers: Counter
    private let findings: Counter

    init(_ registry: MetricsRegistry) {
        findings = TextMetrics.findings(registry)
        answers = registry.counter(
            "agent_title_answers_total", help: "Answers to title requests: by a model, a fallback model, templates, or repeated",
            labels: ["outcome"])
    }

    func count(_ answer: TitleWritingAnswer, isRepeat: Bool) {
        answers.increment([TextMetrics.outcome(answer.provider, isDegraded: answer.degraded, isRepeat: isRepeat)])
        guard !isRepeat else { return }
        for finding in answer.findings ?? [] {
            findings.increment(["TitleGeneration", finding.category, finding.action.rawValue])
        }
    }
}
