import DTO
import HTTPCore

/// What changed from one version to another, as a pure rule: field by field, and in texts by runs of characters.
enum ContentDiffing {
    static func fields(from before: ContentVersion, to after: ContentVersion) throws -> [ContentFieldDiff] {
        let (old, new) = (try leaves(of: before), try leaves(of: after))
        let (oldTexts, newPlaces) = (Dictionary(uniqueKeysWithValues: old), Set(new.map(\.0)))
        let there = new.compactMap { pointer, text -> ContentFieldDiff? in
            guard let earlier = oldTexts[pointer] else {
                return ContentFieldDiff(pointer: pointer, change: .added, before: nil, after: text, runs: nil)
            }
            guard !earlier.isSpelledLike(text) else { return nil }
            return ContentFieldDiff(
                pointer: pointer, change: .changed, before: earlier, after: text, runs: runs(from: earlier, to: text))
        }
        let gone = old.filter { !newPlaces.contains($0.0) }.map { pointer, text in
            ContentFieldDiff(pointer: pointer, change: .removed, before: text, after: nil, runs: nil)
        }
        return there + gone
    }

    /// Everything that a version says, by its place.
    private static func leaves(of version: ContentVersion) throws -> [(String, String)] {
        let json = try JSONValue(parsing: JSON.encode(version))
        var leaves: [(String, String)] = []
        func walk(_ value: JSONValue, at pointer: String) {
            switch value {
            case .object(let object):
                for (name, member) in object { walk(member, at: pointer + "/" + escaped(name)) }
            case .array(let items):
                for (index, item) in items.enumerated() { walk(item, at: "\(pointer)/\(index)") }
            case .string(let text): leaves.append((pointer, text))
            case .number(let digits): leaves.append((pointer, digits))
            case .bool(let isTrue): leaves.append((pointer, "\(isTrue)"))
            case .null: leaves.append((pointer, "null"))
            }
        }
        for name in ["title", "body"] {
            if let member = json[name] { walk(member, at: "/" + name) }
        }
        return leaves
    }

    private static func escaped(_ name: String) -> String {
        name.split(separator: "~", omittingEmptySubsequences: false).joined(separator: "~0")
            .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
    }

    /// Above this many pairs of characters the middle of two texts counts as rewritten: finding the shortest edit would take too long.
    static let maxPairs = 1_000_000

    /// The runs of characters that lead from one text to the other.
    static func runs(from before: String, to after: String) -> [ContentTextRun] {
        // Two spellings of one character are two characters here.
        let (old, new) = (before.map(Spelling.init), after.map(Spelling.init))
        let head = zip(old, new).prefix { $0 == $1 }.count
        let tail = zip(old.dropFirst(head).reversed(), new.dropFirst(head).reversed()).prefix { $0 == $1 }.count
        let (oldMiddle, newMiddle) = (Array(old[head..<old.count - tail]), Array(new[head..<new.count - tail]))
        var runs = Runs()
        runs.add(.same, old[..<head])
        if oldMiddle.count * newMiddle.count > maxPairs {
            runs.add(.removed, oldMiddle[...])
            runs.add(.added, newMiddle[...])
        } else {
            addMiddle(from: oldMiddle, to: newMiddle, &runs)
        }
        runs.add(.same, old[(old.count - tail)...])
        return runs.finished
    }

    private static func addMiddle(from old: [Spelling], to new: [Spelling], _ runs: inout Runs) {
        var (removed, added): (Set<Int>, Set<Int>) = ([], [])
        for change in new.difference(from: old) {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): added.insert(offset)
            }
        }
        var (oldIndex, newIndex) = (0, 0)
        while oldIndex < old.count || newIndex < new.count {
            if oldIndex < old.count, removed.contains(oldIndex) {
                runs.add(.removed, old[oldIndex...oldIndex])
                oldIndex += 1
            } else if newIndex < new.count, added.contains(newIndex) {
                runs.add(.added, new[newIndex...newIndex])
                newIndex += 1
            } else {
                runs.add(.same, new[newIndex...newIndex])
                oldIndex += 1
                newIndex += 1
            }
        }
    }

    /// A character by its code points.
    private struct Spelling: Hashable {
        let scalars: [Unicode.Scalar]

        init(_ character: Character) { scalars = Array(character.unicodeScalars) }
    }

    /// Neighbours of one kind grow together.
    private struct Runs {
        private var runs: [(kind: ContentTextRun.Kind, text: String.UnicodeScalarView)] = []

        mutating func add(_ kind: ContentTextRun.Kind, _ spellings: ArraySlice<Spelling>) {
            guard !spellings.isEmpty else { return }
            if runs.last?.kind != kind { runs.append((kind, String.UnicodeScalarView())) }
            for spelling in spellings { runs[runs.count - 1].text.append(contentsOf: spelling.scalars) }
        }

        var finished: [ContentTextRun] { runs.map { ContentTextRun(kind: $0.kind, text: String($0.text)) } }
    }
}

extension String {
    /// `==` calls canonically equivalent spellings equal.
    fileprivate func isSpelledLike(_ other: String) -> Bool { unicodeScalars.elementsEqual(other.unicodeScalars) }
}
