import ConcurrencySupport
import Cryptography
import FoundationEssentials
import Observability

/// Vectors for texts: what the tenant has asked before comes from the cache and costs nothing, the same text twice in one call is asked
/// once, and the rest goes to the vendor in batches, a few at a time.
///
/// Vectors of another model are never a fallback for those of the asked one: they lie in another space, often with other dimensions, and
/// an index that mixes them finds nonsense without anybody noticing. So a model that does not answer is a failure that is said aloud. For
/// the same reason `auto` is always the same model as long as the policy stays as it is, whatever its weights say.
struct Embeddings: Sendable {
    static let step = "embeddings"
    static let flow = "AIGeneration"
    /// What one client call may hold, as at OpenAI.
    static let mostInputs = 2_048

    let routing: Routing
    let makeModel: @Sendable (ModelCatalogue.Provider, ModelCatalogue.Model, RouteTimeouts) -> any EmbeddingModel
    let desk: UsageDesk
    let cache: any EmbeddingCache
    let calls: GenerationMetrics
    let metrics: EmbeddingMetrics
    let logger: Logger
    /// The instant that decides the price.
    var now: @Sendable () -> Date = { Date() }
    /// See ``AIGeneration/limitsMoney``. What the cache knows costs nothing, whatever the model's price.
    var limitsMoney: @Sendable (ModelCall) async throws -> Bool = { _ in false }

    /// - Throws: ``EmbeddingRefused`` where the question does not fit the model, ``EmbeddingsFailed`` where the vendor gave no answer,
    ///   ``BudgetExhausted``, ``ModelUnpriced``, ``OperationInProgress``.
    func embed(_ question: EmbeddingQuestion, for call: ModelCall) async throws -> EmbeddingAnswer {
        let line = try line(for: question, call)
        let hashes = question.inputs.map(\.contentHash)
        let known = await known(Array(Set(hashes)), line, call)
        var missing: [(hash: [UInt8], input: EmbeddingInput)] = []
        var seen = Set(known.keys)
        for (hash, input) in zip(hashes, question.inputs) where seen.insert(hash).inserted { missing.append((hash, input)) }
        let cached = hashes.reduce(0) { $0 + (known[$1] == nil ? 0 : 1) }
        metrics.count(hits: cached, asked: missing.count, repeated: hashes.count - cached - missing.count)

        var answer = EmbeddingAnswer(
            vectors: [], provider: line.route.provider, modelName: line.route.modelName, promptTokens: 0, costNano: 0,
            currency: line.prices.currency, cachedInputs: cached)
        var vectors = known
        if !missing.isEmpty {
            let paid = try await pay(for: missing, line, call)
            vectors.merge(paid.vectors) { first, _ in first }
            answer.promptTokens = paid.entry.promptTokens
            answer.costNano = paid.entry.costNano
            answer.modelName = paid.entry.modelName
        }
        answer.vectors = hashes.compactMap { vectors[$0] }
        guard answer.vectors.count == hashes.count, Set(answer.vectors.map(\.dimensions)).count == 1 else {
            throw EmbeddingsFailed(
                ChatFailure(.malformed, .stop, .count, message: "vectors of different lengths"), model: line.name)
        }
        return answer
    }

    // MARK: Which model

    /// The one model that answers a call.
    struct Line: Sendable {
        /// Its circuit and its places are those of the route, as for chat.
        let route: ModelRoute
        let model: any EmbeddingModel
        let space: EmbeddingSpace
        /// To be asked of the vendor.
        let askedDimensions: Int?
        let prices: PriceTable

        var name: String { route.name }
        /// What every vector must have; `nil` where nobody has said.
        var dimensions: Int? { space.dimensions == 0 ? nil : space.dimensions }
    }

    func line(for question: EmbeddingQuestion, _ call: ModelCall) throws -> Line {
        let instant = now()
        let catalogue = routing.catalogue.current(for: call.tenantId)
        if call.model != ModelNames.auto {
            guard let named = catalogue.model(named: call.model, at: instant), catalogue.provider(named.provider) != nil else {
                throw EmbeddingRefused.unknownModel(call.model)
            }
            guard named.capabilities.contains(.embeddings) else { throw EmbeddingRefused.noEmbeddings(call.model) }
        }
        // Neither chance nor the length of a text chooses the space.
        let plan = routing.plan(for: call, length: 0, at: instant, draw: { 0 })
        guard let route = plan.routes.first, let provider = catalogue.provider(route.provider),
            let model = catalogue.model(route.modelName, of: route.provider)
        else { throw EmbeddingsNotConfigured() }
        for (index, input) in question.inputs.enumerated() {
            if case .tokens(let tokens) = input, tokens.count > model.contextTokens {
                throw EmbeddingRefused.tooLong(index, limit: model.contextTokens)
            }
        }
        var asked = question.dimensions
        if let dimensions = asked {
            if dimensions == model.dimensions {
                asked = nil
            } else if !model.capabilities.contains(.dimensions) {
                throw EmbeddingRefused.fixedDimensions(model.dimensions)
            } else if let most = model.dimensions, dimensions > most {
                throw EmbeddingRefused.tooManyDimensions(most: most)
            }
        }
        return Line(
            route: route, model: makeModel(provider, model, route.timeouts),
            space: EmbeddingSpace(
                provider: route.provider, model: route.modelName, dimensions: question.dimensions ?? model.dimensions ?? 0),
            askedDimensions: asked, prices: plan.prices)
    }

