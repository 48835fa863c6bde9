import ConcurrencySupport
import ConfigReading
import FoundationEssentials
import HTTPCalling

/// One embedding model at one vendor, with its circuit and its share of concurrent calls; as ``ModelRoute`` for chat.
final class Embedder: Sendable {
    private let model: any EmbeddingModel
    private let breaker: CircuitBreaker
    private let places: ConcurrencyLimit
    private let closedUntil = Lock<ContinuousClock.Instant?>(nil)
    private let pause: Duration

    /// - Parameter pause: how long it rests after a refusal that waiting does not cure (key, balance, unknown model).
    init(name: String, model: any EmbeddingModel, concurrency: Int = 64, pause: Duration = .seconds(60)) {
        self.model = model
        self.pause = pause
        breaker = CircuitBreaker(
            name: name, configuration: .init(window: 10, minimumCalls: 5, failureRatio: 0.5, openFor: .seconds(15)))
        places = ConcurrencyLimit(concurrency)
    }

    /// - Throws: ``ChatFailure``, or `CancellationError`.
    func vectors(for batch: EmbeddingBatch, within budget: Duration) async throws -> EmbeddedBatch {
        if let until = closedUntil.withLock({ $0 }), until > .now {
            throw ChatFailure(.circuitOpen, .nextRoute, .ignore, message: "resting after an earlier refusal")
        }
        let deadline = Deadline.after(budget)
        do {
            try await places.enter(before: deadline)
        } catch is DeadlineExceeded {
            throw ChatFailure(.saturated, .nextRoute, .ignore, message: "no free place in time")
        }
        defer { places.leave() }
        let permit: CircuitBreaker.Permit
        do {
            permit = try breaker.acquire()
        } catch {
            throw ChatFailure.broken(error)
        }
        do {
            let answer = try await model.vectors(for: batch, within: deadline.remaining)
            permit.report(.success)
            return answer
        } catch let failure as ChatFailure {
            permit.report(failure.circuit == .ignore ? .unknown : .failure)
            if failure.circuit == .open { closedUntil.withLock { $0 = .now + pause } }
            throw failure
        } catch {
            permit.report(.unknown)
            throw error
        }
    }
}

/// All embedders there are. They live on between calls, also when the catalogue changes.
final class Embedders: Sendable {
    typealias ModelFactory =
        @Sendable (ModelCatalogue.Provider, ModelCatalogue.Model, RouteTimeouts) -> any EmbeddingModel

    private struct Key: Hashable {
        let provider: String
        let baseURL: String
        let key: String
        let model: String
        let timeouts: RouteTimeouts
    }

    private let makeModel: ModelFactory
    private let embedders = Lock<[Key: Embedder]>([:])

    init(makeModel: @escaping ModelFactory) { self.makeModel = makeModel }

    func embedder(
        for model: ModelCatalogue.Model, of provider: ModelCatalogue.Provider, timeouts: RouteTimeouts
    ) -> Embedder {
        let key = Key(
            provider: provider.name, baseURL: provider.baseURL, key: provider.key.exposed, model: model.name, timeouts: timeouts)
        return embedders.withLock { embedders in
            if let known = embedders[key] { return known }
            let embedder = Embedder(name: model.fullName, model: makeModel(provider, model, timeouts))
            embedders[key] = embedder
            return embedder
        }
    }
}
