/// What a topic is about, as words short enough for a title.
///
/// A topic may be a noun (`夏季防晒霜`), a question (`如何选购婴儿推车？`), a paragraph, English, or an emoji. The key word is looked for by
/// taking away what is said *about* the thing (`如何…`, `…推荐`, `…攻略`) and, where that is still too long, by cutting only where a
/// word ends: at punctuation, at 的, at a particle, or at a word of ``KeyWordLexicon``. There is no cut at a fixed length.
struct KeyWord: Sendable, Equatable {
    enum Kind: Sendable {
        /// Something one has, chooses or buys.
        case thing
        /// Something one does.
        case activity
    }

    /// From the whole phrase down to its head, then its other words; empty when the topic holds no word at all.
    let candidates: [String]
    let kind: Kind
    /// The words for a Chinese sentence. A question in an alphabet (`How to use sunscreen`) stands there whole: what is left without its
    /// opening is a verb, which no such sentence can take.
    let sayings: [String]
    /// The candidates as they are looked for in a text.
    private let needles: [[UInt32]]

    init(of topic: String, preferring keywords: [String] = []) {
        var phrases: [String] = []
        for clause in Self.clauses(of: Self.withoutQuotes(topic)).flatMap(Self.parts) {
            let core = Self.core(of: clause)
            if !core.isEmpty, !phrases.contains(core) { phrases.append(core) }
            if phrases.count == 8 { break }
        }
        // The clause that names a known thing says what the topic is about; else the first one does.
        let main = phrases.first { KeyWordLexicon.containsNoun($0) } ?? phrases.first ?? ""
        var found: [String] = []
        for phrase in [main] + Self.shorterForms(of: main) where !phrase.isEmpty && !found.contains(phrase) {
            found.append(phrase)
        }
        // A keyword of the brief that stands in the topic is a word for certain.
        for keyword in keywords where !keyword.isEmpty && topic.contains(keyword) && !found.contains(keyword) {
            found.append(keyword)
        }
        candidates = found
        let subjects = Self.sayings(found, of: topic).filter(Self.isSubject)
        sayings = subjects.isEmpty && !found.isEmpty ? Self.quoted(topic) : subjects
        needles = found.map { WordFinder.fold($0, keepingBlanks: false) }
        kind = Self.isActivity(main) ? .activity : .thing
    }

    /// The whole topic as one word, where none of its parts can stand in a sentence and it is short enough.
    private static func quoted(_ topic: String) -> [String] {
        let isEnd = { (character: Character) in character.isWhitespace || "。！？!?.，,；;：:".contains(character) }
        let whole = topic.drop(while: isEnd).reversed().drop(while: isEnd).reversed()
        guard (2...18).contains(whole.count), !whole.contains(where: { strongMarks.contains($0) }) else { return [] }
        return ["「\(String(whole))」"]
    }

    private static func sayings(_ candidates: [String], of topic: String) -> [String] {
        let openings = ["how to ", "how do you ", "why "]
        guard let main = candidates.first, !topic.contains(where: \.isHan),
            let whole = clauses(of: topic).first(where: { clause in
                openings.contains { clause.lowercased().hasPrefix($0) && clause.dropFirst($0.count).hasPrefix(main) }
            })
        else { return candidates }
        let verb = main.prefix { !$0.isWhitespace }
        return [whole] + candidates.dropFirst().filter { !$0.hasPrefix(verb) }
    }

    /// Whether a title still speaks of the topic: it holds the phrase or one of its shorter forms.
    func isKept(in title: String) -> Bool { keptForm(in: title) != nil }

    func isKept(in title: FoldedText) -> Bool { keptForm(in: title) != nil }

    /// The index of the fullest form that the title holds.
    func keptForm(in title: String) -> Int? { keptForm(in: FoldedText(title)) }

    private func keptForm(in title: FoldedText) -> Int? {
        let scalars = title.withoutBlanks.scalars
        return needles.firstIndex { !$0.isEmpty && scalars.contains(run: $0) }
    }

    // MARK: Clauses

    private static let strongMarks: Set<Character> = Set(
        "，。！？；：、,!?;|/\\\n\r\t“”‘’\"《》〈〉【】「」『』()（）[]{}<>…—～~·•*#@＠＃=^`")

    /// What a clause may be about: what is not to be done, what is asked about, or all of it.
    private static func parts(of clause: String) -> [String] {
        if let object = KeyWordGrammar.objectOfProhibition(clause) { return [object] }
        return partsAroundQuestion(KeyWordGrammar.subjectOfWhy(clause) ?? clause)
    }

