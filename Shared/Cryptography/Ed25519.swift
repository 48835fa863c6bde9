import COpenSSL

/// Signatures by Edwards curve 25519, RFC 8032.
public enum Ed25519 {
    public struct InvalidKey: Error, Equatable {}

    /// Prints as `•••`.
    public struct PrivateKey: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
        /// The 32 bytes that RFC 8032 calls the private key. Keep them where secrets are kept.
        public let seed: [UInt8]
        public let publicKey: PublicKey

        /// - Throws: ``InvalidKey`` unless the seed has 32 bytes.
        public init(seed: [UInt8]) throws(InvalidKey) {
            guard seed.count == 32 else { throw InvalidKey() }
            let key = try KeyHandle(privateSeed: seed)
            self.seed = seed
            publicKey = PublicKey(verified: try key.rawPublicKey())
        }

        private init(seed: [UInt8], publicKey: PublicKey) {
            self.seed = seed
            self.publicKey = publicKey
        }

        /// A new random key.
        public static func generate() -> PrivateKey {
            guard let key = try? PrivateKey(seed: Random.bytes(32)) else {
                preconditionFailure("Every 32 bytes are an Ed25519 seed")
            }
            return key
        }

        /// - Returns: 64 bytes, always the same for the same message.
        public func sign(_ message: [UInt8]) -> [UInt8] {
            var signature = [UInt8](repeating: 0, count: 64)
            var length = signature.count
            let context = DigestContext()
            guard let key = try? KeyHandle(privateSeed: seed),
                EVP_DigestSignInit(context.pointer, nil, nil, nil, key.pointer) == 1,
                EVP_DigestSign(context.pointer, &signature, &length, message, message.count) == 1, length == 64
            else { preconditionFailure("OpenSSL did not sign: \(lastOpenSSLError())") }
            return signature
        }

        public var description: String { "•••" }
        public var customMirror: Mirror { Mirror(self, children: []) }
    }

    public struct PublicKey: Sendable, Hashable {
        /// 32 bytes.
        public let raw: [UInt8]

        /// - Throws: ``InvalidKey`` unless there are 32 bytes that OpenSSL takes as a point.
        public init(raw: [UInt8]) throws(InvalidKey) {
            _ = try KeyHandle(publicKey: raw)
            self.raw = raw
        }

        fileprivate init(verified raw: [UInt8]) { self.raw = raw }

        public func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
            let context = DigestContext()
            guard signature.count == 64, let key = try? KeyHandle(publicKey: raw),
                EVP_DigestVerifyInit(context.pointer, nil, nil, nil, key.pointer) == 1
            else { return false }
            let isValid = EVP_DigestVerify(context.pointer, signature, 64, message, message.count) == 1
            if !isValid { ERR_clear_error() }
            return isValid
        }
    }
}

/// Owns an `EVP_PKEY` for one operation. Making one costs a few microseconds, signing ten times that: nothing is shared.
private struct KeyHandle: ~Copyable {
    let pointer: OpaquePointer

    init(privateSeed seed: [UInt8]) throws(Ed25519.InvalidKey) {
        guard let pointer = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count) else {
            ERR_clear_error()
            throw Ed25519.InvalidKey()
        }
        self.pointer = pointer
    }

    init(publicKey raw: [UInt8]) throws(Ed25519.InvalidKey) {
        guard raw.count == 32, let pointer = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, raw, raw.count) else {
            ERR_clear_error()
            throw Ed25519.InvalidKey()
        }
        self.pointer = pointer
    }

    func rawPublicKey() throws(Ed25519.InvalidKey) -> [UInt8] {
        var raw = [UInt8](repeating: 0, count: 32)
        var length = raw.count
        guard EVP_PKEY_get_raw_public_key(pointer, &raw, &length) == 1, length == 32 else {
            ERR_clear_error()
            throw Ed25519.InvalidKey()
        }
        return raw
    }

    deinit { EVP_PKEY_free(pointer) }
}

private struct DigestContext: ~Copyable {
    let pointer: OpaquePointer

    init() {
        guard let pointer = EVP_MD_CTX_new() else { preconditionFailure("Out of memory") }
        self.pointer = pointer
    }

    deinit { EVP_MD_CTX_free(pointer) }
}
