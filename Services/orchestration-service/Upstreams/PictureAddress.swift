/// Which addresses of pictures are asked. They come from outside, and a request to them leaves from inside: without a guard an image
/// service (or who took it over) could have us read a cloud's metadata service or a neighbour's port.
///
/// Allowed are the configured service's own origin, and any other host by HTTPS on its usual port and by a public name. A name that leads
/// to an inner address gets nowhere either: its machine would need a certificate for that name. Read by hand and narrower than URLs are,
/// so that no two parsers can understand an address differently.
enum PictureAddress {
    static func isAllowed(_ address: String, from base: String) -> Bool {
        guard let wanted = Origin(address) else { return false }
        if let own = Origin(base), own == wanted { return true }
        return wanted.scheme == "https" && wanted.port == 443 && isPublicName(wanted.host)
    }

    /// Scheme, host and port in their plainest form.
    private struct Origin: Equatable {
        var scheme: String
        var host: String
        var port: Int

        init?(_ url: String) {
            // RFC 3986's characters without the ones that parsers quarrel about.
            guard url.utf8.count <= 4_096, url.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"\\\"<>^`{|}".utf8.contains($0) })
            else { return nil }
            guard let end = url.firstIndex(of: ":"), url[end...].hasPrefix("://") else { return nil }
            scheme = url[..<end].lowercased()
            guard scheme == "https" || scheme == "http" else { return nil }
            let authority = url[url.index(end, offsetBy: 3)...].prefix { !"/?#".contains($0) }
            // Neither user names nor IPv6 addresses nor escapes.
            guard authority.utf8.allSatisfy(Self.isHostOrPort) else { return nil }
            let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
            guard let name = parts.first, !name.isEmpty, parts.count <= 2 else { return nil }
            host = name.lowercased()
            if parts.count == 2 {
                guard parts[1].allSatisfy(\.isNumber), let number = Int(parts[1]), (1...65_535).contains(number) else {
                    return nil
                }
                port = number
            } else {
                port = scheme == "https" ? 443 : 80
            }
        }

        private static func isHostOrPort(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"): true
            default: false
            }
        }
    }

    /// A name under a top-level domain of letters: no spelling of an IPv4 address ends so. Domains that are never public are left out.
    private static func isPublicName(_ host: String) -> Bool {
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count >= 2, labels.allSatisfy({ !$0.isEmpty }), let top = labels.last, top.count >= 2 else { return false }
        return (top.allSatisfy(\.isLetter) || top.hasPrefix("xn--")) && !innerDomains.contains(String(top))
    }

    private static let innerDomains: Set<String> = [
        "local", "localhost", "localdomain", "internal", "intranet", "private", "corp", "home", "lan", "svc", "cluster", "arpa",
        "test",
        "invalid", "example", "onion",
    ]
}
