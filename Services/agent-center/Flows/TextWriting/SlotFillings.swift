/// What may fill the slots of a sentence (``TitleWording``): short enough to stand in one, and allowed.
struct SlotFillings: Sendable {
    let keys: [String]
    let audiences: [String]
    let points: [String]
    let keywords: [String]

    /// - Parameters:
    ///   - longest: no key word is longer.
    ///   - isAllowed: whether nothing forbids the words.
    init(
        keyWord: KeyWord, audience: String?, points: [String], keywords: [String], longest: Int, longestPoint: Int = 12,
        isAllowed: (String) -> Bool
    ) {
        func usable(_ texts: [String], upTo limit: Int) -> [String] {
            texts.filter { !$0.isEmpty && $0.count <= limit && isAllowed($0) }
        }
        // 14 characters are the most that reads well inside a sentence; words of an alphabet are longer for the same sense.
        let readable = keyWord.sayings.filter { $0.count <= ($0.contains(where: \.isHan) ? 14 : 40) }
        keys = usable(readable.isEmpty ? keyWord.sayings : readable, upTo: longest)
        audiences = usable([audience].compactMap { $0 }.flatMap(Self.shortNames), upTo: 12)
        self.points = usable(points.flatMap(KeyWord.clauses), upTo: longestPoint)
        self.keywords = usable(keywords.flatMap(KeyWord.clauses), upTo: 12)
    }

    private static func shortNames(of audience: String) -> [String] {
        KeyWord.clauses(of: audience).prefix(2).flatMap { clause -> [String] in
            for ending in ["的人群", "人群", "群体", "用户", "们"] where clause.hasSuffix(ending) && clause.count > ending.count + 1 {
                return [String(clause.dropLast(ending.count)), clause]
            }
            return [clause]
        }
    }

    static func rotated(_ values: [String], by dice: UInt64) -> [String] {
        guard values.count > 1 else { return values }
        let start = Int((dice >> 16) % UInt64(values.count))
        return Array(values[start...] + values[..<start])
    }
}
