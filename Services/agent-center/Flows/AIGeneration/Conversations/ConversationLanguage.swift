import HTTPCore

/// In which language a raw conversation goes on: routes may be for some languages only, and OpenAI's request does not say.
enum ConversationLanguage {
    /// Where neither the caller nor the words say anything: the platform's own.
    static let usual = "zh"
    /// In letters, but in none that tell a language.
    static let unknown = "und"

    /// What `metadata.language` says (BCP 47), else what the last message of the user is written in.
    static func of(_ messages: [ChatRequest.Message], metadata: JSONValue?) -> String {
        if let told = metadata?["language"]?.string?.lowercased(), isTag(told) { return told }
        return messages.last { $0.role == .user }.flatMap { guess($0.content) } ?? usual
    }

    /// By script: more Chinese characters than words in Latin letters make a text Chinese, so that names of products in it do not
    /// matter; kana make it Japanese, Hangul Korean. What is left in Latin letters counts as English.
    ///
    /// - Returns: `nil` for a text without letters.
    static func guess(_ text: String) -> String? {
        var (han, kana, hangul, words, others) = (0, 0, 0, 0, 0)
        var isInWord = false
        for scalar in text.unicodeScalars {
            let isLatin: Bool
            switch scalar.value {
            case 0x41...0x5A, 0x61...0x7A, 0xC0...0x24F: isLatin = true
            case 0x27, 0x2D, 0x30...0x39: isLatin = isInWord
            default: isLatin = false
            }
            if isLatin, !isInWord { words += 1 }
            isInWord = isLatin
            guard !isLatin, scalar.value > 0x7F else { continue }
            switch scalar.value {
            case 0x3040...0x30FF, 0x31F0...0x31FF: kana += 1
            case 0x1100...0x11FF, 0xAC00...0xD7AF: hangul += 1
            case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x323AF: han += 1
            default: if scalar.properties.isAlphabetic { others += 1 }
            }
        }
        let (most, language) = [(han, "zh"), (hangul, "ko"), (words, "en"), (others, unknown)].reduce((0, nil as String?)) {
            $1.0 > $0.0 ? ($1.0, $1.1) : $0
        }
        // A tenth of kana among the characters is more than a Chinese text has.
        if kana > 0, kana * 9 >= han, kana + han > max(words, hangul, others) { return "ja" }
        return most > 0 ? language : nil
    }

    private static func isTag(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return (2...3).contains(parts[0].count) && text.utf8.count <= 35
            && parts.allSatisfy { (1...8).contains($0.count) && $0.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) } }
    }
}