    /// Without quotation marks inside a phrase: `夏天“最好用”的防晒霜` is one. Others, and those that close nothing, part phrases.
    private static func withoutQuotes(_ topic: String) -> String {
        let closings: [Character: Character] = ["“": "”", "‘": "’", "「": "」", "『": "』", "\"": "\""]
        var characters = Array(topic.prefix(600))
        var index = 0
        while index < characters.count {
            defer { index += 1 }
            guard let closing = closings[characters[index]],
                let end = characters[(index + 1)...].prefix(14).firstIndex(of: closing), end > index + 1,
                !characters[(index + 1)..<end].contains(where: { strongMarks.contains($0) })
            else { continue }
            let neighbours = [index - 1, end + 1].filter(characters.indices.contains).map { characters[$0] }
            guard neighbours.contains(where: { $0.isHan || $0.isAlphabetic }) else { continue }
            characters.remove(at: end)
            characters.remove(at: index)
        }
        return String(characters)
    }

    /// `职场新人如何做好时间管理` → `做好时间管理`, `职场新人`: what is asked for comes first, unless only the asker is a known thing.
    private static func partsAroundQuestion(_ clause: String) -> [String] {
        let characters = Array(clause)
        for needle in KeyWordLexicon.questionWords {
            guard characters.count >= needle.count + 2 else { continue }
            for start in 2...(characters.count - needle.count) where characters[start...].starts(with: needle) {
                let before = String(characters[..<start])
                let after = String(characters[(start + needle.count)...])
                return KeyWordLexicon.containsNoun(after) ? [after, before] : [before, after]
            }
        }
        // `充电宝能上飞机吗`: a question about the known thing that it begins with.
        if let last = characters.last, "吗呢".contains(last) {
            let known = KeyWordLexicon.segments(of: clause).prefix { $0.isKnown && !KeyWordLexicon.particles.contains($0.text) }
            if known.contains(where: \.isNoun) { return [known.map(\.text).joined(), clause] }
        }
        return [clause]
    }

    /// The stretches between punctuation. A blank ends a stretch between Chinese characters and joins words of an alphabet.
    static func clauses(of text: String) -> [String] {
        let characters = Array(text.prefix(600))
        var clauses: [String] = []
        var current: [Character] = []
        func close() {
            while current.last?.isWhitespace == true { current.removeLast() }
            if current.contains(where: { !$0.isWhitespace && !$0.isPunctuation }) { clauses.append(String(current)) }
            current = []
        }
        for (index, character) in characters.enumerated() {
            let next = index + 1 < characters.count ? characters[index + 1] : nil
            if strongMarks.contains(character) {
                close()
            } else if character == "." || character == ":" {
                // `3.5` and `Node.js` stay together; a full stop does not.
                if let next, next.isAlphabetic, current.last?.isAlphabetic == true { current.append(character) } else { close() }
            } else if character == "+" {
                // `SPF50+` and `C++` keep theirs.
                if current.last?.isAlphabetic == true || current.last == "+" { current.append(character) } else { close() }
            } else if character.isWhitespace {
                if current.last?.isAlphabetic == true, let next, next.isAlphabetic {
                    current.append(" ")
                } else if current.last?.isHan == true, next?.isHan == true {
                    close()
                } else if !current.isEmpty, current.last?.isWhitespace == false {
                    current.append(" ")
                }
            } else if character.unicodeScalars.allSatisfy({ $0.properties.generalCategory == .control || $0.value == 0x200B }) {
                continue
            } else {
                current.append(character)
            }
        }
        close()
        return clauses
    }

    // MARK: The core of a clause

