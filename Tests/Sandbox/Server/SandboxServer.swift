import ConcurrencySupport
import Glibc

/// Listens, and gives each connection a thread. Threads sleep in the kernel while nothing happens.
final class SandboxServer: Sendable {
    struct CannotListen: Error {
        var errorNumber: Int32
    }

    let port: Int
    let control: ControlPlane
    private let listener: Int32
    private let vendors: [any Vendor]

    /// - Parameter port: 0 = any free one.
    init(host: String = "127.0.0.1", port: Int, control: ControlPlane = ControlPlane()) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var one: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else { throw CannotListen(errorNumber: EINVAL) }
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutableBytes(of: &address) { bytes -> Int32 in
            let pointer = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress
            guard bind(listener, pointer, size) == 0, listen(listener, 1_024) == 0 else { return errno }
            return getsockname(listener, pointer, &size) == 0 ? 0 : errno
        }
        guard status == 0 else {
            close(listener)
            throw CannotListen(errorNumber: status)
        }
        self.listener = listener
        self.port = Int(in_port_t(bigEndian: address.sin_port))
        self.control = control
        vendors = [
            OpenAIVendor(control: control), DeepSeekVendor(control: control), PictureFiles(control: control),
            try S3Vendor(control: control),
        ]
    }

    /// Ends the accepting thread. Connections that are open stay until their clients leave.
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    func start() {
        OwnThread.start(name: "accept") { self.acceptLoop() }
    }

    private func acceptLoop() {
        while true {
            let descriptor = accept(listener, nil, nil)
            if descriptor < 0 {
                if errno == ECONNABORTED || errno == EINTR || errno == EMFILE { continue }
                close(listener)
                return
            }
            OwnThread.start(name: "connection") { self.serve(Wire(descriptor)) }
        }
    }

    private func serve(_ wire: Wire) {
        var idle: Int? = 300_000
        while let request = try? wire.readRequest(idleMilliseconds: idle) {
            var exchange = Exchange(request: request, wire: wire)
            do {
                try answer(&exchange)
            } catch {
                return wire.close()
            }
            switch exchange.ending {
            case .keepAlive where !request.wantsClose: idle = 300_000
            case .keepAlive: return wire.close()
            case .keepAliveFor(let milliseconds): idle = milliseconds
            case .resetOnReuse:
                _ = try? wire.readRequest()
                return wire.reset()
            case .closed: return
            }
        }
        wire.close()
    }

    private func answer(_ exchange: inout Exchange) throws {
        let request = exchange.request
        if request.path == "/healthz" {
            return try exchange.send(Answer(status: 200, json: .make(["status": .string("ok")])))
        }
        if request.path.hasPrefix("/__control/") { return try exchange.send(control.answer(request)) }
        for vendor in vendors {
            if let path = vendor.localPath(of: request.path) { return try vendor.answer(&exchange, path: path) }
        }
        try exchange.send(Answer(status: 404, json: .make(["error": .string("the sandbox has no \(request.path)")])))
    }
}

/// A system that the sandbox stands in for, with everything below its base path.
protocol Vendor: Sendable {
    /// The path inside the vendor, or `nil` if the path is not the vendor's.
    func localPath(of path: String) -> String?
    func answer(_ exchange: inout Exchange, path: String) throws
}
