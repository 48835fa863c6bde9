import ConcurrencySupport

/// What a listener has been told so far. Used by one task at a time.
final class GenerationDelivery: Sendable {
    private struct State {
        /// Of the present attempt.
        var hasBegun = false
        var hasSent = false
    }

    private let listener: GenerationListener
    private let state = Lock(State())

    init(_ listener: GenerationListener) { self.listener = listener }

    /// Whether the listener holds text that has not been called void.
    var hasSent: Bool { state.withLock { $0.hasSent } }
    /// Whether nothing more can be tried: the listener holds text and cannot be told to forget it.
    var isStuck: Bool { !listener.takesRestarts && hasSent }

    func send(_ delta: ChatDelta, from provider: String) async throws {
        let isFirst = state.withLock { state in
            defer { (state.hasBegun, state.hasSent) = (true, true) }
            return !state.hasBegun
        }
        if isFirst { try await listener.send(.begun(provider: provider, modelName: delta.model)) }
        if !delta.thoughts.isEmpty { try await listener.send(.thought(delta.thoughts)) }
        if !delta.text.isEmpty { try await listener.send(.delta(delta.text)) }
    }

    /// Before every attempt: what an earlier one has sent is called void.
    ///
    /// - Returns: `false` where the listener cannot be told.
    func startsAnew(because reason: String?) async throws -> Bool {
        guard hasSent else { return true }
        guard listener.takesRestarts else { return false }
        state.withLock { $0 = State() }
        try await listener.send(.restart(reason ?? "回答不符合要求"))
        return true
    }
}
