import ConcurrencySupport
import FoundationEssentials
import Observability

/// How inputs are put together for a vendor.
enum EmbeddingBatching {
    /// Well below what vendors take (OpenAI: 2,048 inputs, 300,000 tokens), so that one batch is quick, its repeat cheap, and several can
    /// be under way at once. Tokens by their upper bound.
    static let mostInputs = 512
    static let mostTokens = 100_000

    /// Consecutive ranges that cover all inputs. One that is longer than a batch has a batch for itself.
    static func batches(of inputs: [EmbeddingInput]) -> [Range<Int>] {
        var batches: [Range<Int>] = []
        var (start, tokens) = (0, 0)
        for (index, input) in inputs.enumerated() {
            if index > start, index - start == mostInputs || tokens + input.mostTokens > mostTokens {
                batches.append(start..<index)
                (start, tokens) = (index, 0)
            }
            tokens += input.mostTokens
        }
        if start < inputs.count { batches.append(start..<inputs.count) }
        return batches
    }
}

/// The vendor's share of one call: its batches, a few at a time, each with one retry where the failure may pass.
struct EmbeddingWork: Sendable {
    typealias Item = (hash: [UInt8], input: EmbeddingInput)

    struct Outcome: Sendable {
        var vectors: [[UInt8]: Vector] = [:]
        var attempts: [ModelAttempt] = []
        /// ``EmbeddingsFailed`` or `CancellationError`; the first one.
        var failure: (any Error)?
    }

    static let atOnce = 4
    static let answered = "answered"
    private static let cancelled = "cancelled"

    let line: Embeddings.Line
    let call: ModelCall
    let ticket: UsageTicket
    let cache: any EmbeddingCache
    let calls: GenerationMetrics
    let logger: Logger
    let now: @Sendable () -> Date
    let worstCase: @Sendable ([EmbeddingInput]) -> Int64

    /// After a failure no further batch is begun; those under way come to their end, since they are paid for.
    func run(_ batches: [[Item]]) async -> Outcome {
        await withTaskGroup(of: Outcome.self) { group in
            var waiting = batches[...]
            for _ in 0..<Self.atOnce {
                if let batch = waiting.popFirst() { group.addTask { await self.ask(batch) } }
            }
            var total = Outcome()
            while let one = await group.next() {
                total.vectors.merge(one.vectors) { first, _ in first }
                total.attempts += one.attempts
                total.failure = total.failure ?? one.failure
                if total.failure == nil, let batch = waiting.popFirst() { group.addTask { await self.ask(batch) } }
            }
            return total
        }
    }

    private func ask(_ items: [Item]) async -> Outcome {
        var outcome = Outcome()
        let inputs = items.map(\.input)
        let batch = EmbeddingBatch(
            inputs: inputs, dimensions: line.askedDimensions, customer: Caller.vendorName(of: call.tenantId))
        var purpose = ModelAttempt.Purpose.ask
        while true {
            let (started, sentAt) = (ContinuousClock.now, now())
            func note(_ result: String, model: String, _ usage: ChatUsage, detail: String? = nil) {
                let attempt = ModelAttempt(
                    route: line.route, purpose: purpose, outcome: result, model: model, usage: usage, prices: line.prices,
                    sentAt: sentAt, latency: started.duration(to: .now), detail: detail)
                outcome.attempts.append(attempt)
                calls.count(attempt)
            }
            do {
                let answer = try await line.route.guarded(within: call.deadline.remaining) {
                    try await line.model.vectors(for: batch, within: $0)
                }
                try check(answer, inputs)
                note(Self.answered, model: answer.model, usage(of: inputs, counted: answer.promptTokens))
                for (item, vector) in zip(items, answer.vectors) { outcome.vectors[item.hash] = vector }
                await keep(items, answer.vectors)
                return outcome
            } catch let failure as ChatFailure {
                note(failure.kind.rawValue, model: line.route.modelName, failure.usage ?? .none, detail: failure.message)
                logger.warning(
                    "no vectors from the model",
                    ["route": line.name, "failure": failure.kind.rawValue, "detail": failure.message])
                outcome.failure = EmbeddingsFailed(failure, model: line.name)
                guard purpose == .ask, case .retry(let hint) = failure.reaction else { return outcome }
                let wait = hint ?? .milliseconds(Int64.random(in: 150...350))
                guard call.deadline.remaining > wait + .milliseconds(500) else { return outcome }
                do {
                    try await Task.sleep(for: wait)
                    // The first try may have been billed: the second needs money of its own.
                    guard try await ticket.extend(by: worstCase(inputs)) else { return outcome }
                } catch {
                    if Task.isCancelled { outcome.failure = CancellationError() }
                    return outcome
                }
                outcome.failure = nil
                purpose = .retry
            } catch {
                // The vendor may have worked for nobody: what that costs is ours, as far as it can be known.
                note(Self.cancelled, model: line.route.modelName, usage(of: inputs, counted: nil))
                outcome.failure = CancellationError()
                return outcome
            }
        }
    }

    private func check(_ answer: EmbeddedBatch, _ inputs: [EmbeddingInput]) throws(ChatFailure) {
        guard let wanted = line.dimensions, let wrong = answer.vectors.first(where: { $0.dimensions != wanted }) else { return }
        throw ChatFailure(
            .malformed, .nextRoute, .count, message: "a vector has \(wrong.dimensions) dimensions instead of \(wanted)",
            usage: usage(of: inputs, counted: answer.promptTokens))
    }

    private func usage(of inputs: [EmbeddingInput], counted: Int?) -> ChatUsage {
        ChatUsage(
            promptTokens: counted ?? inputs.reduce(0) { $0 + $1.estimatedTokens }, cachedPromptTokens: 0, completionTokens: 0,
            isEstimated: counted == nil)
    }

    private func keep(_ items: [Item], _ vectors: [Vector]) async {
        do {
            try await cache.keep(zip(items, vectors).map { ($0.hash, $1) }, in: line.space, tenantId: call.tenantId)
        } catch {
            logger.warning("vectors could not be kept", ["error": "\(error)"])
        }
    }
}
