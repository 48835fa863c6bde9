public import Observability

extension SpanExporter: Service {
    /// Sends every ``SpanExporter/interval``, and what is left when shutdown begins. Stands first in a service group, so that it ends last.
    public func run() async throws {
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            await cancelWhenGracefulShutdown { [interval] in try? await Task.sleep(for: interval) }
            await flush()
        }
        await flush()
    }
}
