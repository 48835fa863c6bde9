import Glibc
import HTTPCore
import HTTPServing

/// A block of IPv4 or IPv6 addresses, e.g. `10.0.0.0/8`.
struct AddressBlock: Sendable, Equatable {
    private let bytes: [UInt8]
    private let prefix: Int

    /// - Returns: `nil` for anything that is not an address with an optional prefix length.
    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first, let bytes = Self.parse(String(address)) else { return nil }
        var prefix = bytes.count * 8
        if parts.count == 2 {
            guard let length = Int(parts[1]), (0...bytes.count * 8).contains(length) else { return nil }
            prefix = length
        }
        self.bytes = bytes
        self.prefix = prefix
    }

    func contains(_ address: String) -> Bool {
        guard let other = Self.parse(address), other.count == bytes.count else { return false }
        let whole = prefix / 8
        guard bytes.prefix(whole) == other.prefix(whole) else { return false }
        let rest = prefix % 8
        guard rest > 0 else { return true }
        let mask = UInt8(truncatingIfNeeded: 0xFF << (8 - rest))
        return bytes[whole] & mask == other[whole] & mask
    }

    /// Network-order bytes; an IPv4-mapped IPv6 address counts as IPv4.
    private static func parse(_ text: String) -> [UInt8]? {
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 { return withUnsafeBytes(of: v4) { Array($0) } }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        let bytes = withUnsafeBytes(of: v6) { Array($0) }
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        return Array(bytes.prefix(12)) == mapped ? Array(bytes.suffix(4)) : bytes
    }
}

/// Decides whose address counts: the peer's, or, behind trusted proxies, the last one in `X-Forwarded-For` that is not itself a proxy.
struct ClientAddressRule: Sendable {
    let trustedProxies: [AddressBlock]

    func address(of request: Request) -> String {
        address(peer: request.peerAddress, forwardedFor: request.headers.values(of: "X-Forwarded-For"))
    }

    func address(peer: String, forwardedFor: @autoclosure () -> [String]) -> String {
        guard isTrusted(peer) else { return peer }
        let hops = forwardedFor().flatMap { $0.split(separator: ",") }.map { $0.trimmed }
        for hop in hops.reversed() {
            guard AddressBlock(hop) != nil, !hop.contains("/") else { return peer }
            if !isTrusted(hop) { return hop }
        }
        return peer
    }

    private func isTrusted(_ address: String) -> Bool { trustedProxies.contains { $0.contains(address) } }
}

extension Substring {
    fileprivate var trimmed: String {
        var text = self
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
