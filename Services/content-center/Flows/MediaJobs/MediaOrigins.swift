/// The origins that a `sourceUrl` may name beside our own (`MEDIA_SOURCE_ORIGINS`). The request goes out from inside: nothing else is
/// asked, and a redirect is not followed.
struct MediaOrigins: Sendable {
    private let prefixes: [String]

    /// - Parameter origins: `scheme://host` or `scheme://host:port`, or the beginning of a path below it; of S3 `s3://bucket` or the beginning
    ///   of what is below it.
    init(_ origins: [String]) { prefixes = origins.map { $0.hasSuffix("/") ? $0 : $0 + "/" } }

    func allow(_ address: String) -> Bool {
        if address.hasPrefix(S3Name.scheme) { return S3Name(address) != nil && prefixes.contains { address.hasPrefix($0) } }
        // RFC 3986's characters without the ones that parsers quarrel about.
        guard address.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"\\\"<>^`{|}#".utf8.contains($0) }) else { return false }
        // The whole authority up to its slash has to be the same, so no other spelling of it gets in.
        guard prefixes.contains(where: { address.hasPrefix($0) }) else { return false }
        let path = address.prefix { $0 != "?" }.lowercased().replacing("%2e", with: ".")
        return !path.split(separator: "/").contains("..")
    }

    /// Whether the query says who may fetch it: an address that is signed, or that has a token in it.
    static func carriesSecret(_ address: String) -> Bool {
        // A name, whatever is in it.
        if address.hasPrefix(S3Name.scheme) { return false }
        guard let question = address.firstIndex(of: "?") else { return false }
        return address[address.index(after: question)...].split(whereSeparator: { $0 == "&" || $0 == ";" }).contains { pair in
            // Whatever hides its name behind escapes has something to hide.
            let name = pair.prefix { $0 != "=" }.lowercased()
            return name.contains("%") || secretNames.contains { name.contains($0) }
        }
    }

    /// Of S3, its kin, content networks and what people call it themselves.
    private static let secretNames = [
        "amz", "goog", "oss", "cos", "obs", "sign", "sig", "token", "key", "secret", "credential", "password", "passwd", "pwd",
        "auth", "policy", "hmac", "hash", "session", "ticket", "code", "jwt", "sas",
    ]
}
