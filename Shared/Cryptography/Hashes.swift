import COpenSSL

/// FIPS 180-4.
public enum SHA256 {
    /// Fetched once. Given `EVP_sha256()`, OpenSSL 3 looks the algorithm up by its name, under locks, for each digest, which costs more
    /// than a short one (crypto(7), "Performance"). Never changed, and never freed.
    nonisolated(unsafe) static let algorithm: OpaquePointer = {
        guard let algorithm = EVP_MD_fetch(nil, "SHA256", nil) else {
            preconditionFailure("OpenSSL has no SHA-256: \(lastOpenSSLError())")
        }
        return algorithm
    }()

    /// 32 bytes.
    public static func hash(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        let status = EVP_Digest(bytes, bytes.count, &digest, nil, algorithm, nil)
        precondition(status == 1, "OpenSSL computed no SHA-256: \(lastOpenSSLError())")
        return digest
    }

    public static func hash(_ text: String) -> [UInt8] { hash(Array(text.utf8)) }
}

/// RFC 2104.
public enum HMAC {
    /// 32 bytes. A key of any length.
    public static func sha256(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: 32)
        let result = COpenSSL.HMAC(SHA256.algorithm, key, Int32(key.count), message, message.count, &code, nil)
        precondition(result != nil, "OpenSSL computed no HMAC: \(lastOpenSSLError())")
        return code
    }
}

/// The newest error of this thread as text; empties the queue. Call it right after the failed call, before any `await`.
func lastOpenSSLError() -> String {
    let code = ERR_peek_last_error()
    ERR_clear_error()
    guard code != 0 else { return "no reason given" }
    var text = [CChar](repeating: 0, count: 256)
    ERR_error_string_n(code, &text, text.count)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
