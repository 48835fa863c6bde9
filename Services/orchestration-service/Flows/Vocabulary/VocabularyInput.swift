import HTTPCore

enum VocabularyInput {
    static let wordLength = 1...50
    static let cursor = PageCursor.Kind("vocabulary", of: Int64.self)

    static func words(_ json: JSONValue, for list: WordList) throws -> [String] {
        var fields = FieldReader(json)
        let hasWords = fields.value("words") != nil
        let words = fields.textList("words", maxItems: list.limit, length: wordLength)
        // An empty list clears the vocabulary, so it must be meant.
        if !hasWords { fields.refuse("words", code: "required", zh: "必填", en: "is required") }
        try fields.finish()
        return words
    }

    /// A word as it stands in a path.
    ///
    /// - Throws: `NotFound` for what cannot be in a list.
    static func word(_ word: String) throws -> String {
        guard TextRule.check(word, length: wordLength, pointer: "word") == nil else { throw NotFound() }
        return word
    }

    static func page(_ query: [(name: String, value: String)]) throws -> (limit: Int, after: Int64?) {
        var query = QueryReader(query)
        let limit = query.integer("limit", in: 1...1_000, default: 100)
        let after = query.cursor(cursor)
        try query.finish()
        return (limit, after)
    }
}
