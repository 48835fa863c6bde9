/// A small generator (SplitMix64): the same seed and text give the same choices in every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64, _ bytes: [UInt8]) {
        // FNV-1a.
        state = bytes.reduce(0xCBF2_9CE4_8422_2325 ^ seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func hex(_ digits: Int) -> String {
        var text = ""
        while text.utf8.count < digits {
            let part = String(next(), radix: 16)
            text += String(repeating: "0", count: 16 - part.utf8.count) + part
        }
        return String(text.prefix(digits))
    }

    mutating func uuid() -> String {
        let digits = Array(hex(32))
        return [digits[0..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20..<32]].map { String($0) }
            .joined(separator: "-")
    }
}

/// The sandbox's counting rule: UTF-8 bytes / 4, rounded up.
func tokenCount(bytes: Int) -> Int { (bytes + 3) / 4 }

extension String {
    /// Pieces of so many characters.
    func pieces(of count: Int) -> [String] {
        var pieces: [String] = []
        var rest = self[...]
        while !rest.isEmpty {
            pieces.append(String(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return pieces
    }

    /// As many whole characters as fit.
    func prefix(bytes limit: Int) -> String {
        var size = 0
        var end = startIndex
        while end < endIndex {
            size += self[end].utf8.count
            guard size <= limit else { break }
            end = index(after: end)
        }
        return String(self[..<end])
    }
}
