import COpenSSL

/// Unpredictable bytes from OpenSSL's generator.
public enum Random {
    public static func bytes(_ count: Int) -> [UInt8] {
        precondition(count >= 0 && count <= Int(Int32.max))
        var bytes = [UInt8](repeating: 0, count: count)
        // It fails only where the kernel gives no entropy; going on with guessable keys would be worse than stopping.
        let status = RAND_bytes(&bytes, Int32(count))
        precondition(status == 1, "The system gives no random bytes")
        return bytes
    }

    /// A token for links, keys and sessions: `bytes` random bytes as base64url.
    public static func token(bytes count: Int = 32) -> String { Base64URL.encode(bytes(count)) }
}

/// Compares without telling by its duration where the difference is. Different lengths are different.
public func constantTimeEquals(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0
}
