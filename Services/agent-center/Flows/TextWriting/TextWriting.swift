import ConcurrencySupport
import DTO
import FoundationEssentials
import HTTPCore

/// How copies, image-texts and scripts come about: once per operation and within its budgets, a model writes and is held to the rules of
/// the text; what compliance forbids is mended, else written anew, else all is left to the templates; everything found is reported and
/// goes into the ledger.
struct TextWriting: Sendable {
    let models: AIGeneration
    let desk: UsageDesk
    let prompts: PromptRepository
    let metrics: TextMetrics
    let bannedWords: BannedWordLists

    /// Which names of models the caller's tenant may ask for.
    func knowsModels(of caller: Caller) -> (String) -> Bool {
        { models.routing.knows($0, for: caller.tenantId) }
    }

    /// - Returns: the same text for the same operation.
    /// - Throws: ``NoTextFits`` besides what the desk throws.
    func write<Writer: TextWriter>(_ writer: Writer, as call: ModelCall) async throws -> WrittenText<Writer.Text> {
        let prompt = try await prompts.resolve(Writer.prompt, for: call, label: writer.brief.request.promptLabel)
        let task = try WritingTask(writer, version: prompt.version, customer: Caller.vendorName(of: call.tenantId))
        let plan = try await models.plan(task.question, for: call)
        let (written, isRepeat) = try await desk.once(call, worstCase: plan.worstCase, atLeast: plan.leastCase) { ticket in
            var work = TextWork(task: task, prompt: prompt, call: call, writing: self, plan: plan)
            try await work.write(ticket)
            return try work.finished()
        }
        metrics.count(written, of: call.flow, isRepeat: isRepeat)
        return written
    }
}

/// One text in the making.
private struct TextWork<Writer: TextWriter> {
    let task: WritingTask<Writer>
    let prompt: PromptChoice
    let call: ModelCall
    let writing: TextWriting
    /// Of the first attempt.
    let plan: RoutePlan
    let started = ContinuousClock.now

    private var text: Writer.Text?
    private var findings: [ComplianceFinding] = []
    private var outcome = AIGeneration.Outcome<Writer.Text>()
    /// Why the templates write, in Chinese.
    private var reason = ""

    private var writer: Writer { task.writer }

    init(task: WritingTask<Writer>, prompt: PromptChoice, call: ModelCall, writing: TextWriting, plan: RoutePlan) {
        self.task = task
        self.prompt = prompt
        self.call = call
        self.writing = writing
        self.plan = plan
    }

    /// The model's part.
    mutating func write(_ ticket: UsageTicket) async throws {
        outcome = try await writing.models.run(task, for: call, ticket: ticket, plan: plan, setAside: ticket.setAside)
        guard let draft = outcome.product else {
            reason = outcome.reason ?? "模型不可用"
            return
        }
        var review = try ComplianceReview(draft, writer.brief.compliance)
        let isWhole = try await rewrite(&review, ticket)
        text = isWhole ? try review.cleanText() : nil
        if let clean = text, let broken = writer.rules(for: clean).first(where: \.isBroken) {
            text = nil
            reason = "去除风险词后\(broken.check.detail)"
        }
        findings = review.findings(isDiscarded: text == nil)
        if text == nil, reason.isEmpty {
            let words = findings.map(\.word).removingRepeats().prefix(5)
            reason = "模型文本含“\(words.joined(separator: "”“"))”，改写后仍不合规"
        }
    }

    /// Asks once for the passages that no substitute helps.
    ///
    /// - Returns: whether there is a text for each of them.
    private mutating func rewrite(_ review: inout ComplianceReview<Writer.Text>, _ ticket: UsageTicket) async throws -> Bool {
        guard !review.passages.isEmpty else { return true }
        let rewritten = try await PassageRewriting(models: writing.models, prompts: writing.prompts)
            .rewrite(review.passages.map { ($0.text, $0.words) }, for: call, ticket)
        if rewritten.isAbandoned { throw CancellationError() }
        outcome.attempts += rewritten.attempts
        guard let texts = rewritten.texts else {
            reason = rewritten.reason ?? "改写未成"
            return false
        }
        outcome.isDegraded = outcome.isDegraded || rewritten.isDegraded
        outcome.reason = outcome.reason ?? rewritten.reason
        review.put(texts)
        return true
    }

