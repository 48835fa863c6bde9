import ConcurrencySupport

/// Carries the wish to stop to everything that runs below one service. Found by a task-local, so that libraries need no parameter.
final class GracefulShutdownManager: Sendable {
    private struct State {
        var isTriggered = false
        var nextId = 0
        var handlers: [Int: @Sendable () -> Void] = [:]
    }

    private let state = Lock(State())

    @TaskLocal static var current: GracefulShutdownManager?

    var isTriggered: Bool { state.withLock { $0.isTriggered } }

    /// Handlers run after the lock is released: they may resume continuations, which takes the task's own lock.
    func trigger() {
        let handlers = state.withLock { state -> [@Sendable () -> Void] in
            guard !state.isTriggered else { return [] }
            state.isTriggered = true
            defer { state.handlers = [:] }
            return state.handlers.sorted { $0.key < $1.key }.map(\.value)
        }
        for handler in handlers { handler() }
    }

    /// - Returns: what to pass to ``remove(_:)``, or `nil` when the handler ran at once because shutdown had begun.
    func add(_ handler: @escaping @Sendable () -> Void) -> Int? {
        let id = state.withLock { state -> Int? in
            guard !state.isTriggered else { return nil }
            state.nextId += 1
            state.handlers[state.nextId] = handler
            return state.nextId
        }
        if id == nil { handler() }
        return id
    }

    func remove(_ id: Int) { state.withLock { _ = $0.handlers.removeValue(forKey: id) } }
}

/// Runs `operation`; when graceful shutdown begins meanwhile, `handler` is called once, on another thread. When it has begun already,
/// `handler` is called first.
///
/// The handler must be quick and may still run while this function returns. Outside a ``ServiceGroup`` it is never called.
nonisolated(nonsending) public func withGracefulShutdownHandler<Value>(
    operation: nonisolated(nonsending) () async throws -> Value, onGracefulShutdown handler: @escaping @Sendable () -> Void
) async rethrows -> Value {
    guard let manager = GracefulShutdownManager.current else { return try await operation() }
    let id = manager.add(handler)
    defer { if let id { manager.remove(id) } }
    return try await operation()
}

/// Waits until graceful shutdown begins.
///
/// - Throws: `CancellationError` when the task is cancelled first.
public func gracefulShutdown() async throws {
    let began = OneShot<Void>()
    try await withGracefulShutdownHandler {
        try await began.value()
    } onGracefulShutdown: {
        began.succeed()
    }
}

/// Runs `operation` in a child task that is cancelled when graceful shutdown begins, and returns what it made of that.
public func cancelWhenGracefulShutdown<Value: Sendable>(
    _ operation: @escaping @Sendable () async throws -> Value
) async rethrows -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await operation() }
        group.addTask {
            try? await gracefulShutdown()
            return nil
        }
        while let value = try await group.next() {
            group.cancelAll()
            if let value { return value }
        }
        preconditionFailure("The operation's task returns a value or throws")
    }
}

extension Task where Success == Never, Failure == Never {
    /// Whether the service that this task belongs to was asked to shut down gracefully.
    public static var isShuttingDownGracefully: Bool { GracefulShutdownManager.current?.isTriggered ?? false }
}

/// Begins graceful shutdown inside ``testGracefulShutdown(_:)``.
public struct GracefulShutdownTestTrigger: Sendable {
    let manager: GracefulShutdownManager

    public func triggerGracefulShutdown() { manager.trigger() }
}

/// Runs `operation` as if inside a service group whose shutdown the test triggers itself.
nonisolated(nonsending) public func testGracefulShutdown<Value>(
    _ operation: nonisolated(nonsending) (GracefulShutdownTestTrigger) async throws -> Value
) async rethrows -> Value {
    let manager = GracefulShutdownManager()
    return try await GracefulShutdownManager.$current.withValue(manager) {
        try await operation(GracefulShutdownTestTrigger(manager: manager))
    }
}
