import ConcurrencySupport

/// Which keys never show their value in a log line or on a span (design law 9).
enum Redaction {
    static let mark = "•••"

    private static let words = [
        "authorization", "password", "passwd", "pwd", "passphrase", "token", "secret", "apikey", "cookie", "phone", "mobile",
        "credential", "privatekey", "signingkey", "signature", "idcard", "databaseurl", "amqpurl", "seed",
    ]
    /// By their first byte: most keys are cleared without comparing a word.
    private static let wordsByLetter = (0...UInt8.max).map { letter in words.filter { $0.utf8.first == letter } }

    /// Keys stand in the code, so that there are few; should somebody make them up, the later ones are looked at each time.
    private static let knownLimit = 1_000
    private static let known = Lock<[String: Traits]>([:])

    struct Traits {
        let isSensitive: Bool
        /// A log line has a member of its own under that name.
        let isReserved: Bool
    }

    /// Compares without case, `_`, `-`, `.` and spaces: `apiKey`, `X-API-Key` and `api_key` are all one.
    static func isSensitive(key: String) -> Bool { traits(of: key).isSensitive }

    static func traits(of key: String) -> Traits {
        if let traits = known.withLock({ $0[key] }) { return traits }
        let traits = Traits(isSensitive: hasSensitiveWord(key), isReserved: Logger.reserved.contains(key))
        known.withLock { known in if known.count < knownLimit { known[key] = traits } }
        return traits
    }

    private static func hasSensitiveWord(_ key: String) -> Bool {
        var letters: [UInt8] = []
        letters.reserveCapacity(key.utf8.count)
        for byte in key.utf8 {
            switch byte {
            case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: " "): continue
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): letters.append(byte | 0x20)
            default: letters.append(byte)
            }
        }
        return letters.indices.contains { start in
            wordsByLetter[Int(letters[start])].contains { letters[start...].starts(with: $0.utf8) }
        }
    }

    static func value(_ value: AttributeValue, for key: String) -> AttributeValue {
        isSensitive(key: key) ? redacted(value, key: key) : value
    }

    /// The value under a sensitive key.
    static func redacted(_ value: AttributeValue, key: String) -> AttributeValue {
        switch value {
        case .null, .bool: return value
        // `promptTokens: 12` is a count, not a token.
        case .int, .double: return key.lowercased().hasSuffix("tokens") ? value : .string(mark)
        case .string: return .string(mark)
        }
    }
}