    /// Takes away openings and endings that talk about the thing, as long as something is left.
    static func core(of clause: String) -> String {
        var core = Substring(clause)
        // `在三个月内…`: a preposition has nothing to hold on to once the clause stands alone.
        if let first = core.first, "在给让把被".contains(first), core.count > 3,
            KeyWordLexicon.segments(of: clause).first.map({ !$0.isKnown || $0.text.count == 1 }) ?? false
        {
            core = core.dropFirst()
        }
        if core.first == "的", core.count > 2, !KeyWordGrammar.beginsAWord(core) { core = core.dropFirst() }
        var changed = true
        while changed {
            changed = false
            let lowered = core.lowercased()
            for opening in KeyWordLexicon.openings(of: lowered) where lowered.hasPrefix(opening) && core.count > opening.count {
                let rest = core.dropFirst(opening.count).drop { $0.isWhitespace }
                guard Self.isWord(rest), !Self.splitsAlphabeticWord(opening, rest) else { continue }
                core = rest
                changed = true
                break
            }
            let loweredAgain = core.lowercased()
            for ending in KeyWordLexicon.endings(of: loweredAgain)
            where loweredAgain.hasSuffix(ending) && core.count > ending.count {
                var rest = core.dropLast(ending.count)
                while rest.last?.isWhitespace == true { rest.removeLast() }
                guard Self.isWord(rest), rest.count >= 2 || !(rest.last?.isHan ?? false) else { continue }
                if KeyWordGrammar.belongs(ending, to: rest) { continue }
                if let last = rest.last, last.isAlphabetic, ending.first?.isAlphabetic == true,
                    core[rest.endIndex...].first?.isWhitespace != true
                {
                    continue
                }
                core = rest
                changed = true
                break
            }
        }
        while core.last?.isWhitespace == true { core.removeLast() }
        return String(core.drop { $0.isWhitespace })
    }

    private static func isWord(_ text: Substring) -> Bool { text.contains { !$0.isWhitespace && !$0.isPunctuation } }

    private static func splitsAlphabeticWord(_ opening: String, _ rest: Substring) -> Bool {
        // `a` must not be taken from `apple`: openings of an alphabet carry their blank.
        guard let last = opening.last, let first = rest.first else { return false }
        return last.isAlphabetic && first.isAlphabetic
    }

    // MARK: Shorter forms

    /// Shorter phrases that begin and end where words do, those that say most first.
    static func shorterForms(of phrase: String) -> [String] {
        let segments = KeyWordLexicon.segments(of: phrase)
        var forms: [String] = []
        if phrase.contains(where: \.isHan) {
            // Behind 的 stands what is described: `适合敏感肌的防晒霜` → `防晒霜`.
            let head = (segments.lastIndex { $0.text == "的" }).map { Array(segments[($0 + 1)...]) } ?? segments
            forms.append(head.map(\.text).joined())
            forms += stretches(of: head) + nouns(of: head) + nouns(of: segments.dropLast(head.count))
        } else {
            // A name with a number is one thing: half of `iPhone 17 Pro` is another one, or none.
            if phrase.contains(where: \.isNumber) { return [] }
            // Words of an alphabet: what stands before a preposition, its last two words, its last.
            let words = phrase.split(separator: " ")
            let lead = words.prefix { !KeyWordLexicon.prepositions.contains($0.lowercased()) }
            let group = core(of: (lead.isEmpty ? words[...] : lead).joined(separator: " ")).split(separator: " ")
            forms = [group.joined(separator: " "), group.suffix(2).joined(separator: " "), group.last.map(String.init) ?? ""]
        }
        return forms.map { core(of: $0) }.filter { form in
            form != phrase && (form.count >= 2 || form.first?.isHan == false)
                && !KeyWordLexicon.prepositions.contains(form.lowercased())
        }
    }

    private static func stretches(of segments: [KeyWordLexicon.Segment]) -> [String] {
        segments.split { KeyWordLexicon.particles.contains($0.text) }.map { $0.map(\.text).joined() }
    }

    /// The known things with the known word before them, then the known things alone.
    private static func nouns(of segments: some Sequence<KeyWordLexicon.Segment>) -> [String] {
        var pairs: [String] = []
        var nouns: [String] = []
        let segments = Array(segments)
        for (index, segment) in segments.enumerated() where segment.isNoun {
            // `宝宝辅食` is no 宝宝: a thing before a thing only says which.
            if index + 1 < segments.count, segments[index + 1].isNoun { continue }
            if index > 0, segments[index - 1].isKnown, !KeyWordLexicon.particles.contains(segments[index - 1].text) {
                pairs.append(segments[index - 1].text + segment.text)
            }
            nouns.append(segment.text)
        }
        return pairs + nouns.sorted { $0.count > $1.count }
    }

    /// Whether the words can be the subject of a sentence.
    static func isSubject(_ text: String) -> Bool {
        !text.contains { strongMarks.contains($0) } && KeyWordGrammar.isWhole(text)
    }

    private static func isActivity(_ phrase: String) -> Bool {
        let segments = KeyWordLexicon.segments(of: phrase)
        if let first = segments.first, KeyWordLexicon.verbs.contains(first.text) { return true }
        return segments.last.map { KeyWordLexicon.activities.contains($0.text) } ?? false
    }
}
