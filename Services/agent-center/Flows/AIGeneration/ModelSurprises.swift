import ConcurrencySupport
import Observability

/// What a vendor did that nobody asked of it, and that changes what an answer costs or is worth: another model, a longer text. Its bill is
/// paid as it comes; that it came so is said in the log, in the ledger and in a counter.
final class ModelSurprises: Sendable {
    /// Pairs of models that are told apart; a vendor that makes names up shall not fill the memory.
    private static let mostPairs = 1_000

    private let seen = Lock<Set<[String]>>([])

    /// A name that is neither the one asked for nor a snapshot of it: vendors swap models under a name, and say so nowhere else.
    static func isOther(_ answering: String, than asked: String) -> Bool {
        let (answering, asked) = (answering.lowercased(), asked.lowercased())
        return answering != asked && !PriceTable.isSnapshot(answering, of: asked)
    }

    /// Why an answer of so many tokens is longer than was allowed, in words for the ledger; `nil` where it is not. What was counted here is a
    /// rule of thumb, and must be far beyond the limit to mean anything.
    static func overrun(_ usage: ChatUsage, limit: Int) -> String? {
        guard usage.completionTokens > (usage.isEstimated ? 2 * limit : limit) else { return nil }
        return "the limit of \(limit) tokens was ignored: \(usage.completionTokens) written"
    }

    /// - Returns: whether this is the first time that the route answers with that model.
    func isNew(_ route: ModelRoute, answering: String) -> Bool {
        seen.withLock { $0.count < Self.mostPairs && $0.insert([route.name, answering]).inserted }
    }
}

extension AIGeneration {
    /// - Parameter answering: the model that the vendor says has answered; `nil` where there is no answer.
    /// - Returns: what the ledger is to say of the attempt.
    func noteSurprises(_ route: ModelRoute, answering: String?, usage: ChatUsage, limit: Int) -> String? {
        if let answering, ModelSurprises.isOther(answering, than: route.modelName) {
            metrics.count(.otherModel, route)
            if surprises.isNew(route, answering: answering) {
                logger.warning(
                    "another model answers than the one asked for",
                    ["route": route.name, "answering": String(answering.prefix(128))])
            }
        }
        guard let overrun = ModelSurprises.overrun(usage, limit: limit) else { return nil }
        metrics.count(.limitIgnored, route)
        logger.warning(
            "the vendor ignored the limit of an answer",
            ["route": route.name, "limit": "\(limit)", "written": "\(usage.completionTokens)"])
        return overrun
    }
}
