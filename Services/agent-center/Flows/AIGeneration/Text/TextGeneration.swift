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
    let metrics: TextGenerationMetrics

    func write(
        _ input: TextGenerationInput, for caller: Caller, requestId: String
    ) async throws -> AIGenerateAnswer {
        try await perform(input, for: caller, requestId) { tasks, lots, call, ticket in
            try await withThrowingTaskGroup(of: (Int, Piece).self) { group in
                var pieces = [Piece?](repeating: nil, count: tasks.count)
                var next = 0
                func add() {
                    guard next < tasks.count else { return }
                    let (index, task, lot) = (next, tasks[next], lots[next])
                    next += 1
                    group.addTask {
                        (
                            index,
                            try await models.perform(
                                task, for: call, ticket: ticket, plan: lot.plan, setAside: lot.setAside)
                        )
                    }
                }
                for _ in 0..<Self.width { add() }
                while let (index, piece) = try await group.next() {
                    pieces[index] = piece
                    add()
                }
                let written = pieces.compactMap { $0 }
                return (written, written.contains(where: \.isAbandoned))
            }
        }
    }

    /// - Parameter send: throws when nobody reads any more.
    func stream(
        _ input: TextGenerationInput, for caller: Caller, requestId: String,
        to send: @escaping @Sendable (Event) async throws -> Void
    ) async throws {
        let answer = try await perform(input, for: caller, requestId) { tasks, lots, call, ticket in
            var pieces: [Piece] = []
            for (index, task) in tasks.enumerated() {
                let number = input.isList ? index : nil
                let listener = GenerationListener(takesRestarts: true) { event in
                    switch event {
                    case .delta(let text): try await send(.delta(text, input: number))
                    case .restart(let reason): try await send(.restart(reason: reason, input: number))
                    case .begun, .usage, .done: break
                    }
                }
                let piece = try await models.perform(
                    task, for: call, ticket: ticket, plan: lots[index].plan, setAside: lots[index].setAside, to: listener)
                pieces.append(piece)
                if piece.isAbandoned { return (pieces, true) }
                guard piece.product == nil else { continue }
                do {
                    if piece.isSent { try await send(.restart(reason: Self.templateReason(piece), input: number)) }
                    try await send(.delta(template(input, index, call), input: number))
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

    private typealias Piece = AIGeneration.Outcome<String>
    /// What was drawn for one piece, and its share of the ticket.
    private typealias Lot = (plan: RoutePlan, setAside: Int64)

    /// Sets the worst case aside, lets the pieces be written, settles what they came to.
    private func perform(
        _ input: TextGenerationInput, for caller: Caller, _ requestId: String,
        _ work: ([TextTask], [Lot], ModelCall, UsageTicket) async throws -> (pieces: [Piece], hasLeft: Bool)
    ) async throws -> AIGenerateAnswer {
        let started = ContinuousClock.now
        guard let task = AITask(rawValue: input.task.rawValue) else { throw UnservedTask() }
        let call = ModelCall(
            tenantId: caller.tenantId, subject: caller.subject, operationId: caller.operationId, step: Self.step,
            flow: "AIGeneration", task: task, scene: input.scene, language: input.language, model: input.model,
            deadline: caller.deadline)
        let prompt = try await input.prompt.choice(for: input.task, from: prompts, call)
        let customer = Caller.vendorName(of: caller.tenantId)
        let tasks = try input.inputs.enumerated().map { index, text in
            do throws(PromptVariableError) {
                return try TextTask(text, of: input, version: prompt.version, customer: customer)
            } catch {
                throw PromptInput.failure(error) { input.pointer(to: $0, ofInput: index) }
            }
        }
        var plans: [RoutePlan] = []
        for task in tasks { plans.append(try await models.plan(task.question, for: call)) }
        let worstCase = plans.reduce(0) { $0 + $1.worstCase }
        let ticket = try await desk.open(
            call, worstCase: worstCase, atLeast: plans.reduce(0) { $0 + $1.leastCase })
        let lots = plans.map { ($0, ticket.setAside < worstCase ? $0.leastCase : $0.worstCase) }
        do {
            let (pieces, hasLeft) = try await work(tasks, lots, call, ticket)
            let result = TextResult(
                pieces, of: input, currency: models.currency(for: call.tenantId), promptVersion: prompt.ref,
                latencyMs: Int(started.duration(to: .now).milliseconds)
            ) { template(input, $0, call) }
            var entry = result.entry(prompt: tasks.map { $0.question.messages.map(\.content).joined(separator: "\n") })
            entry.experiment = prompt.experiment
            try await ticket.settle(entry)
            metrics.count(result, isAbandoned: hasLeft)
            if hasLeft { throw CancellationError() }
            return result.answer(requestId: requestId)
        } catch {
            await ticket.release()
            throw error
        }
    }

    private func template(_ input: TextGenerationInput, _ index: Int, _ call: ModelCall) -> String {
        TextTemplates.text(
            for: input.task, input: input.inputs[index], language: input.language,
            seed: SeededGenerator.seed(from: [input.inputs[index], call.operationId.uuidString]))
    }

    static func templateReason(_ piece: AIGeneration.Outcome<String>) -> String {
        "\(piece.reason ?? "模型不可用")，内容由模板生成"
    }
}

/// `embed` is another flow's.
struct UnservedTask: Error {}

/// What the pieces of one request come to.
struct TextResult: Sendable {
    private let pieces: [AIGeneration.Outcome<String>]
    private let texts: [String]
    private let isList: Bool
    private let currency: String
    private let promptVersion: String
    private let latencyMs: Int
    let isDegraded: Bool
    let reason: String?
    let provider: String
    private let modelName: String

    init(
        _ pieces: [AIGeneration.Outcome<String>], of input: TextGenerationInput, currency: String, promptVersion: String,
        latencyMs: Int, template: (Int) -> String
    ) {
        self.pieces = pieces
        self.currency = currency
        self.promptVersion = promptVersion
        self.latencyMs = latencyMs
        isList = input.isList
        texts = pieces.enumerated().map { index, piece in piece.product ?? (piece.isAbandoned ? "" : template(index)) }
        // An answer of several pieces is as good as its worst one, and by whoever wrote most of it by a model.
        let written = pieces.filter { $0.product != nil || $0.isAbandoned }
        isDegraded = pieces.contains { $0.isDegraded }
        let reasons = pieces.compactMap { piece in
            piece.product != nil || piece.isAbandoned ? piece.reason : TextGeneration.templateReason(piece)
        }
        reason = isDegraded ? reasons.first : nil
        provider = written.first?.provider ?? TextTemplates.provider
        modelName = written.first?.modelName ?? TextTemplates.version
    }

    /// Templates are never billed; what a caller read before it left is.
    private var charged: [AIGeneration.Outcome<String>] { pieces.filter { $0.product != nil || $0.isAbandoned } }

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
            latencyMs: latencyMs, degraded: isDegraded, degradedReason: reason, requestId: requestId)
    }

    func entry(prompt: [String]) -> LedgerEntry {
        var entry = LedgerEntry(
            provider: provider, modelName: modelName, attempts: pieces.flatMap(\.attempts), isCharged: false, currency: currency,
            priceVersion: charged.last?.attempts.last?.priceVersion, latencyMs: latencyMs,
            promptVersion: provider == TextTemplates.provider ? TextTemplates.version : promptVersion,
            texts: .init(prompt: prompt.joined(separator: "\n"), completion: texts.joined(separator: "\n")),
            degradedReason: reason, isDegraded: isDegraded)
        entry.costNano = costNano
        return entry
    }
}

/// What became of calls to `POST /v1/ai/generate`.
struct TextGenerationMetrics: Sendable {
    private let answers: Counter

    init(_ registry: MetricsRegistry) {
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
    }
}