    /// A cache that cannot be read costs money, not the answer.
    private func known(_ hashes: [[UInt8]], _ line: Line, _ call: ModelCall) async -> [[UInt8]: Vector] {
        do {
            return try await cache.vectors(of: hashes, in: line.space, tenantId: call.tenantId)
        } catch {
            logger.warning("the embedding cache could not be read", ["error": "\(error)"])
            return [:]
        }
    }

    // MARK: Paying

    private func pay(
        for missing: [(hash: [UInt8], input: EmbeddingInput)], _ line: Line, _ call: ModelCall
    ) async throws -> (vectors: [[UInt8]: Vector], entry: LedgerEntry) {
        let started = ContinuousClock.now
        if !line.prices.hasPrice(of: line.route, at: now()), try await limitsMoney(call) {
            throw ModelUnpriced(model: line.name)
        }
        let batches = EmbeddingBatching.batches(of: missing.map(\.input))
        let worstCase = batches.reduce(0) { $0 + self.worstCase(of: missing[$1].map(\.input), line) }
        let ticket = try await desk.open(call, worstCase: worstCase)
        let work = EmbeddingWork(
            line: line, call: call, ticket: ticket, cache: cache, calls: calls, logger: logger, now: now,
            worstCase: { self.worstCase(of: $0, line) })
        let outcome = await work.run(batches.map { Array(missing[$0]) })
        let entry = entry(for: outcome, missing, line, latency: started.duration(to: .now))
        // What was answered is paid for, although the rest failed or nobody waits any more: it is kept, and the repeat finds it. A call
        // that cost nobody anything leaves no row and takes no call from a budget.
        if entry.spentNano > 0 || !outcome.vectors.isEmpty {
            try await ticket.settle(entry)
        } else {
            await ticket.release()
        }
        if let failure = outcome.failure { throw failure }
        return (outcome.vectors, entry)
    }

    private func worstCase(of inputs: [EmbeddingInput], _ line: Line) -> Int64 {
        let tokens = inputs.reduce(0) { $0 + $1.mostTokens }
        return line.prices.dearest(provider: line.route.provider, model: line.route.modelName).map { Int64(tokens) * $0.prompt }
            ?? 0
    }

    /// The texts themselves are not kept in the ledger: they are whole documents, which live elsewhere.
    private func entry(
        for outcome: EmbeddingWork.Outcome, _ missing: [(hash: [UInt8], input: EmbeddingInput)], _ line: Line, latency: Duration
    ) -> LedgerEntry {
        let answered = outcome.attempts.filter { $0.outcome == EmbeddingWork.answered }
        return LedgerEntry(
            provider: line.route.provider, modelName: answered.last?.model ?? line.route.modelName,
            promptTokens: answered.reduce(0) { $0 + $1.promptTokens }, cachedPromptTokens: 0, completionTokens: 0,
            calls: answered.isEmpty ? 0 : 1,
            costNano: answered.reduce(0) { $0 + $1.costNano }, spentNano: outcome.attempts.reduce(0) { $0 + $1.costNano },
            currency: line.prices.currency, priceVersion: answered.last?.priceVersion,
            isEstimated: outcome.attempts.contains { $0.isEstimated }, latencyMs: Int(latency.milliseconds),
            attempts: outcome.attempts, promptVersion: "", promptHash: SHA256.hash(missing.flatMap(\.hash)),
            completionHash: SHA256.hash(missing.flatMap { outcome.vectors[$0.hash]?.bytes ?? [] }), isDegraded: false,
            degradedReason: nil, checks: nil, experiment: nil, texts: nil)
    }
}

/// What is counted of the inputs.
struct EmbeddingMetrics: Sendable {
    private let inputs: Counter

    init(_ registry: MetricsRegistry) {
        inputs = registry.counter(
            "agent_embedding_inputs_total",
            help:
                "Texts to embed: from the cache (hit), asked of a model (miss), or the same as another of their call (repeated)",
            labels: ["outcome"])
    }

    func count(hits: Int, asked: Int, repeated: Int) {
        for (outcome, count) in [("hit", hits), ("miss", asked), ("repeated", repeated)] where count > 0 {
            inputs.increment(by: Double(count), [outcome])
        }
    }
}
