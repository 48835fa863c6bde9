import ConcurrencySupport

import struct Synchronization.Atomic

/// The way to a client's transfers on one loop. What is asked for on the loop's own thread happens at once: the request is on its way
/// when ``start(_:_:_:)`` returns.
final class LoopClient: Sendable {
    let loop: EventLoop
    private let engine: TransferEngine
    private let isStopped = Atomic<Bool>(false)

    init(loop: EventLoop, configuration: HTTPClient.Configuration) {
        self.loop = loop
        engine = TransferEngine(loop: loop, configuration: configuration)
    }

    /// - Returns: `false` if the client has been shut down; then nothing was started.
    func start(_ id: UInt64, _ request: ClientRequest, _ delivery: Delivery) -> Bool {
        guard !isStopped.load(ordering: .acquiring) else { return false }
        if loop.isCurrent {
            engine.start(id, request, delivery)
        } else {
            loop.execute { [engine] in engine.start(id, request, delivery) }
        }
        return true
    }

    /// Never at once: whoever cancels may be in the middle of anything.
    func cancel(_ id: UInt64) {
        loop.execute { [engine] in engine.cancel(id) }
    }

    /// The reader of a held stream has caught up.
    func resume(_ id: UInt64) {
        loop.execute { [engine] in engine.resume(id) }
    }

    /// Fails what is under way and closes all connections; `ended` is completed after that.
    func stop(ended: OneShot<Void>? = nil) {
        isStopped.store(true, ordering: .releasing)
        loop.execute { [engine] in
            engine.shutdown()
            ended?.succeed()
        }
    }
}
