import ConcurrencySupport
import ConfigReading
import Foundation

/// Stands between a pool and the server: counts round trips, stalls, cuts.
final class Proxy: Sendable {
    private struct State {
        var roundTrips = 0
        var connections = 0
        var isStalled = false
        var descriptors: [Int32] = []
        var isStopped = false
    }

    let port: Int
    private let listener: Int32
    private let server: (host: String, port: Int)
    private let state = Lock(State())

    /// How often the client sent something after the server had answered.
    var roundTrips: Int { state.withLock { $0.roundTrips } }
    var connections: Int { state.withLock { $0.connections } }

    init(to url: Secret) throws {
        guard let parts = URLComponents(string: url.exposed) else { throw URLError(.badURL) }
        server = (parts.host ?? "127.0.0.1", parts.port ?? 5_432)
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, address, &length) == 0
            }
        }
        guard status else { throw URLError(.cannotConnectToHost) }
        port = Int(UInt16(bigEndian: address.sin_port))
        OwnThread.start(name: "proxy") { self.acceptAll() }
    }

    /// The same URL through the proxy.
    func through(_ url: Secret) -> Secret {
        guard var parts = URLComponents(string: url.exposed) else { return url }
        (parts.host, parts.port) = ("127.0.0.1", port)
        return Secret(parts.string ?? "")
    }

    func reset() { state.withLock { $0.roundTrips = 0 } }

    /// Nothing passes any more, but connections stay open.
    func stall(_ isStalled: Bool) { state.withLock { $0.isStalled = isStalled } }

    /// Cuts all connections as a killed server would.
    func cut() {
        for descriptor in state.withLock({ $0.descriptors }) { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        shutdown(listener, Int32(SHUT_RDWR))
        cut()
    }

    private func acceptAll() {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0, !state.withLock({ $0.isStopped }) else { break }
            let server = connectToServer()
            state.withLock {
                $0.descriptors += [client, server]
                $0.connections += 1
            }
            OwnThread.start(name: "proxy-pump") { self.pump(client, server) }
        }
        close(listener)
    }

    private func connectToServer() -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(server.port).bigEndian
        address.sin_addr.s_addr = inet_addr(server.host == "localhost" ? "127.0.0.1" : server.host)
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return descriptor
    }

    private func pump(_ client: Int32, _ server: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var lastWasServer = true
        var polls = [
            pollfd(fd: client, events: Int16(POLLIN), revents: 0), pollfd(fd: server, events: Int16(POLLIN), revents: 0),
        ]
        loop: while true {
            poll(&polls, 2, 50)
            if state.withLock({ $0.isStopped }) { break }
            if state.withLock({ $0.isStalled }) {
                usleep(2_000)
                continue
            }
            for index in 0..<2 where polls[index].revents != 0 {
                let count = recv(polls[index].fd, &buffer, buffer.count, 0)
                guard count > 0 else { break loop }
                if index == 0, lastWasServer { state.withLock { $0.roundTrips += 1 } }
                lastWasServer = index == 1
                guard send(polls[1 - index].fd, buffer, count, Int32(MSG_NOSIGNAL)) == count else { break loop }
            }
        }
        state.withLock { $0.descriptors.removeAll { $0 == client || $0 == server } }
        close(client)
        close(server)
    }
}
