import DTO

/// The second edit (二次编辑) of a title set, as a pure rule: what a patch makes of the version before it.
///
/// A score explains one exact text, so nothing is recomputed and nothing stale is kept:
/// - a candidate whose title stands word for word in the version before keeps its score, reasons and formula, wherever it moves;
/// - any other title was written by a person: no score, formula `manual`, and the reason says so;
/// - the choice follows the chosen title. When its text was changed in place (same number of candidates) the choice stays at its index;
///   when it is gone, nothing is chosen any more. An explicit `selected` always wins.
enum TitleSetEdit {
    static let manualReason = "人工编辑，未评分"

    /// - Throws: ``SelectionOutOfRange`` when `selected` points past the resulting candidates.
    static func apply(_ patch: ContentPatch, to before: TitleSetBody) throws(SelectionOutOfRange) -> TitleSetBody {
        var body = before
        if let candidates = patch.candidates {
            body.candidates = candidates.map { candidate(titled: $0.title, in: before) }
            body.selected = followedSelection(from: before, to: body.candidates)
        }
        switch patch.selected {
        case nil: break
        case .some(.none): body.selected = nil
        case .value(let index):
            guard body.candidates.indices.contains(index) else { throw SelectionOutOfRange(count: body.candidates.count) }
            body.selected = index
        }
        return body
    }

    private static func candidate(titled title: String, in before: TitleSetBody) -> TitleSetCandidate {
        before.candidates.first { $0.title.isSameText(as: title) } ?? written(title)
    }

    /// A title of a person's own.
    static func written(_ title: String) -> TitleSetCandidate {
        TitleSetCandidate(title: title, score: nil, reasons: [manualReason], formula: TitleSetCandidate.manualFormula)
    }

    private static func followedSelection(from before: TitleSetBody, to after: [TitleSetCandidate]) -> Int? {
        guard let selected = before.selected, before.candidates.indices.contains(selected) else { return nil }
        let chosen = before.candidates[selected].title
        if let index = after.firstIndex(where: { $0.title.isSameText(as: chosen) }) { return index }
        let editedInPlace = after.count == before.candidates.count && after[selected].formula == TitleSetCandidate.manualFormula
        return editedInPlace ? selected : nil
    }
}

/// `selected` points past the candidates.
struct SelectionOutOfRange: Error, Equatable {
    /// How many candidates there are.
    var count: Int
}

extension String {
    /// Equal code point for code point: Swift's `==` calls canonically equivalent spellings equal, a score must not.
    func isSameText(as other: String) -> Bool { unicodeScalars.elementsEqual(other.unicodeScalars) }
}
