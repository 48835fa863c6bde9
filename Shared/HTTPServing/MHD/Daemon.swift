import CMicrohttpd
import ConcurrencySupport
import Glibc

/// The running library. Its callbacks get the server's core, which must outlive it: whoever stops the daemon holds the core.
///
/// Unchecked: the handle is only used to quiesce and stop, once each, by the one `run()` of its server; the library's own threads
/// synchronise with both.
final class Daemon: @unchecked Sendable {
    private let raw: OpaquePointer
    private let core: ServerCore
    private let listeningSocket: Int32

    /// - Throws: ``ListenError`` where the library does not start; the socket is closed then.
    init(core: ServerCore, listeningSocket: Int32, configuration: HTTPServer.Configuration) throws {
        var options = cmhd_configuration(
            listening_socket: listeningSocket, threads: UInt32(configuration.threads),
            connection_limit: UInt32(configuration.connectionLimit),
            // Head of the request and head of the answer share it.
            connection_memory: max(16 * 1024, configuration.maxHeaderBytes * 2),
            idle_seconds: UInt32(max(1, configuration.idleTimeout.components.seconds)),
            context: Unmanaged.passUnretained(core).toOpaque(), request_line: beginRequest, access: handleAccess,
            completed: completeRequest, connection_changed: connectionChanged)
        guard let raw = cmhd_start(&options) else {
            defer { close(listeningSocket) }
            throw ListenError(host: configuration.host, port: configuration.port, code: errno)
        }
        self.raw = raw
        self.core = core
        self.listeningSocket = listeningSocket
    }

    /// Stops accepting; new connections are refused by the kernel.
    ///
    /// Not by `MHD_quiesce_daemon`: it and the epoll threads both take the listening socket out of the epoll set, and whoever comes
    /// second aborts the process ("Failed to remove listen FD from epoll set", seen with 0.9.75 and still there upstream). Instead the
    /// socket is replaced, under the same number, by a descriptor that never becomes readable: the kernel closes the socket, which
    /// takes it out of every epoll set, and the library neither notices nor spins.
    func quiesce() {
        let silent = cmhd_event_create()
        guard silent >= 0 else {
            // Out of descriptors: stop listening the noisy way.
            shutdown(listeningSocket, Int32(SHUT_RDWR))
            return
        }
        dup2(silent, listeningSocket)
        close(silent)
    }

    /// Ends the library's threads and closes all connections. None may be suspended: the library aborts the process then.
    func stop() async {
        let done = OneShot<Void>()
        OwnThread.start(name: "stop-http") {
            // Closes what stands under the listening socket's number too.
            MHD_stop_daemon(self.raw)
            done.succeed()
        }
        try? await done.value(onCancel: {})
    }
}

// The library's callbacks: top-level functions without isolation, called on its threads.

private func core(_ context: UnsafeMutableRawPointer) -> ServerCore {
    Unmanaged<ServerCore>.fromOpaque(context).takeUnretainedValue()
}

/// Before anything is unescaped or cut at `%00`: the only place that sees the raw target.
private func beginRequest(
    _ context: UnsafeMutableRawPointer?, _ target: UnsafePointer<CChar>?, _ connection: OpaquePointer?
) -> UnsafeMutableRawPointer? {
    guard let target, let connection else { return nil }
    return Unmanaged.passRetained(RequestBox(target: String(cString: target), connection: connection)).toOpaque()
}

private func handleAccess(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?, _ url: UnsafePointer<CChar>?,
    _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?, _ bytes: UnsafePointer<CChar>?,
    _ count: UnsafeMutablePointer<Int>?, _ request: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let context, let connection, let method, let count, let opaque = request?.pointee else { return .NO }
    let core = core(context)
    let box = Unmanaged<RequestBox>.fromOpaque(opaque).takeUnretainedValue()
    switch box.exchange.phase {
    case .receiving:
        if !box.hasHead { return core.receiveHead(box, connection, method: method) }
        guard count.pointee > 0 else { return core.start(box, connection) }
        defer { count.pointee = 0 }
        return core.receiveBody(box, UnsafeRawBufferPointer(start: bytes, count: count.pointee))
    case .ready: return core.answer(box, connection)
    case .running, .answering: return .YES
    case .closing, .over: return .NO
    }
}

private func completeRequest(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ request: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ reason: MHD_RequestTerminationCode
) {
    guard let context, let opaque = request?.pointee else { return }
    request?.pointee = nil
    core(context).complete(Unmanaged<RequestBox>.fromOpaque(opaque).takeRetainedValue())
}

private func connectionChanged(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ socketContext: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ change: MHD_ConnectionNotificationCode
) {
    guard let context, let connection, let socketContext else { return }
    let hangUps = core(context).hangUps
    switch change {
    case .CONNECTION_NOTIFY_STARTED:
        let peer = Connection(peerAddress: cmhd_peer_address(connection).map(SocketAddress.host) ?? "")
        hangUps.add(peer, descriptor: cmhd_descriptor(connection))
        socketContext.pointee = Unmanaged.passRetained(peer).toOpaque()
    case .CONNECTION_NOTIFY_CLOSED:
        guard let opaque = socketContext.pointee else { return }
        socketContext.pointee = nil
        hangUps.remove(Unmanaged<Connection>.fromOpaque(opaque).takeRetainedValue())
    @unknown default: break
    }
}
