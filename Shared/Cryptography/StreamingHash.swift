import COpenSSL

extension SHA256 {
    /// The hash of bytes that come piece by piece.
    public struct Stream: ~Copyable {
        private let context: OpaquePointer

        public init() {
            guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, SHA256.algorithm, nil) == 1 else {
                preconditionFailure("OpenSSL computes no SHA-256: \(lastOpenSSLError())")
            }
            self.context = context
        }

        deinit { EVP_MD_CTX_free(context) }

        public mutating func update(_ bytes: UnsafeRawBufferPointer) {
            let status = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
            precondition(status == 1, "OpenSSL computed no SHA-256: \(lastOpenSSLError())")
        }

        /// 32 bytes, of all that came so far. Nothing may come after it.
        public mutating func finish() -> [UInt8] {
            var digest = [UInt8](repeating: 0, count: 32)
            let status = EVP_DigestFinal_ex(context, &digest, nil)
            precondition(status == 1, "OpenSSL computed no SHA-256: \(lastOpenSSLError())")
            return digest
        }
    }
}
