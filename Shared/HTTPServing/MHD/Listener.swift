import ConcurrencySupport
import HTTPCore

/// A server that serves: its socket, and the library on each loop.
struct Listener: Sendable {
    let core: ServerCore
    let daemons: [Daemon]
    let acceptor: Acceptor
    let port: Int

    /// - Throws: ``ListenError``.
    static func start(_ configuration: HTTPServer.Configuration, router: Router, loops: EventLoopGroup) async throws -> Listener {
        let core = ServerCore(router: router, configuration)
        let socket = try ListeningSocket.open(host: configuration.host, port: configuration.port)
        let daemons = loops.loops.map { Daemon(core: core, loop: $0) }
        let acceptor = Acceptor(listening: socket.descriptor, daemons: daemons, limit: configuration.connectionLimit)
        do {
            for daemon in daemons { try await daemon.start(configuration) }
        } catch {
            await acceptor.stop()
            for daemon in daemons { await daemon.stop() }
            throw error
        }
        core.onConnectionClosed { [weak acceptor] in acceptor?.connectionClosed() }
        acceptor.start()
        return Listener(core: core, daemons: daemons, acceptor: acceptor, port: socket.port)
    }

    /// From now on answers close their connection and event streams end.
    func beginDraining() {
        core.gate.beginDraining()
        for daemon in daemons { daemon.forEachExchange { $0.endEventStream() } }
    }

    /// Answers what is in work with 503, cancels it, and waits for at most `patience` until the library has let go of it. Handlers that
    /// ignore their cancellation are left behind.
    func abortAll(patience: Duration) async {
        core.gate.beginDraining()
        core.gate.close()
        let response = Response.problem(Unavailable(code: "service.stopping"), for: Request(.get, "/"))
        for daemon in daemons { daemon.forEachExchange { $0.abort(with: response) } }
        await core.gate.waitUntilReleased(patience: patience)
    }
}
