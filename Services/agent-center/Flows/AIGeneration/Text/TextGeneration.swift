import ConcurrencySupport
import DTO
import FoundationEssentials
import HTTPCore
import Observability

/// The one call for every kind of text (seed 001 §5.1, §10.1): `task`, `input`, and a model or `auto`.
///
/// The caller's words are data in the task's prompt, never instructions. The routes are asked in order; where none answers, a template
/// does, says so and costs nothing. Every answer is paid from its budgets and stands in the ledger before the caller has its last word.
/// A caller that leaves ends the model call and pays for what had been written.
struct TextGeneration: Sendable {
    /// What a streamed call tells, in order; `done` comes last, and without it the answer is not whole.
    enum Event: Sendable, Equatable {
        /// `input` counts the inputs of a list from 0; `nil` where there was one text.
        case delta(String, input: Int?)
        case restart(reason: String, input: Int?)
        case usage(AIUsage)
        case done(AIGenerateAnswer)
    }

    static let step = "generate"
    /// Inputs of one request that are written at the same time.
    private static let width = 4

    let models: AIGeneration
    let desk: UsageDesk
    let prompts: PromptRepository
    let bannedWords: TenantBannedWords
    let metrics: TextGenerationMetrics

    /// - Parameter isKept: for a caller who may ask again under the same operation: the work runs to its end although he left, and the
    ///   repeat finds its answer instead of asking and paying twice.
    func write(
        _ input: TextGenerationInput, for caller: Caller, requestId: String, isKept: Bool = false
    ) async throws -> AIGenerateAnswer {
        try await perform(input, for: caller, requestId, isKept: isKept) { tasks, lots, compliance, call, ticket in
            try await withThrowingTaskGroup(of: (Int, TextPiece).self) { group in
                var pieces = [TextPiece?](repeating: nil, count: tasks.count)
                var next = 0
                func add() {
                    guard next < tasks.count else { return }
                    let (index, task, lot) = (next, tasks[next], lots[next])
                    next += 1
                    group.addTask {
                        let outcome = try await models.perform(
                            task, for: call, ticket: ticket, plan: lot.plan, setAside: lot.setAside)
                        return (index, try await piece(of: outcome, input, index, call, ticket, compliance))
                    }
                }
                for _ in 0..<Self.width { add() }
                while let (index, piece) = try await group.next() {
                    pieces[index] = piece
                    add()
                }
                let written = pieces.compactMap { $0 }
                return (written, written.contains(where: \.outcome.isAbandoned))
            }
        }
    }

    /// - Parameter send: throws when nobody reads any more.
    func stream(
        _ input: TextGenerationInput, for caller: Caller, requestId: String,
        to send: @escaping @Sendable (Event) async throws -> Void
    ) async throws {
        let answer = try await perform(input, for: caller, requestId) { tasks, lots, compliance, call, ticket in
            var pieces: [TextPiece] = []
            for (index, task) in tasks.enumerated() {
                let number = input.isList ? index : nil
                let listener = GenerationListener(takesRestarts: true) { event in
                    switch event {
                    case .delta(let text): try await send(.delta(text, input: number))
                    case .restart(let reason): try await send(.restart(reason: reason, input: number))
                    case .begun, .thought, .usage, .done: break
                    }
                }
                let outcome = try await models.perform(
                    task, for: call, ticket: ticket, plan: lots[index].plan, setAside: lots[index].setAside, to: listener)
                let piece = try await piece(of: outcome, input, index, call, ticket, compliance)
                pieces.append(piece)
                if piece.outcome.isAbandoned { return (pieces, true) }
                guard piece.isTemplate || piece.isMended else { continue }
                do {
                    // What was read already cannot be mended in silence: it is void, and the text comes once more.
                    if outcome.isSent {
                        let reason = piece.isTemplate ? piece.reason : "回答含风险词，已改写"
                        try await send(.restart(reason: reason ?? "", input: number))
                    }
                    try await send(.delta(piece.text, input: number))
                } catch {
                    return (pieces, true)
                }
            }
            return (pieces, false)
        }
        try await send(.usage(answer.usage))
        try await send(.done(answer))
    }

