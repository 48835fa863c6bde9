import HTTPCore

/// The input rules of `POST /v1/contents/{id}/regenerate`.
enum ContentRegenerationInput {
    static let feedbackLength = 1...500

    static func read(_ json: JSONValue) throws -> RegenerationWish {
        var fields = FieldReader(json)
        let feedback = fields.text("feedback", length: feedbackLength)
        let model = fields.optionalText("model", length: TitleGenerationInput.modelLength)
        let promptLabel = fields.optionalText("promptLabel", length: TitleGenerationInput.labelLength)
        try fields.finish()
        return RegenerationWish(feedback: feedback, model: model ?? "auto", promptLabel: promptLabel)
    }

    /// What `If-Match` names, as content-center reads it: a list of strong tags `"3"` or `"3.5"`.
    ///
    /// - Returns: `nil` without the header.
    /// - Throws: 422 for `*` and for what is no list of tags: a text is not written anew over one that its editor has never seen.
    static func seen(_ headers: HTTPHeaders) throws -> (header: String, seen: [SeenContent])? {
        let header = headers.values(of: "If-Match").joined(separator: ", ")
        guard !header.isEmpty else { return nil }
        var seen: [SeenContent] = []
        for part in header.split(separator: ",", omittingEmptySubsequences: false) {
            let tag = part.trimmingBlanks()
            let isWeak = tag.hasPrefix("W/")
            let quoted = isWeak ? tag.dropFirst(2) : tag
            guard quoted.count >= 2, quoted.first == "\"", quoted.last == "\"", !quoted.dropFirst().dropLast().contains("\"")
            else {
                throw ValidationFailure(
                    pointer: "If-Match", code: "malformed", zh: "应为读取时得到的 ETag，如 \"3\"",
                    en: "must be an ETag as it was read, e.g. \"3\"")
            }
            if !isWeak, let content = content(quoted.dropFirst().dropLast()) { seen.append(content) }
        }
        return (header, seen)
    }

    /// `nil` for what is no tag of content-center's.
    private static func content(_ tag: Substring) -> SeenContent? {
        let numbers = tag.split(separator: ".", omittingEmptySubsequences: false).map { part in
            Int(part).flatMap { "\($0)" == part ? $0 : nil }
        }
        return switch (numbers.count, numbers.first ?? nil, numbers.last ?? nil) {
        case (1, let version?, _): SeenContent(version: version)
        case (2, let version?, let revision?): SeenContent(version: version, revision: revision)
        default: nil
        }
    }
}

extension Substring {
    fileprivate func trimmingBlanks() -> Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