    /// What there is now, or what the templates write.
    func finished() throws -> (answer: WrittenText<Writer.Text>, entry: LedgerEntry) {
        let (isModels, currency) = (text != nil, writing.models.currency(for: call.tenantId))
        let seed = SeededGenerator.seed(
            from: [writer.brief.request.topic, writer.brief.request.platform.rawValue, call.operationId.uuidString] + writer.seeds
        )
        guard let text = text ?? writer.template(seed: seed) else { throw NoTextFits() }
        let found = findings + (try ComplianceReview.warnings(in: text, writer.brief.compliance))
        let totals = outcome.totals
        let answer = WrittenText(
            text: text, findings: found, checks: writer.rules(for: text).map(\.check) + [Self.check(of: found)],
            provider: isModels ? outcome.provider : TitleTemplates.provider,
            modelName: isModels ? outcome.modelName : Writer.templateModel, degraded: !isModels || outcome.isDegraded,
            degradedReason: isModels ? outcome.reason : "\(reason)，由模板生成",
            // Templates are never billed; what failed attempts cost stands in the ledger.
            usage: TokenUsage(
                promptTokens: isModels ? totals.usage.promptTokens : 0,
                completionTokens: isModels ? totals.usage.completionTokens : 0,
                costNano: isModels ? String(totals.costNano) : "0", currency: currency),
            promptVersion: isModels ? prompt.ref : Writer.templateVersion,
            latencyMs: Int(started.duration(to: .now).milliseconds))
        return (answer, try entry(for: answer, isCharged: isModels))
    }

    private func entry(for answer: WrittenText<Writer.Text>, isCharged: Bool) throws -> LedgerEntry {
        var entry = LedgerEntry(
            provider: answer.provider, modelName: answer.modelName, attempts: outcome.attempts, isCharged: isCharged,
            currency: answer.usage.currency, priceVersion: isCharged ? outcome.attempts.last?.priceVersion : nil,
            latencyMs: answer.latencyMs, promptVersion: answer.promptVersion,
            texts: .init(
                prompt: task.question.messages.map(\.content).joined(separator: "\n"),
                completion: String(decoding: try JSON.encode(answer.text), as: UTF8.self)),
            degradedReason: answer.degradedReason, isDegraded: answer.degraded)
        entry.experiment = prompt.experiment
        entry.checks = .array(
            try answer.checks.map { try JSONValue(encoding: $0) } + answer.findings.map { try JSONValue(encoding: $0) })
        return entry
    }

    private static func check(of findings: [ComplianceFinding]) -> TextCheck {
        func count(_ action: ComplianceFinding.Action) -> Int { findings.count { $0.action == action } }
        let parts: [(String, ComplianceFinding.Action)] = [
            ("替换", .replaced), ("改写", .rewritten), ("弃用初稿", .discarded), ("请编辑留意", .warned),
        ]
        let said = parts.compactMap { count($0.1) > 0 ? "\($0.0) \(count($0.1)) 处" : nil }
        // What is forbidden has gone; what an editor should see has not.
        return TextCheck(
            rule: "compliance", passed: count(.warned) == 0, detail: said.isEmpty ? "未发现风险词" : said.joined(separator: "，"))
    }
}

/// A text with everything that is to be said of it.
struct WrittenText<Text: Codable & Sendable & Equatable>: Codable, Sendable, Equatable {
    var text: Text
    var findings: [ComplianceFinding]
    var checks: [TextCheck]
    var provider: String
    var modelName: String
    var degraded: Bool
    var degradedReason: String?
    var usage: TokenUsage
    var promptVersion: String
    var latencyMs: Int
}

/// Limits and banned words leave no text, not even one of the templates.
struct NoTextFits: Error, Equatable {}