    // MARK: Parts

    /// What was drawn for one piece, and its share of the ticket.
    private typealias Lot = (plan: RoutePlan, setAside: Int64)

    /// Sets the worst case aside, lets the pieces be written, settles what they came to.
    private func perform(
        _ input: TextGenerationInput, for caller: Caller, _ requestId: String, isKept: Bool = false,
        _ work:
            @escaping @Sendable ([TextTask], [Lot], TextCompliance, ModelCall, UsageTicket) async throws
            -> (pieces: [TextPiece], hasLeft: Bool)
    ) async throws -> AIGenerateAnswer {
        let started = ContinuousClock.now
        guard let task = AITask(rawValue: input.task.rawValue) else { throw UnservedTask() }
        let call = ModelCall(
            tenantId: caller.tenantId, subject: caller.subject, operationId: caller.operationId, step: Self.step,
            flow: "AIGeneration", task: task, scene: input.scene, language: input.language, model: input.model,
            texts: input.inputs.count, deadline: caller.deadline)
        let prompt = try await input.prompt.choice(for: input.task, from: prompts, call)
        let compliance = TextCompliance(
            scene: call.scene, bannedWords: try await bannedWords.finder(of: caller.tenantId),
            rewriting: PassageRewriting(models: models, prompts: prompts))
        let customer = Caller.vendorName(of: caller.tenantId)
        let tasks = try input.inputs.enumerated().map { index, text in
            do throws(PromptVariableError) {
                return try TextTask(text, of: input, version: prompt.version, customer: customer)
            } catch {
                throw PromptInput.failure(error) { input.pointer(to: $0, ofInput: index) }
            }
        }
        var drawn: [RoutePlan] = []
        for task in tasks { drawn.append(try await models.plan(task.question, for: call)) }
        let plans = drawn
        let worstCase = plans.reduce(0) { $0 + $1.worstCase }
        let leastCase = plans.reduce(0) { $0 + $1.leastCase }
        let write: @Sendable (UsageTicket) async throws -> (answer: AIGenerateAnswer, entry: LedgerEntry) = { ticket in
            let lots = plans.map { ($0, ticket.setAside < worstCase ? $0.leastCase : $0.worstCase) }
            let (pieces, hasLeft) = try await work(tasks, lots, compliance, call, ticket)
            let result = TextResult(
                pieces, of: input, currency: models.currency(for: call.tenantId), promptVersion: prompt.ref,
                latencyMs: Int(started.duration(to: .now).milliseconds))
            var entry = try result.entry(prompt: tasks.map { $0.question.messages.map(\.content).joined(separator: "\n") })
            entry.experiment = prompt.experiment
            metrics.count(result, isAbandoned: hasLeft)
            // What had been written is paid, although nobody reads it.
            guard !hasLeft else {
                try await ticket.settle(entry)
                throw CancellationError()
            }
            var answer = result.answer(requestId: requestId)
            answer.operationId = call.operationId
            answer.experiment = prompt.experiment.map { .init(id: $0.experimentId, arm: $0.arm) }
            return (answer, entry)
        }
        if isKept { return try await desk.once(call, worstCase: worstCase, atLeast: leastCase, write).answer }
        let ticket = try await desk.open(call, worstCase: worstCase, atLeast: leastCase)
        do {
            let (answer, entry) = try await write(ticket)
            try await ticket.settle(entry)
            return answer
        } catch {
            await ticket.release()
            throw error
        }
    }

    private func piece(
        of outcome: AIGeneration.Outcome<String>, _ input: TextGenerationInput, _ index: Int, _ call: ModelCall,
        _ ticket: UsageTicket, _ compliance: TextCompliance
    ) async throws -> TextPiece {
        try await compliance.piece(of: outcome, at: input.isList ? "/output/\(index)" : "/output", for: call, ticket) {
            TextTemplates.text(
                for: input.task, input: input.inputs[index], language: input.language,
                seed: SeededGenerator.seed(from: [input.inputs[index], call.operationId.uuidString]))
        }
    }
}

