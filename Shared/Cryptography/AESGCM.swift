import COpenSSL

/// AES-256 in Galois/Counter Mode, NIST SP 800-38D: nobody without the key can read the text, or change it unnoticed.
public enum AESGCM {
    /// 32 bytes. Prints as `•••`.
    public struct Key: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
        let bytes: [UInt8]

        /// - Throws: ``AESGCM/Failure/invalidKey`` unless there are 32 bytes.
        public init(_ bytes: [UInt8]) throws(Failure) {
            guard bytes.count == 32 else { throw .invalidKey }
            self.bytes = bytes
        }

        private init(random: Void) { bytes = Random.bytes(32) }

        public static func generate() -> Key { Key(random: ()) }

        public var description: String { "•••" }
        public var customMirror: Mirror { Mirror(self, children: []) }
    }

    public enum Failure: Error, Equatable {
        case invalidKey
        /// The text was changed, cut, sealed with another key or for another context.
        case notAuthentic
    }

    private static let nonceSize = 12
    private static let tagSize = 16

    /// - Parameter context: not hidden but bound: opening needs the same, e.g. the row's tenant and id.
    /// - Returns: random nonce (12 bytes), ciphertext, tag (16 bytes).
    public static func seal(_ plaintext: [UInt8], key: Key, context: [UInt8] = []) -> [UInt8] {
        seal(plaintext, key: key, context: context, nonce: Random.bytes(nonceSize))
    }

    /// For test vectors only: a nonce must never come twice with one key.
    package static func seal(_ plaintext: [UInt8], key: Key, context: [UInt8], nonce: [UInt8]) -> [UInt8] {
        precondition(nonce.count == nonceSize)
        let cipher = CipherContext()
        var text = [UInt8](repeating: 0, count: plaintext.count)
        var tag = [UInt8](repeating: 0, count: tagSize)
        var end = [UInt8](repeating: 0, count: tagSize)
        var length: Int32 = 0
        let isSealed =
            EVP_EncryptInit_ex(cipher.pointer, EVP_aes_256_gcm(), nil, key.bytes, nonce) == 1
            && EVP_EncryptUpdate(cipher.pointer, nil, &length, context, Int32(context.count)) == 1
            && EVP_EncryptUpdate(cipher.pointer, &text, &length, plaintext, Int32(plaintext.count)) == 1
            && EVP_EncryptFinal_ex(cipher.pointer, &end, &length) == 1
            && EVP_CIPHER_CTX_ctrl(cipher.pointer, EVP_CTRL_AEAD_GET_TAG, Int32(tagSize), &tag) == 1
        precondition(isSealed, "OpenSSL did not encrypt: \(lastOpenSSLError())")
        return nonce + text + tag
    }

    public static func open(_ sealed: [UInt8], key: Key, context: [UInt8] = []) throws(Failure) -> [UInt8] {
        guard sealed.count >= nonceSize + tagSize else { throw .notAuthentic }
        let nonce = Array(sealed.prefix(nonceSize))
        let ciphertext = Array(sealed.dropFirst(nonceSize).dropLast(tagSize))
        var tag = Array(sealed.suffix(tagSize))
        let cipher = CipherContext()
        var text = [UInt8](repeating: 0, count: ciphertext.count)
        var end = [UInt8](repeating: 0, count: tagSize)
        var length: Int32 = 0
        let isAuthentic =
            EVP_DecryptInit_ex(cipher.pointer, EVP_aes_256_gcm(), nil, key.bytes, nonce) == 1
            && EVP_DecryptUpdate(cipher.pointer, nil, &length, context, Int32(context.count)) == 1
            && EVP_DecryptUpdate(cipher.pointer, &text, &length, ciphertext, Int32(ciphertext.count)) == 1
            && EVP_CIPHER_CTX_ctrl(cipher.pointer, EVP_CTRL_AEAD_SET_TAG, Int32(tagSize), &tag) == 1
            && EVP_DecryptFinal_ex(cipher.pointer, &end, &length) == 1
        guard isAuthentic else {
            ERR_clear_error()
            OPENSSL_cleanse(&text, text.count)
            throw .notAuthentic
        }
        return text
    }
}

private struct CipherContext: ~Copyable {
    let pointer: OpaquePointer

    init() {
        guard let pointer = EVP_CIPHER_CTX_new() else { preconditionFailure("Out of memory") }
        self.pointer = pointer
    }

    deinit { EVP_CIPHER_CTX_free(pointer) }
}
