/// Takes out of a text what identifies people or opens doors, before it is kept: telephone numbers, e-mail addresses, identity-card
/// numbers, bank cards, keys and tokens. What stands there instead says what it was.
enum Redaction {
    /// Longer texts are cut: kept texts are for looking into, not for replay.
    static let maximumBytes = 64 << 10

    static func redacted(_ text: String) -> String {
        var bytes = Array(text.utf8)
        let isCut = bytes.count > maximumBytes
        if isCut { bytes.removeLast(bytes.count - maximumBytes) }
        var scanner = Scanner(bytes: bytes)
        return scanner.redacted() ?? (isCut ? String(decoding: bytes, as: UTF8.self) : text)
    }

    private struct Scanner {
        let bytes: [UInt8]
        /// The bytes before `copied` as they will be kept.
        private var output: [UInt8] = []
        private var copied = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        /// Looks at words: runs of what can stand in an address, a number or a key. Everything else is left as it is.
        ///
        /// - Returns: `nil` where nothing had to be taken out.
        mutating func redacted() -> String? {
            var index = 0
            while index < bytes.count {
                guard Self.isWord(bytes[index]) else {
                    index += 1
                    continue
                }
                var end = index
                var digits = 0
                var hasSign = false
                while end < bytes.count, Self.isWord(bytes[end]) || isSeparatorInNumber(end) {
                    if Self.isDigit(bytes[end]) { digits += 1 }
                    if bytes[end] == UInt8(ascii: "@") { hasSign = true }
                    end += 1
                }
                // The shortest key has 16 characters, the shortest number 8 digits: nearly every word is done with here.
                if end - index >= Self.shortestSecret || digits >= Self.shortestNumber || hasSign { look(at: index..<end) }
                index = end
            }
            guard copied > 0 else { return nil }
            output += bytes[copied...]
            return String(decoding: output, as: UTF8.self)
        }

        /// `138 0013 8000` and `+86 138…`: one blank between digits.
        private func isSeparatorInNumber(_ at: Int) -> Bool {
            bytes[at] == UInt8(ascii: " ") && at > 0 && at + 1 < bytes.count && Self.isDigit(bytes[at - 1])
                && Self.isDigit(bytes[at + 1])
        }

        private mutating func look(at run: Range<Int>) {
            var end = run.upperBound
            // A full stop behind a word ends the sentence.
            while end > run.lowerBound + 1, bytes[end - 1] == UInt8(ascii: ".") || bytes[end - 1] == UInt8(ascii: "-") {
                end -= 1
            }
            let word = run.lowerBound..<end
            if let name = Self.kind(of: bytes[word]) { take(word, as: name) } else { look(atPartsOf: word) }
        }

        /// The word as a whole is harmless: perhaps one part of it is not (`tel=13800138000`, `138… 2024`).
        private mutating func look(atPartsOf word: Range<Int>) {
            var index = word.lowerBound
            while index < word.upperBound {
                var end = index
                while end < word.upperBound, Self.isPart(bytes[end]) { end += 1 }
                if end > index, let name = Self.kind(of: bytes[index..<end]) { take(index..<end, as: name) }
                index = end + 1
            }
        }

        private mutating func take(_ range: Range<Int>, as name: String) {
            output += bytes[copied..<range.lowerBound]
            output += "[\(name)]".utf8
            copied = range.upperBound
        }

        private static let shortestSecret = 16
        private static let shortestNumber = 8

        private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

        private static func isLetter(_ byte: UInt8) -> Bool { (byte | 32) >= 97 && (byte | 32) <= 122 }

        private static func isPart(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) }

        private static func isWord(_ byte: UInt8) -> Bool {
            switch byte {
            // + - . / 0–9 @ A–Z _ a–z
            case 0x2B, 0x2D...0x39, 0x40...0x5A, 0x5F, 0x61...0x7A: true
            default: false
            }
        }

        private static func kind(of word: ArraySlice<UInt8>) -> String? {
            if isAddress(word) { return "邮箱" }
            if isSecret(word) { return "密钥" }
            return numberKind(word)
        }

        private static func isAddress(_ word: ArraySlice<UInt8>) -> Bool {
            guard let sign = word.firstIndex(of: UInt8(ascii: "@")), sign > word.startIndex else { return false }
            let domain = word[(sign + 1)...]
            guard !domain.contains(UInt8(ascii: "@")), let dot = domain.lastIndex(of: UInt8(ascii: ".")) else { return false }
            let ending = domain[(dot + 1)...]
            return dot > domain.startIndex && ending.count >= 2 && ending.allSatisfy(isLetter)
        }

        private static let marks = ["sk-", "ghp_", "AKIA", "xoxb-", "eyJ"].map { Array($0.utf8) }

        /// Keys begin with a known mark, are a JWT, or are long runs that mix letters and digits.
        private static func isSecret(_ word: ArraySlice<UInt8>) -> Bool {
            if word.count >= shortestSecret, marks.contains(where: { word.starts(with: $0) }) { return true }
            guard word.count >= 32, !word.contains(UInt8(ascii: "/")) || word.count >= 64 else { return false }
            let digits = word.count(where: isDigit)
            let letters = word.count(where: isLetter)
            // A UUID is an identifier, not a key.
            let isUUID = word.count == 36 && word.count { $0 == UInt8(ascii: "-") } == 4
            return digits >= 4 && letters >= 4 && digits + letters >= word.count - 3 && !isUUID
        }

        private static func numberKind(_ word: ArraySlice<UInt8>) -> String? {
            var digits: [UInt8] = []
            for (offset, byte) in word.enumerated() {
                if isDigit(byte) {
                    digits.append(byte - 48)
                } else if (byte | 32) == UInt8(ascii: "x"), offset == word.count - 1, digits.count == 17 {
                    digits.append(10)
                } else if byte != UInt8(ascii: "-"), byte != UInt8(ascii: " "), !(byte == UInt8(ascii: "+") && offset == 0) {
                    return nil
                }
            }
            if digits.count == 18, isIdentityCard(digits) { return "身份证号" }
            let isForeign = word.first == UInt8(ascii: "+")
            let national = digits.starts(with: [8, 6]) && digits.count == 13 ? Array(digits.dropFirst(2)) : digits
            if national.count == 11, national[0] == 1, national[1] >= 3 { return "手机号" }
            if (10...12).contains(digits.count), digits[0] == 0, word.contains(UInt8(ascii: "-")) { return "电话" }
            if digits.count == 10, digits.starts(with: [4, 0, 0]) { return "电话" }
            if isForeign, (8...15).contains(digits.count) { return "电话" }
            if (16...19).contains(digits.count), hasLuhnDigit(digits) { return "银行卡号" }
            return nil
        }

        /// GB 11643-1999: 6 digits of region, birthday, 3 of sequence, one check digit (ISO 7064 MOD 11-2).
        private static func isIdentityCard(_ digits: [UInt8]) -> Bool {
            let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
            let sum = zip(weights, digits).reduce(0) { $0 + $1.0 * Int($1.1) }
            let century = digits[6] * 10 + digits[7]
            return (sum + Int(digits[17])) % 11 == 1 && (18...20).contains(century)
        }

        private static func hasLuhnDigit(_ digits: [UInt8]) -> Bool {
            guard !digits.contains(10) else { return false }
            let sum = digits.reversed().enumerated().reduce(0) { sum, digit in
                let value = Int(digit.element) * (digit.offset % 2 == 1 ? 2 : 1)
                return sum + (value > 9 ? value - 9 : value)
            }
            return sum % 10 == 0
        }
    }
}
