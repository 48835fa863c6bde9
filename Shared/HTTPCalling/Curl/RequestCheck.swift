import CCurl
import ConcurrencySupport
import HTTPCore
import Observability

extension ClientRequest {
    /// Nothing of a caller's text may end a line or a string early, and the framing is curl's. Runs on the caller's task, before any
    /// waiting.
    func check() throws(HTTPClientError) {
        try checkURL()
        guard HeaderBytes.areToken(method.rawValue) else { throw refusal("the method is not a token") }
        for (name, value) in headers {
            guard HeaderBytes.areToken(name) else { throw refusal("a header's name is not a token") }
            guard HeaderBytes.areValue(value) else { throw refusal("the header \(name) has a control character") }
            guard !isFraming(name) else { throw refusal("\(name.lowercased()) is written by the client") }
        }
        if case .multipart(let parts) = body {
            let texts = parts.flatMap { [$0.name, $0.filename ?? "", $0.contentType ?? ""] }
            guard texts.allSatisfy({ $0.utf8.allSatisfy { $0 >= 0x20 } }) else {
                throw refusal("a part's name or type has a control character")
            }
        }
    }

    private func isFraming(_ name: String) -> Bool {
        switch name.utf8.count {
        case 14: name.lowercased() == "content-length"
        case 17: name.lowercased() == "transfer-encoding"
        default: false
        }
    }

    private func checkURL() throws(HTTPClientError) {
        guard HeaderBytes.areTarget(url) else { throw refusal("the URL has a space or control character") }
        let (origin, rest) = Origin.split(url)
        // What follows a good origin is a path, query or fragment, and those are curl's to send as they are.
        if let rest, rest.first == UInt8(ascii: "/"), Origin.isKnownGood(origin) { return }
        let scheme = url.prefix { $0 != ":" }.lowercased()
        guard scheme == "http" || scheme == "https" else { throw refusal("the URL's scheme is neither http nor https") }
        // Curl forgives a slash too few or too many, and takes the path's beginning for the host.
        let afterScheme = url.dropFirst(scheme.count)
        guard afterScheme.hasPrefix("://"), !afterScheme.hasPrefix(":///") else { throw refusal("the URL has no host") }
        // Curl's own reading of it, the one that will count.
        let parsed = curl_url()
        defer { curl_url_cleanup(parsed) }
        let code = curl_url_set(parsed, CURLUPART_URL, url, UInt32(CURLU_PATH_AS_IS))
        guard code == CURLUE_OK else {
            throw refusal("the URL is malformed: \(curl_url_strerror(code).map { String(cString: $0) } ?? "\(code.rawValue)")")
        }
        if rest != nil { Origin.remember(origin) }
    }

    private func refusal(_ message: String) -> HTTPClientError {
        HTTPClientError(.malformed, requestMayHaveStarted: false, message: message)
    }
}

/// Scheme, host and port of URLs that curl has read before: a service calls few of them, each many times.
private enum Origin {
    private static let limit = 256
    private static let good = Lock<Set<String>>([])

    /// - Returns: the URL up to its path, and the path with what follows; `nil` without one.
    static func split(_ url: String) -> (origin: Substring, rest: Substring.UTF8View?) {
        let length = url.utf8.withContiguousStorageIfAvailable { bytes in
            var slashes = 0
            return bytes.firstIndex { byte in
                if byte == UInt8(ascii: "/") { slashes += 1 }
                return slashes == 3
            }
        }
        guard case .some(.some(let length)) = length else { return (url[...], nil) }
        let index = url.utf8.index(url.utf8.startIndex, offsetBy: length)
        return (url[..<index], url[index...].utf8)
    }

    static func isKnownGood(_ origin: Substring) -> Bool { good.withLock { $0.contains(String(origin)) } }

    static func remember(_ origin: Substring) {
        good.withLock { good in if good.count < limit { good.insert(String(origin)) } }
    }
}

/// What a request's texts may be made of (RFC 9110 §5.5, §5.6.2).
private enum HeaderBytes {
    static func areToken(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy(isToken) }
    static func areTarget(_ text: String) -> Bool { text.isPlain(from: 0x21, without: 0x7F) }

    /// A tab is allowed, and rare.
    static func areValue(_ text: String) -> Bool {
        text.isPlain(from: 0x20, without: 0x7F) || text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
    }

    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+.^_`|~".utf8.contains(byte)
        }
    }
}
