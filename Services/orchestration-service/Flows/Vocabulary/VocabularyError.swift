import HTTPCore

enum VocabularyError: HTTPFailure, Equatable {
    case notFound
    /// The list holds as many words as it may.
    case full(WordList)
    /// These of the new words are there twice, by their index.
    case duplicates([Int])

    var problem: ProblemDescription {
        switch self {
        case .notFound:
            ProblemDescription(
                status: .notFound, code: "vocabulary.not_found", title: LocalizedText(zh: "词表中没有这个词", en: "No such word"))
        case .full(let list):
            ProblemDescription(
                status: .conflict, code: "vocabulary.full", title: LocalizedText(zh: "词表已满", en: "The list is full"),
                detail: LocalizedText(zh: "最多 \(list.limit) 个词", en: "It holds at most \(list.limit) words"))
        case .duplicates(let indices):
            ValidationFailure(
                indices.map {
                    FieldIssue(
                        pointer: "/words/\($0)", code: "duplicate",
                        message: LocalizedText(
                            zh: "与前面的词相同（不计大小写、全半角与首尾空白）",
                            en: "is the same as one before, apart from case, width and surrounding space"))
                }
            ).problem
        }
    }
}
