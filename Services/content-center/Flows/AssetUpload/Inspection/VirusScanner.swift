import ConcurrencySupport
import Glibc
import HTTPCore

/// Has arrived files looked at by a virus scanner that speaks clamd's INSTREAM over TCP. Until it has said that a file is clean, the file
/// stays where nobody can read it.
final class VirusScanner: Sendable {
    /// Where it is, as `host:port`.
    struct Address: Sendable, Equatable {
        let host: String
        let port: String

        init?(_ text: String) {
            guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
                (1...65_535).contains(port),
                colon > text.startIndex
            else { return nil }
            host = String(text[..<colon])
            self.port = String(port)
        }
    }

    private static let pieceSize = 64 * 1024
    /// For one step of the conversation; a scan answers at its end.
    private static let patience = 120

    private let address: Address
    private let pool = BlockingPool(name: "virus-scan", threads: 4, queueLimit: 1_024)

    init(address: Address) { self.address = address }

    deinit { pool.shutdown() }

    /// - Throws: ``FileFlaw/infected(_:)``, ``FileFlaw/unscannable``, ``ObjectGone``, or `Unavailable` where the scanner does not answer:
    ///   the upload waits then.
    func check(_ arrived: ArrivedObject) async throws {
        let answer = try await pool.run { [address] in
            guard let (file, size) = try Files.open(arrived.path) else { throw ObjectGone() }
            defer { close(file) }
            return try Self.scan(file, arrived.path, size, at: address)
        }
        if answer.hasSuffix(" OK") { return }
        if answer.hasSuffix(" FOUND") {
            throw FileFlaw.infected(String(answer.dropLast(" FOUND".count).drop { $0 != " " }.dropFirst()))
        }
        if answer.contains("size limit exceeded") { throw FileFlaw.unscannable }
        throw Self.unavailable
    }

    private static var unavailable: Unavailable { Unavailable(code: "scanner.unavailable", retryAfter: .seconds(10)) }

    /// `zINSTREAM\0`, pieces with their lengths before them, a length of zero; then one answer.
    private static func scan(_ file: Int32, _ path: String, _ size: Int, at address: Address) throws -> String {
        let connection = try connect(to: address)
        defer { close(connection) }
        try send(Array("zINSTREAM\0".utf8), on: connection)
        var offset = 0
        while offset < size {
            let piece = try Files.read(file, path, at: offset, count: min(pieceSize, size - offset))
            if piece.isEmpty { break }
            // A scanner that has seen enough answers and closes.
            do { try send(length(piece.count) + piece, on: connection) } catch { return try answer(on: connection) }
            offset += piece.count
        }
        try? send(length(0), on: connection)
        return try answer(on: connection)
    }

    private static func length(_ count: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) } }

    private static func connect(to address: Address) throws -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address.host, address.port, &hints, &found) == 0, let first = found else { throw unavailable }
        defer { freeaddrinfo(found) }
        let descriptor = socket(
            first.pointee.ai_family, first.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), first.pointee.ai_protocol)
        guard descriptor >= 0 else { throw unavailable }
        var limit = timeval(tv_sec: patience, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        guard Glibc.connect(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 else {
            close(descriptor)
            throw unavailable
        }
        return descriptor
    }

    private static func send(_ bytes: [UInt8], on connection: Int32) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress.map { $0 + sent }, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw unavailable }
            sent += count
        }
    }

    /// Up to the zero byte, or to the end.
    private static func answer(on connection: Int32) throws -> String {
        var bytes: [UInt8] = []
        while bytes.count < 4_096, !bytes.contains(0) {
            var buffer = [UInt8](repeating: 0, count: 1_024)
            let count = recv(connection, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        let text = bytes.prefix { $0 != 0 && $0 != 0x0A }
        guard !text.isEmpty else { throw unavailable }
        return String(decoding: text, as: UTF8.self)
    }
}