/// `embed` is another flow's.
struct UnservedTask: Error {}

/// What the pieces of one request come to.
struct TextResult: Sendable {
    private let pieces: [TextPiece]
    private let isList: Bool
    private let currency: String
    private let promptVersion: String
    private let latencyMs: Int
    let isDegraded: Bool
    let reason: String?
    let provider: String
    private let modelName: String

    init(_ pieces: [TextPiece], of input: TextGenerationInput, currency: String, promptVersion: String, latencyMs: Int) {
        self.pieces = pieces
        self.currency = currency
        self.promptVersion = promptVersion
        self.latencyMs = latencyMs
        isList = input.isList
        // An answer of several pieces is as good as its worst one, and by whoever wrote most of it by a model.
        let written = pieces.filter(\.isCharged)
        isDegraded = pieces.contains { $0.outcome.isDegraded }
        reason = isDegraded ? pieces.compactMap(\.reason).first : nil
        provider = written.first?.outcome.provider ?? TextTemplates.provider
        modelName = written.first?.outcome.modelName ?? TextTemplates.version
    }

    private var texts: [String] { pieces.map(\.text) }
    private var charged: [AIGeneration.Outcome<String>] { pieces.filter(\.isCharged).map(\.outcome) }

    /// What compliance found in all of them.
    var findings: [ComplianceFinding] { pieces.flatMap(\.findings) }

    private var costNano: Int64 { charged.reduce(0) { $0 + $1.totals.costNano } }

    func answer(requestId: String) -> AIGenerateAnswer {
        let usage = charged.reduce(into: (prompt: 0, completion: 0)) { sum, piece in
            sum.prompt += piece.totals.usage.promptTokens
            sum.completion += piece.totals.usage.completionTokens
        }
        return AIGenerateAnswer(
            output: isList ? .many(texts) : .one(texts.first ?? ""), provider: provider, modelName: modelName,
            usage: AIUsage(
                promptTokens: usage.prompt, completionTokens: usage.completion, costNano: costNano, currency: currency),
            latencyMs: latencyMs, degraded: isDegraded, degradedReason: reason, requestId: requestId,
            findings: findings.isEmpty ? nil : findings)
    }

    func entry(prompt: [String]) throws -> LedgerEntry {
        var entry = LedgerEntry(
            provider: provider, modelName: modelName, attempts: pieces.flatMap(\.outcome.attempts), isCharged: false,
            currency: currency,
            priceVersion: charged.last?.attempts.last?.priceVersion, latencyMs: latencyMs,
            promptVersion: provider == TextTemplates.provider ? TextTemplates.version : promptVersion,
            texts: .init(prompt: prompt.joined(separator: "\n"), completion: texts.joined(separator: "\n")),
            degradedReason: reason, isDegraded: isDegraded)
        (entry.costNano, entry.calls) = (costNano, charged.count)
        if !findings.isEmpty { entry.checks = .array(try findings.map { try JSONValue(encoding: $0) }) }
        return entry
    }
}

/// What became of calls to `POST /v1/ai/generate`.
struct TextGenerationMetrics: Sendable {
    private let answers: Counter
    private let findings: Counter

    init(_ registry: MetricsRegistry) {
        findings = TextMetrics.findings(registry)
        answers = registry.counter(
            "agent_generate_answers_total",
            help: "Answers to the unified call: by a model, a fallback model, a template, or left by their caller",
            labels: ["outcome"])
    }

    func count(_ result: TextResult, isAbandoned: Bool) {
        let outcome =
            if isAbandoned {
                "abandoned"
            } else if result.provider == TextTemplates.provider {
                "template"
            } else {
                result.isDegraded ? "fallback_model" : "model"
            }
        answers.increment([outcome])
        for finding in result.findings { findings.increment(["AIGeneration", finding.category, finding.action.rawValue]) }
    }
}
