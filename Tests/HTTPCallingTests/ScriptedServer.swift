import ConcurrencySupport
import Glibc

/// A TCP server that plays a script per connection, byte by byte, on a thread that blocks. What HTTP it speaks is the script's affair.
final class ScriptedServer: Sendable {
    typealias Script = @Sendable (Connection) throws -> Void

    /// A thread plays one script after the other: under the sanitiser a kernel takes minutes to make and end thousands.
    private static let players = BlockingPool(name: "connection", threads: 2_000, queueLimit: 10_000)

    let port: Int
    private let listener: Int32
    private let accepted: Accepted

    private final class Accepted: Sendable {
        let connections = Lock<[Connection]>([])
    }

    var url: String { "http://127.0.0.1:\(port)" }
    /// Every connection so far, in order.
    var connections: [Connection] { accepted.connections.withLock { $0 } }
    var requests: [Connection.Request] { connections.flatMap(\.requests) }

    /// - Parameter script: gets the connection; it is closed when the script returns or throws.
    init(_ script: @escaping Script) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = Self.loopback(port: 0)
        withUnsafeBytes(of: &address) { bytes in
            _ = bind(listener, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t(bytes.count))
        }
        listen(listener, 512)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutableBytes(of: &address) { bytes in
            _ = getsockname(listener, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, &size)
        }
        self.listener = listener
        port = Int(UInt16(bigEndian: address.sin_port))
        let accepted = Accepted()
        self.accepted = accepted
        OwnThread.start(name: "scripted") {
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else {
                    // Closed here and not elsewhere: the number may be somebody else's as soon as it is free.
                    close(listener)
                    return
                }
                let connection = Connection(descriptor)
                accepted.connections.withLock { $0.append(connection) }
                Task.detached {
                    // A script ends as it likes; one that no thread can play leaves no caller waiting.
                    do { try await Self.players.run { try script(connection) } } catch {}
                    connection.close()
                }
            }
        }
    }

    /// Answers every request of a connection with the same bytes.
    convenience init(answering answer: String) {
        self.init { connection in
            while true {
                _ = try connection.readRequest()
                try connection.write(answer)
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        for connection in connections { connection.hangUp() }
    }

    /// A port at which nobody listens.
    static func unusedPort() -> Int {
        ScriptedServer { _ in }.port
    }

    static func loopback(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = UInt16(port).bigEndian
        return address
    }
}

/// A listener whose queue is full, so that further connections hang in the kernel.
final class DeafListener: Sendable {
    private let listener: Int32
    private let fillers: [Int32]
    let url: String

    init() {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = ScriptedServer.loopback(port: 0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let fillers = withUnsafeMutableBytes(of: &address) { bytes -> [Int32] in
            let pointer = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress
            _ = bind(listener, pointer, size)
            listen(listener, 0)
            _ = getsockname(listener, pointer, &size)
            return (0..<4).map { _ in
                let filler = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
                connect(filler, pointer, size)
                return filler
            }
        }
        self.listener = listener
        self.fillers = fillers
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))/"
    }

    deinit {
        for descriptor in fillers + [listener] { close(descriptor) }
    }
}

/// One accepted connection, used by its script's thread; tests read the records.
final class Connection: Sendable {
    struct Closed: Error {}

    struct Request: Sendable {
        var head: String
        var body: [UInt8]
    }

    private struct State {
        var isOpen = true
        var requests: [Request] = []
        var peerClosedAt: ContinuousClock.Instant?
        var bytesWritten = 0
    }

    private let descriptor: Int32
    private let state = Lock(State())

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
    }

    var requests: [Request] { state.withLock { $0.requests } }
    /// When the client's end of the connection was seen to close.
    var peerClosedAt: ContinuousClock.Instant? { state.withLock { $0.peerClosedAt } }
    var bytesWritten: Int { state.withLock { $0.bytesWritten } }

    @discardableResult
    func readRequest() throws -> Request {
        var bytes: [UInt8] = []
        var head: (text: String, bodyStart: Int, length: Int)?
        while true {
            if head == nil, let end = Self.endOfHead(in: bytes) {
                let text = String(decoding: bytes[..<end], as: UTF8.self)
                let length =
                    text.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
                    .flatMap { Int($0.split(separator: " ").last ?? "") } ?? 0
                head = (text, end + 4, length)
            }
            if let head, bytes.count >= head.bodyStart + head.length {
                let request = Request(head: head.text, body: Array(bytes[head.bodyStart...]))
                state.withLock { $0.requests.append(request) }
                return request
            }
            bytes += try read()
        }
    }

    private func read() throws -> [UInt8] {
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, size in
            count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            size = max(0, count)
        }
        guard count > 0 else { throw noticeClose() }
        return bytes
    }

    func write(_ text: String) throws { try write(Array(text.utf8)) }

    func write(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw noticeClose() }
            sent += count
            state.withLock { $0.bytesWritten += count }
        }
    }

    private func noticeClose() -> Closed {
        state.withLock { if $0.peerClosedAt == nil { $0.peerClosedAt = .now } }
        return Closed()
    }

    /// Blocks until the client closes its end; throws then.
    func waitForClose() throws {
        while true { _ = try read() }
    }

    /// Waits, or ends early with ``Closed`` when the client leaves.
    func pause(milliseconds: Int32) throws {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        if Glibc.poll(&poll, 1, milliseconds) > 0 { _ = try read() }
    }

    /// Reads 64 kB at a time with a pause between, until so many bytes have come.
    func readSlowly(pause milliseconds: UInt32, atLeast: Int) throws {
        var count = 0
        while count < atLeast {
            count += try read().count
            usleep(milliseconds * 1_000)
        }
    }

    /// Ends the connection with RST instead of FIN.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    /// To be called by the script, or after it.
    func close() {
        state.withLock { state in
            guard state.isOpen else { return }
            state.isOpen = false
            Glibc.close(descriptor)
        }
    }

    /// From any thread: a script that waits for the client finds it gone.
    func hangUp() {
        state.withLock { if $0.isOpen { shutdown(descriptor, Int32(SHUT_RDWR)) } }
    }

    /// Where an empty line begins. By hand: the sanitiser makes generic code a hundred times slower.
    private static func endOfHead(in bytes: [UInt8]) -> Int? {
        bytes.withUnsafeBytes { bytes in
            var index = 0
            while index + 3 < bytes.count {
                if bytes[index] == 13, bytes[index + 1] == 10, bytes[index + 2] == 13, bytes[index + 3] == 10 { return index }
                index += 1
            }
            return nil
        }
    }
}
