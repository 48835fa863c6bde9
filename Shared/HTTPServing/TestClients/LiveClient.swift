import CMicrohttpd
import ConcurrencySupport
import FoundationEssentials
import Glibc
public import HTTPCore

/// Speaks HTTP/1.1 over a socket of its own per request, on a thread of its own: slow and simple, and free to send what no decent client
/// would.
public struct LiveClient: TestClient {
    private let port: Int

    /// - Parameter port: on 127.0.0.1.
    public init(port: Int) { self.port = port }

    public func open(_ method: HTTPMethod, _ target: String, headers: HTTPHeaders, body: [UInt8]) async throws -> TestStream {
        var head = "\(method) \(target) HTTP/1.1\r\n"
        if headers["Host"] == nil { head += "Host: 127.0.0.1:\(port)\r\n" }
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if !body.isEmpty || method == .post || method == .put || method == .patch { head += "Content-Length: \(body.count)\r\n" }
        return try await open(raw: Array((head + "Connection: close\r\n\r\n").utf8) + body, isHead: method == .head)
    }

    /// Sends these very bytes and reads one answer.
    public func send(raw bytes: [UInt8]) async throws -> TestResponse {
        let stream = try await open(raw: bytes, isHead: false)
        defer { stream.close() }
        var body: [UInt8] = []
        while let piece = try await stream.read() { body.append(contentsOf: piece) }
        return TestResponse(status: stream.status, headers: stream.headers, body: body)
    }

    private func open(raw bytes: [UInt8], isHead: Bool) async throws -> TestStream {
        let connection = try LiveConnection(port: port)
        let lines = try await withTaskCancellationHandler {
            try await connection.onItsThread {
                try connection.send(bytes)
                return try connection.readHead()
            }
        } onCancel: {
            connection.hangUp()
        }
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw TruncatedAnswer()
        }
        var headers = HTTPHeaders()
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { headers.add(String(parts[0]), parts[1].trimmingPrefix(" ").description) }
        }
        let hasNoBody = isHead || status == 204 || status == 304
        connection.expectBody(
            hasNoBody
                ? .length(0)
                : headers["Transfer-Encoding"] != nil
                    ? .chunked : headers["Content-Length"].flatMap { Int($0) }.map(LiveConnection.Framing.length) ?? .untilClose)
        return TestStream(
            status: HTTPStatus(status), headers: headers,
            next: {
                try await withTaskCancellationHandler {
                    try await connection.onItsThread { try connection.readBody() }
                } onCancel: {
                    connection.hangUp()
                }
            }, hangUp: { connection.hangUp() })
    }
}

/// A blocking socket whose calls run on one thread.
private final class LiveConnection: Sendable {
    enum Framing {
        case length(Int)
        case chunked
        case untilClose
        case done
    }

    private struct State {
        var buffer: [UInt8] = []
        var framing = Framing.done
    }

    private let descriptor: Int32
    private let thread = BlockingPool(name: "live-client", threads: 1)
    /// Only touched on the thread, one call at a time.
    private let state = Lock(State())

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            defer { thread.shutdown() }
            throw ListenError(host: "127.0.0.1", port: port, code: errno)
        }
    }

    deinit {
        close(descriptor)
        thread.shutdown()
    }

    func onItsThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await thread.run(body)
    }

    /// Ends both directions; a read that waits returns. The descriptor itself lives as long as this object.
    func hangUp() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            // The server may have answered and closed before it took everything; the answer is still to be read.
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    func expectBody(_ framing: Framing) { state.withLock { $0.framing = framing } }

    /// The status line and the fields, without line ends.
    func readHead() throws -> [String] {
        try state.withLock { state in
            while true {
                guard let end = find([0x0D, 0x0A, 0x0D, 0x0A], in: state.buffer) else {
                    guard try receive(&state.buffer) else { throw TruncatedAnswer() }
                    continue
                }
                let head = String(decoding: state.buffer[..<end], as: UTF8.self)
                state.buffer.removeFirst(end + 4)
                if head.hasPrefix("HTTP/1.1 100") { continue }
                return head.split(separator: "\r\n").map(String.init)
            }
        }
    }

    /// The next piece of the body; `nil` at its end.
    func readBody() throws -> [UInt8]? {
        try state.withLock { state in
            switch state.framing {
            case .done, .length(0): return nil
            case .length(let length):
                if state.buffer.isEmpty, try !receive(&state.buffer) { throw TruncatedAnswer() }
                let piece = Array(state.buffer.prefix(length))
                state.buffer.removeFirst(piece.count)
                state.framing = .length(length - piece.count)
                return piece
            case .untilClose:
                if state.buffer.isEmpty, try !receive(&state.buffer) { return nil }
                defer { state.buffer = [] }
                return state.buffer
            case .chunked: return try readChunk(&state)
            }
        }
    }

    private func readChunk(_ state: inout State) throws -> [UInt8]? {
        func line() throws -> String {
            while true {
                if let end = find([0x0D, 0x0A], in: state.buffer) {
                    defer { state.buffer.removeFirst(end + 2) }
                    return String(decoding: state.buffer[..<end], as: UTF8.self)
                }
                guard try receive(&state.buffer) else { throw TruncatedAnswer() }
            }
        }
        guard let size = Int(try line(), radix: 16) else { throw TruncatedAnswer() }
        while state.buffer.count < size + 2 {
            guard try receive(&state.buffer) else { throw TruncatedAnswer() }
        }
        let piece = Array(state.buffer.prefix(size))
        state.buffer.removeFirst(size + 2)
        if size > 0 { return piece }
        state.framing = .done
        return nil
    }

    private func receive(_ buffer: inout [UInt8]) throws -> Bool {
        var bytes = [UInt8](repeating: 0, count: 16 * 1024)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return false }
        buffer.append(contentsOf: bytes[..<count])
        return true
    }

    private func find(_ pattern: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= pattern.count else { return nil }
        return (0...bytes.count - pattern.count).first { bytes[$0..<$0 + pattern.count].elementsEqual(pattern) }
    }
}
