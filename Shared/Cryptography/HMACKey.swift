import COpenSSL

/// A key for many HMAC-SHA256 codes: what depends on the key alone is computed once (RFC 2104 §4).
///
/// Unchecked: nobody changes the two hashes after `init`; a code is computed in a copy of them.
public final class HMACKey: @unchecked Sendable {
    private static let blockSize = 64

    private let inner: OpaquePointer
    private let outer: OpaquePointer

    /// - Parameter key: of any length.
    public init(_ key: [UInt8]) {
        var block = key.count > Self.blockSize ? SHA256.hash(key) : key
        block += [UInt8](repeating: 0, count: Self.blockSize - block.count)
        inner = Self.began(with: block.map { $0 ^ 0x36 })
        outer = Self.began(with: block.map { $0 ^ 0x5C })
    }

    deinit {
        EVP_MD_CTX_free(inner)
        EVP_MD_CTX_free(outer)
    }

    /// 32 bytes.
    public func code(of message: [UInt8]) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("OpenSSL: out of memory") }
        defer { EVP_MD_CTX_free(context) }
        return Self.finish(outer, Self.finish(inner, message, in: context), in: context)
    }

    private static func began(with block: [UInt8]) -> OpaquePointer {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, SHA256.algorithm, nil) == 1,
            EVP_DigestUpdate(context, block, block.count) == 1
        else { preconditionFailure("OpenSSL computes no SHA-256: \(lastOpenSSLError())") }
        return context
    }

    private static func finish(_ begun: OpaquePointer, _ message: [UInt8], in context: OpaquePointer) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        guard EVP_MD_CTX_copy_ex(context, begun) == 1, EVP_DigestUpdate(context, message, message.count) == 1,
            EVP_DigestFinal_ex(context, &digest, nil) == 1
        else { preconditionFailure("OpenSSL computed no HMAC: \(lastOpenSSLError())") }
        return digest
    }
}
