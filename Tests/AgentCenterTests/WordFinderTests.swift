import Foundation
import TestSupport
import Testing

@testable import AgentCenter

enum TestTenants {
    static let one = UUID(uuidString: "11111111-1111-4111-8111-111111111111") ?? UUID()
    static let two = UUID(uuidString: "22222222-2222-4222-8222-222222222222") ?? UUID()
}

@Suite("Word finder", .apartFromThePool)
struct WordFinderTests {
    @Test("Words are found in any case and width; blanks matter only for words of an alphabet")
    func folding() {
        let finder = WordFinder(words: ["Cheap", "免费", "two words"])
        #expect(finder.words(in: "CHEAP 免 费") == ["Cheap", "免费"])
        #expect(finder.words(in: "ｃｈｅａｐ") == ["Cheap"])
        #expect(finder.words(in: "Two Words") == ["two words"])
        #expect(finder.words(in: "twowords").isEmpty)
        #expect(finder.words(in: "che ap").isEmpty)
        #expect(finder.words(in: "免\u{200B}费，免\n费") == ["免费"])
        #expect(WordFinder(words: ["", " "]).words(in: "什么 都没有").isEmpty)
        #expect(WordFinder(words: ["", " ", "\u{200B}"]).isEmpty)
    }

    @Test("Words that are prefixes, suffixes and middles of one another are all found")
    func nested() {
        let finder = WordFinder(words: ["a", "ab", "bc", "abcd", "c", "bcd"])
        #expect(finder.matches(in: "abcd").map { finder.entries[$0.entry] } == ["abcd", "ab", "a", "bcd", "bc", "c"])
    }

    @Test("The automaton finds exactly what a naive scan finds, on random texts over a small alphabet")
    func likeNaiveScan() {
        var random = SeededGenerator(seed: 2_026)
        let alphabet = Array("最好ab Ａ一\u{200B}C")
        func text(_ length: Int) -> String { String((0..<length).compactMap { _ in alphabet.randomElement(using: &random) }) }
        var compared = 0
        for _ in 0..<400 {
            let entries = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                let word = text(Int.random(in: 1...4, using: &random))
                let exceptions = (0..<Int.random(in: 0...2, using: &random)).map { _ in text(1) + word + text(1) }
                return WordFinder.Entry(word: word, exceptions: exceptions)
            }
            let finder = WordFinder(entries)
            for _ in 0..<6 {
                let text = text(Int.random(in: 0...40, using: &random))
                let found = finder.matches(in: text)
                #expect(Set(found) == NaiveScan.matches(of: entries, in: text), "\(entries) in \(text)")
                #expect(found.count == Set(found).count)
                compared += found.count
            }
        }
        #expect(compared > 1_000)
    }
}

/// What ``WordFinder`` promises, written down in the slowest way.
private enum NaiveScan {
    static func matches(of entries: [WordFinder.Entry], in text: String) -> Set<WordFinder.Match> {
        var matches: Set<WordFinder.Match> = []
        let whole = points(text)
        let dense = whole.filter { $0.value != " " }
        for (index, entry) in entries.enumerated() {
            let hasHan = entry.word.contains { "最好一".contains($0) }
            var word = points(entry.word).map(\.value)
            while word.first == " " { word.removeFirst() }
            while word.last == " " { word.removeLast() }
            if hasHan { word.removeAll { $0 == " " } }
            guard !word.isEmpty else { continue }
            let harmless = entry.exceptions.flatMap { exception -> [Range<Int>] in
                let long = points(exception).map(\.value).filter { $0 != " " }
                let short = word.filter { $0 != " " }
                return places(of: long, in: dense).flatMap { place in
                    (0..<long.count).filter { long[$0...].starts(with: short) }
                        .map { dense[place + $0].source..<dense[place + $0 + short.count - 1].source + 1 }
                }
            }
            let stream = hasHan ? dense : whole
            for place in places(of: word, in: stream) {
                let span = stream[place].source..<stream[place + word.count - 1].source + 1
                if !harmless.contains(span) { matches.insert(WordFinder.Match(entry: index, scalars: span)) }
            }
        }
        return matches
    }

    private static func places(of word: [String], in points: [(value: String, source: Int)]) -> [Int] {
        points.indices.filter { points[$0...].map(\.value).starts(with: word) }
    }

    private static func points(_ text: String) -> [(value: String, source: Int)] {
        text.unicodeScalars.enumerated().compactMap { index, scalar in
            switch scalar {
            case "\u{200B}": nil
            case "Ａ": ("a", index)
            default: (String(scalar).lowercased(), index)
            }
        }
    }
}
