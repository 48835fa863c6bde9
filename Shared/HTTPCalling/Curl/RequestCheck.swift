import CCurl
import HTTPCore

extension ClientRequest {
    /// Nothing of a caller's text may end a line or a string early, and the framing is curl's. Runs on the caller's task, before any
    /// waiting.
    func check() throws(HTTPClientError) {
        try checkURL()
        guard !method.rawValue.isEmpty, method.rawValue.utf8.allSatisfy(isTokenByte) else {
            throw refusal("the method is not a token")
        }
        for (name, value) in headers {
            guard !name.isEmpty, name.utf8.allSatisfy(isTokenByte) else { throw refusal("a header's name is not a token") }
            guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                throw refusal("the header \(name) has a control character")
            }
            let lowered = name.lowercased()
            if lowered == "content-length" || lowered == "transfer-encoding" { throw refusal("\(name) is written by the client") }
        }
        if case .multipart(let parts) = body {
            let texts = parts.flatMap { [$0.name, $0.filename ?? "", $0.contentType ?? ""] }
            guard texts.allSatisfy({ $0.utf8.allSatisfy { $0 >= 0x20 } }) else {
                throw refusal("a part's name or type has a control character")
            }
        }
    }

    private func checkURL() throws(HTTPClientError) {
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw refusal("the URL has a space or control character")
        }
        let scheme = url.prefix { $0 != ":" }.lowercased()
        guard scheme == "http" || scheme == "https" else { throw refusal("the URL's scheme is neither http nor https") }
        // Curl forgives a slash too few or too many, and takes the path's beginning for the host.
        let rest = url.dropFirst(scheme.count)
        guard rest.hasPrefix("://"), !rest.hasPrefix(":///") else { throw refusal("the URL has no host") }
        // Curl's own reading of it, the one that will count.
        let parsed = curl_url()
        defer { curl_url_cleanup(parsed) }
        let code = curl_url_set(parsed, CURLUPART_URL, url, UInt32(CURLU_PATH_AS_IS))
        guard code == CURLUE_OK else {
            throw refusal("the URL is malformed: \(curl_url_strerror(code).map { String(cString: $0) } ?? "\(code.rawValue)")")
        }
    }

    private func refusal(_ message: String) -> HTTPClientError {
        HTTPClientError(.malformed, requestMayHaveStarted: false, message: message)
    }
}

private func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
}
