import Glibc

/// The bytes of one connection, used by its thread alone. Everything blocks; nothing is buffered on the way out.
final class Wire {
    /// The client has closed its end, or the connection broke.
    struct ClientGone: Error {}
    struct NotHTTP: Error {}

    /// `POLLRDHUP`, which the Glibc module hides behind a feature macro.
    private static let peerClosed: Int16 = 0x2000

    private var descriptor: Int32
    private var input: [UInt8] = []

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close() }

    func close() {
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        descriptor = -1
    }

    /// Ends the connection with RST.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    /// Sends FIN and goes on reading.
    func halfClose() { shutdown(descriptor, Int32(SHUT_WR)) }

    // MARK: In

    /// - Parameter idleMilliseconds: how long to wait for the first byte; `nil` = for ever.
    /// - Returns: `nil` when the client closed, or said nothing in that time.
    func readRequest(idleMilliseconds: Int? = nil) throws -> IncomingRequest? {
        if input.isEmpty, let idleMilliseconds {
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard Glibc.poll(&poll, 1, Int32(clamping: idleMilliseconds)) > 0 else { return nil }
        }
        var searched = 0
        var headEnd = Self.endOfHead(in: input, from: 0)
        while headEnd == nil {
            searched = max(0, input.count - 3)
            guard input.count < 256 * 1_024 else { throw NotHTTP() }
            do { try receive() } catch { return nil }
            headEnd = Self.endOfHead(in: input, from: searched)
        }
        guard let headEnd, var request = IncomingRequest(head: input[..<headEnd]) else { throw NotHTTP() }
        input.removeFirst(headEnd + 4)
        if request.header("expect")?.lowercased() == "100-continue" { try send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
        if request.header("transfer-encoding")?.lowercased() == "chunked" {
            request.body = try readChunks()
        } else if let length = request.header("content-length").flatMap({ Int($0) }), length > 0 {
            guard length <= 64 << 20 else { throw NotHTTP() }
            while input.count < length { try receive() }
            request.body = Array(input[..<length])
            input.removeFirst(length)
        }
        return request
    }

    private func readChunks() throws -> [UInt8] {
        var body: [UInt8] = []
        while true {
            guard let size = Int(try readLine().split(separator: ";").first ?? "", radix: 16), size <= 64 << 20 else {
                throw NotHTTP()
            }
            while input.count < size + 2 { try receive() }
            body += input[..<size]
            input.removeFirst(size + 2)
            if size == 0 { return body }
        }
    }

    private func readLine() throws -> String {
        while true {
            if let end = input.firstIndex(of: 0x0A) {
                defer { input.removeFirst(end + 1) }
                return String(decoding: input[..<end].filter { $0 != 0x0D }, as: UTF8.self)
            }
            try receive()
        }
    }

    private func receive() throws {
        try withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 16) { buffer in
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            guard count > 0 else { throw ClientGone() }
            input.append(contentsOf: buffer[..<count])
        }
    }

    private static func endOfHead(in bytes: [UInt8], from start: Int) -> Int? {
        var index = start
        while index + 3 < bytes.count {
            if bytes[index] == 0x0D, bytes[index + 1] == 0x0A, bytes[index + 2] == 0x0D, bytes[index + 3] == 0x0A { return index }
            index += 1
        }
        return nil
    }

    // MARK: Out

    func send(_ bytes: [UInt8]) throws(ClientGone) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(descriptor, buffer.baseAddress.map { $0 + sent }, buffer.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw ClientGone() }
            sent += count
        }
    }

    /// Waits; ends early when the client closes its end.
    ///
    /// - Parameter milliseconds: `nil` = until the client leaves.
    func wait(milliseconds: Int?) throws(ClientGone) {
        if milliseconds == 0 { return }
        var poll = pollfd(fd: descriptor, events: Self.peerClosed, revents: 0)
        if Glibc.poll(&poll, 1, milliseconds.map { Int32(clamping: $0) } ?? -1) > 0 { throw ClientGone() }
    }
}
