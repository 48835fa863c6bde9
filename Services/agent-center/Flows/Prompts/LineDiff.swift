/// What changed between two texts, line by line: a longest common subsequence, in hunks with some lines around each change.
struct LineDiff: Sendable, Equatable {
    enum Kind: String, Sendable { case context, removed, added }

    struct Line: Sendable, Equatable {
        let kind: Kind
        let text: String
    }

    /// Lines are counted from 1. A side without lines begins at the line before, as in the unified format.
    struct Hunk: Sendable, Equatable {
        let fromLine: Int
        let fromCount: Int
        let toLine: Int
        let toCount: Int
        let lines: [Line]
    }

    let hunks: [Hunk]
    let added: Int
    let removed: Int

    /// - Parameter around: unchanged lines before and after each change.
    init(from old: String, to new: String, around: Int = 3) {
        let (old, new) = (Self.lines(old), Self.lines(new))
        let edits = Self.edits(old, new)
        added = edits.count { $0.kind == .added }
        removed = edits.count { $0.kind == .removed }
        hunks = Self.hunks(edits, around: around)
    }

    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// Removals before additions, as readers expect. Time and memory grow with the product of what differs in the middle: texts are short.
    private static func edits(_ old: [String], _ new: [String]) -> [Line] {
        let head = zip(old, new).prefix { $0 == $1 }.count
        let tail = zip(old.dropFirst(head).reversed(), new.dropFirst(head).reversed()).prefix { $0 == $1 }.count
        let (a, b) = (old[head..<(old.count - tail)], new[head..<(new.count - tail)])
        let common = { (text: String) in Line(kind: .context, text: text) }
        return old[..<head].map(common) + middle(Array(a), Array(b)) + old.suffix(tail).map(common)
    }

    private static func middle(_ a: [String], _ b: [String]) -> [Line] {
        // Numbers compare faster than texts.
        var numbers: [String: Int32] = [:]
        func number(_ line: String) -> Int32 {
            if let known = numbers[line] { return known }
            let next = Int32(numbers.count)
            numbers[line] = next
            return next
        }
        let (x, y) = (a.map(number), b.map(number))
        let width = y.count + 1
        var longest = [UInt16](repeating: 0, count: (x.count + 1) * width)
        for i in x.indices.reversed() {
            for j in y.indices.reversed() {
                longest[i * width + j] =
                    x[i] == y[j]
                    ? longest[(i + 1) * width + j + 1] + 1 : max(longest[(i + 1) * width + j], longest[i * width + j + 1])
            }
        }
        var lines: [Line] = []
        var (i, j) = (0, 0)
        while i < x.count || j < y.count {
            if i < x.count, j < y.count, x[i] == y[j] {
                lines.append(Line(kind: .context, text: a[i]))
                (i, j) = (i + 1, j + 1)
            } else if i < x.count, j == y.count || longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
                lines.append(Line(kind: .removed, text: a[i]))
                i += 1
            } else {
                lines.append(Line(kind: .added, text: b[j]))
                j += 1
            }
        }
        return lines
    }

    private static func hunks(_ edits: [Line], around: Int) -> [Hunk] {
        let changed = edits.indices.filter { edits[$0].kind != .context }
        var spans: [Range<Int>] = []
        for index in changed {
            let span = max(0, index - around)..<min(edits.count, index + around + 1)
            if let last = spans.last, span.lowerBound <= last.upperBound {
                spans[spans.count - 1] = last.lowerBound..<span.upperBound
            } else {
                spans.append(span)
            }
        }
        var hunks: [Hunk] = []
        var (position, fromLine, toLine) = (0, 1, 1)
        for span in spans {
            for edit in edits[position..<span.lowerBound] {
                if edit.kind != .added { fromLine += 1 }
                if edit.kind != .removed { toLine += 1 }
            }
            let lines = Array(edits[span])
            let (fromCount, toCount) = (lines.count { $0.kind != .added }, lines.count { $0.kind != .removed })
            hunks.append(
                Hunk(
                    fromLine: fromCount == 0 ? fromLine - 1 : fromLine, fromCount: fromCount,
                    toLine: toCount == 0 ? toLine - 1 : toLine, toCount: toCount, lines: lines))
            (position, fromLine, toLine) = (span.upperBound, fromLine + fromCount, toLine + toCount)
        }
        return hunks
    }
}
