import CMicrohttpd
import Glibc

/// Why the server could not listen.
public struct ListenError: Error, CustomStringConvertible {
    public let host: String
    public let port: Int
    /// The system's number for what failed.
    public let code: Int32

    public var description: String { "cannot listen on \(host):\(port): \(String(cString: strerror(code)))" }
}

/// Opens a listening TCP socket.
enum ListeningSocket {
    /// - Returns: the descriptor and the port it got.
    static func open(host: String, port: Int, backlog: Int32 = 1_024) throws -> (descriptor: Int32, port: Int) {
        func failure() -> ListenError { ListenError(host: host, port: port, code: errno) }
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        // Numeric only: no look-up, nothing that blocks.
        hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0, let address = list else {
            throw ListenError(host: host, port: port, code: EADDRNOTAVAIL)
        }
        defer { freeaddrinfo(list) }
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.pointee.ai_family, type, 0)
        guard descriptor >= 0 else { throw failure() }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        // Inherited by accepted sockets: small answers must not wait for an acknowledgement.
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        guard bind(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0, listen(descriptor, backlog) == 0 else {
            defer { close(descriptor) }
            throw failure()
        }
        return (descriptor, Self.port(of: descriptor))
    }

    private static func port(of descriptor: Int32) -> Int {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &length) }
            return SocketAddress.port(UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self))
        }
    }
}

enum SocketAddress {
    /// The numeric address without the port.
    static func host(_ address: UnsafePointer<sockaddr>) -> String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = Int32(address.pointee.sa_family)
        let raw = UnsafeRawPointer(address)
        let offset: Int
        switch family {
        case AF_INET: offset = MemoryLayout<sockaddr_in>.offset(of: \sockaddr_in.sin_addr) ?? 4
        case AF_INET6: offset = MemoryLayout<sockaddr_in6>.offset(of: \sockaddr_in6.sin6_addr) ?? 8
        default: return ""
        }
        guard inet_ntop(family, raw + offset, &text, socklen_t(text.count)) != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func port(_ address: UnsafePointer<sockaddr>) -> Int {
        let raw = UnsafeRawPointer(address)
        switch Int32(address.pointee.sa_family) {
        case AF_INET: return Int(UInt16(bigEndian: raw.assumingMemoryBound(to: sockaddr_in.self).pointee.sin_port))
        case AF_INET6: return Int(UInt16(bigEndian: raw.assumingMemoryBound(to: sockaddr_in6.self).pointee.sin6_port))
        default: return 0
        }
    }
}

enum OpenFiles {
    /// Raises the soft limit of descriptors to `count`, or to the hard limit. Debian's soft limit is 1,024.
    static func allow(_ count: Int) {
        var limit = rlimit()
        let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(kind, &limit) == 0, limit.rlim_cur < rlim_t(count) else { return }
        limit.rlim_cur = min(rlim_t(count), limit.rlim_max)
        setrlimit(kind, &limit)
    }
}
