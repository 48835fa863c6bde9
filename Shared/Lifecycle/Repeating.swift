public import Observability

/// Does a piece of upkeep at once and then every so often, until graceful shutdown begins or the task is cancelled.
///
/// A turn that fails is logged and followed by the next, after the usual pause: upkeep that missed a turn does more in the next one.
///
///     func run() async { await repeating(every: .seconds(600), logger: logger, failure: "old exports could not be removed", sweep) }
///
/// - Parameter failure: what the log says then.
public func repeating(
    every pause: Duration, logger: Logger, failure: String, _ turn: @escaping @Sendable () async throws -> Void
) async {
    await repeating(pausing: pause, logger: logger, failure: failure) {
        try await turn()
        return false
    }
}

/// Like ``repeating(every:logger:failure:_:)``, without a pause after a turn that found enough to do.
///
/// - Parameter turn: returns whether there may be more to do at once.
public func repeating(
    pausing pause: Duration, logger: Logger, failure: String, _ turn: @escaping @Sendable () async throws -> Bool
) async {
    await cancelWhenGracefulShutdown {
        while !Task.isCancelled {
            do {
                if try await turn() { continue }
            } catch {
                if Task.isCancelled { return }
                logger.warning(failure, ["reason": "\(error)"])
            }
            try? await Task.sleep(for: pause)
        }
    }
}
