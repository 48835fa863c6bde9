import CArgon2
import COpenSSL
import ConcurrencySupport

/// Argon2id (RFC 9106) for passwords, kept as PHC strings: `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`.
///
/// A hash takes tens of milliseconds and 19 MB on purpose; it runs on threads of its own, a bounded number at once.
public final class PasswordHasher: Sendable {
    /// What a hash costs. ``standard`` is OWASP's recommendation (Password Storage Cheat Sheet).
    public struct Cost: Sendable, Equatable {
        public var memoryKiB: UInt32
        public var iterations: UInt32
        public var lanes: UInt32

        public init(memoryKiB: UInt32, iterations: UInt32, lanes: UInt32 = 1) {
            self.memoryKiB = memoryKiB
            self.iterations = iterations
            self.lanes = lanes
        }

        public static let standard = Cost(memoryKiB: 19_456, iterations: 2)
    }

    public struct HashingFailed: Error, Equatable {
        public let reason: String
    }

    private static let hashSize = 32
    private static let saltSize = 16
    private let cost: Cost
    private let pool: BlockingPool

    /// - Parameters:
    ///   - threads: how many hashes run at once; they start on first use.
    ///   - queueLimit: how many may wait; more are refused with `BlockingPool.Overloaded`.
    public init(cost: Cost = .standard, threads: Int = 2, queueLimit: Int = 64) {
        self.cost = cost
        pool = BlockingPool(name: "passwords", threads: threads, queueLimit: queueLimit)
    }

    deinit { pool.shutdown() }

    /// - Returns: a PHC string with a new random salt.
    /// - Throws: `BlockingPool.Overloaded`, `CancellationError`, ``HashingFailed``.
    public func hash(_ password: String) async throws -> String {
        let cost = cost
        return try await pool.run { try Self.encode(password, cost: cost, salt: Random.bytes(Self.saltSize)) }
    }

    /// Whether the password is the one that was hashed. `nil` stands for an account that does not exist: it takes as long and is false,
    /// so that the duration does not tell which accounts exist. A malformed hash is false.
    ///
    /// - Throws: `BlockingPool.Overloaded`, `CancellationError`: no verdict.
    public func verify(_ password: String, against encoded: String?) async throws -> Bool {
        let cost = cost
        return try await pool.run {
            guard let encoded else {
                _ = try Self.encode(password, cost: cost, salt: Random.bytes(Self.saltSize))
                return false
            }
            var bytes = Array(password.utf8)
            defer { OPENSSL_cleanse(&bytes, bytes.count) }
            return argon2id_verify(encoded, bytes, bytes.count) == ARGON2_OK.rawValue
        }
    }

    /// Whether the hash was made with another cost than today's; hash the password again at the next sign-in.
    public func needsRehash(_ encoded: String) -> Bool { !encoded.hasPrefix(Self.prefix(cost)) }

    /// Blocks. The salt is a parameter for test vectors only.
    package static func encode(_ password: String, cost: Cost, salt: [UInt8]) throws -> String {
        let length = argon2_encodedlen(
            cost.iterations, cost.memoryKiB, cost.lanes, UInt32(salt.count), UInt32(hashSize), Argon2_id)
        var encoded = [CChar](repeating: 0, count: length)
        var bytes = Array(password.utf8)
        defer { OPENSSL_cleanse(&bytes, bytes.count) }
        let status = argon2id_hash_encoded(
            cost.iterations, cost.memoryKiB, cost.lanes, bytes, bytes.count, salt, salt.count, hashSize, &encoded, length)
        guard status == ARGON2_OK.rawValue else {
            throw HashingFailed(reason: argon2_error_message(status).map { String(cString: $0) } ?? "Argon2 error \(status)")
        }
        return String(decoding: encoded.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func prefix(_ cost: Cost) -> String {
        "$argon2id$v=19$m=\(cost.memoryKiB),t=\(cost.iterations),p=\(cost.lanes)$"
    }
}
