import Glibc

/// Random numbers from the kernel, fetched 32 at a time: a system call for each costs more than the rest of making an id.
///
/// For ids that must differ, not for secrets: those come straight from the cryptography library.
public struct BufferedRandom: RandomNumberGenerator, Sendable {
    private static let words = Lock<[UInt64]>([])
    /// `getentropy(3)` gives so many bytes at most.
    private static let bufferedWords = 256 / MemoryLayout<UInt64>.size

    public init() {}

    public mutating func next() -> UInt64 {
        Self.words.withLock { words in
            if words.isEmpty { words = Self.fetch() }
            return words.removeLast()
        }
    }

    private static func fetch() -> [UInt64] {
        var isComplete = false
        let words = [UInt64](unsafeUninitializedCapacity: bufferedWords) { buffer, count in
            isComplete = getentropy(buffer.baseAddress, 256) == 0
            count = isComplete ? bufferedWords : 0
        }
        guard isComplete else {
            var system = SystemRandomNumberGenerator()
            return [system.next()]
        }
        return words
    }
}
