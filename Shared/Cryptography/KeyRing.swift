public import ConfigReading

/// The keys for data at rest. Everything is sealed with the current key and carries its id; what older keys sealed still opens, so that
/// keys can be changed without touching the rows first.
public struct KeyRing: Sendable {
    /// What is stored: the id of the key beside the ciphertext.
    public struct Sealed: Sendable, Equatable {
        public var keyId: String
        public var ciphertext: [UInt8]

        public init(keyId: String, ciphertext: [UInt8]) {
            self.keyId = keyId
            self.ciphertext = ciphertext
        }
    }

    public enum Failure: Error, Equatable {
        /// The text names a key that the ring does not hold.
        case unknownKey(String)
        case notAuthentic
        /// The setting is not `id=base64 of 32 bytes` between commas; the reason holds no key.
        case malformedSetting(String)
    }

    public let currentKeyId: String
    private let currentKey: AESGCM.Key
    private let keys: [String: AESGCM.Key]

    public init(currentKeyId: String, currentKey: AESGCM.Key, olderKeys: [String: AESGCM.Key] = [:]) {
        self.currentKeyId = currentKeyId
        self.currentKey = currentKey
        keys = olderKeys.merging([currentKeyId: currentKey]) { $1 }
    }

    /// Reads `k2=base64,k1=base64`; the first is the current key.
    public init(setting: Secret) throws(Failure) {
        var parsed: [(id: String, key: AESGCM.Key)] = []
        for item in setting.exposed.split(separator: ",") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else { throw .malformedSetting("must be id=key pairs between commas") }
            guard let bytes = Base64.decode(parts[1]), let key = try? AESGCM.Key(bytes) else {
                throw .malformedSetting("the key '\(parts[0])' is not 32 bytes in base64")
            }
            guard !parsed.contains(where: { $0.id == parts[0] }) else { throw .malformedSetting("'\(parts[0])' stands twice") }
            parsed.append((String(parts[0]), key))
        }
        guard let current = parsed.first else { throw .malformedSetting("holds no key") }
        self.init(
            currentKeyId: current.id, currentKey: current.key,
            olderKeys: Dictionary(uniqueKeysWithValues: parsed.dropFirst().map { ($0.id, $0.key) }))
    }

    public func seal(_ plaintext: [UInt8], context: [UInt8] = []) -> Sealed {
        Sealed(keyId: currentKeyId, ciphertext: AESGCM.seal(plaintext, key: currentKey, context: context))
    }

    public func open(_ sealed: Sealed, context: [UInt8] = []) throws(Failure) -> [UInt8] {
        guard let key = keys[sealed.keyId] else { throw .unknownKey(sealed.keyId) }
        do {
            return try AESGCM.open(sealed.ciphertext, key: key, context: context)
        } catch {
            throw .notAuthentic
        }
    }

    /// Whether the text should be sealed anew with the current key.
    public func needsResealing(_ sealed: Sealed) -> Bool { sealed.keyId != currentKeyId }
}
