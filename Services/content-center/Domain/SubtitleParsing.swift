extension SubtitleForm {
    /// Why a text is no subtitle file.
    struct Fault: Error, Equatable {
        /// From 1 on.
        var line: Int
        var reason: Reason

        enum Reason: String, Sendable {
            case noTimes = "no_times"
            case endsBeforeItBegins = "ends_before_it_begins"
            case beginsBeforeTheOneBefore = "begins_before_the_one_before"
            case tooMany = "too_many"
            case nothing
        }
    }

    static let mostCues = 20_000
    /// Bytes: as many cues as any video has.
    static let largestFile = 2 << 20

    /// Reads what people's editors write of either form: with or without numbers, hours and a byte order mark; any line ends. Tags and
    /// settings of WebVTT fall away, and so do notes and styles.
    ///
    /// - Throws: ``Fault``; times that run backwards are refused rather than mended.
    static func cues(in text: String) throws(Fault) -> [SubtitleCue] {
        let lines = text.drop { $0 == "\u{FEFF}" }.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        let isVTT = lines.first?.hasPrefix("WEBVTT") ?? false
        var cues: [SubtitleCue] = []
        var index = 0
        while index < lines.count {
            let start = index
            while index < lines.count, !isBlank(lines[index]) { index += 1 }
            let block = lines[start..<index]
            index += 1
            guard let first = block.first else { continue }
            if isVTT, start == 0 || first.hasPrefix("NOTE") || first == "STYLE" || first == "REGION" { continue }
            // A number or a name may stand before the times.
            let place = block.prefix(2).firstIndex { $0.contains("-->") }
            guard let place, let (begin, end) = times(in: block[place]) else { throw Fault(line: start + 1, reason: .noTimes) }
            guard end > begin else { throw Fault(line: place + 1, reason: .endsBeforeItBegins) }
            if let last = cues.last, begin < last.startMilliseconds {
                throw Fault(line: place + 1, reason: .beginsBeforeTheOneBefore)
            }
            guard cues.count < mostCues else { throw Fault(line: place + 1, reason: .tooMany) }
            let said = block[(place + 1)...].map(plain).filter { !$0.isEmpty }
            if !said.isEmpty { cues.append(SubtitleCue(startMilliseconds: begin, endMilliseconds: end, lines: said)) }
        }
        guard !cues.isEmpty else { throw Fault(line: 1, reason: .nothing) }
        return cues
    }

    /// Which form a text is in, as its beginning says; `nil` for neither.
    static func form(atBeginningOf text: String) -> SubtitleForm? {
        let lines = text.drop { $0 == "\u{FEFF}" }.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        if let first = lines.first, first == "WEBVTT" || first.hasPrefix("WEBVTT ") || first.hasPrefix("WEBVTT\t") { return .vtt }
        // A number may stand before the times.
        let block = lines.drop(while: isBlank).prefix(2)
        return block.contains { times(in: $0) != nil } ? .srt : nil
    }

    /// Whether somebody who reads the form has this line as it is here: what looks like a tag or an entity would fall away.
    func keeps(_ line: String) -> Bool { Self.plain(written(line)[...]) == line }

    private static func isBlank(_ line: Substring) -> Bool { line.allSatisfy(\.isWhitespace) }

    private static func times(in line: Substring) -> (Int, Int)? {
        let sides = line.split(separator: "-->", omittingEmptySubsequences: false)
        guard sides.count == 2, let begin = time(sides[0].split(whereSeparator: \.isWhitespace).first),
            let end = time(sides[1].split(whereSeparator: \.isWhitespace).first)
        else { return nil }
        return (begin, end)
    }

    /// `01:02:03,004`, `02:03.004`, `02:03`.
    private static func time(_ text: Substring?) -> Int? {
        guard let text else { return nil }
        let parts = text.split(omittingEmptySubsequences: false) { $0 == "," || $0 == "." }
        let fields = parts.first?.split(separator: ":", omittingEmptySubsequences: false) ?? []
        let clock = fields.compactMap { number($0, digits: 1...3) }
        guard parts.count <= 2, clock.count == fields.count, (2...3).contains(clock.count),
            clock.suffix(2).allSatisfy({ $0 < 60 })
        else { return nil }
        var milliseconds = 0
        if parts.count == 2 {
            guard let fraction = number(parts[1], digits: 1...3) else { return nil }
            milliseconds = fraction * [100, 10, 1][parts[1].count - 1]
        }
        return clock.reduce(0) { $0 * 60 + $1 } * 1_000 + milliseconds
    }

    private static func number(_ text: Substring, digits: ClosedRange<Int>) -> Int? {
        guard digits.contains(text.count), text.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        return Int(text)
    }

    /// Without tags (`<i>`, `{\an8}`) and entities.
    private static func plain(_ line: Substring) -> String {
        var text = ""
        var rest = line
        // An end that was looked for in vain is not there later in the line either: a line of nothing but `<` is read once.
        var missing: Set<Character> = []
        while let character = rest.popFirst() {
            let end: Character? = character == "<" ? ">" : character == "{" && rest.first == "\\" ? "}" : nil
            if let end, !missing.contains(end) {
                if let place = rest.firstIndex(of: end) {
                    rest = rest[rest.index(after: place)...]
                    continue
                }
                missing.insert(end)
            }
            text.append(character)
        }
        for (entity, meaning) in [("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&lrm;", ""), ("&rlm;", ""), ("&amp;", "&")] {
            text = text.replacing(entity, with: meaning)
        }
        return SubtitleText.trimmed(text)
    }
}
