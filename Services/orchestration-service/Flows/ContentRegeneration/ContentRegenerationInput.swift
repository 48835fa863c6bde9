import HTTPCore

/// The input rules of `POST /v1/contents/{id}/regenerate`.
enum ContentRegenerationInput {
    static let feedbackLength = 1...500

    static func read(_ json: JSONValue) throws -> RegenerationWish {
        var fields = FieldReader(json)
        let feedback = fields.text("feedback", length: feedbackLength)
        let model = fields.optionalText("model", length: TitleGenerationInput.modelLength)
        try fields.finish()
        return RegenerationWish(feedback: feedback, model: model ?? "auto")
    }

    /// The versions that `If-Match` names, as content-center reads it: a list of strong tags `"3"`.
    ///
    /// - Throws: 428 without the header; 422 for `*` and for what is no list of tags: a text is not written anew over one that its editor
    ///   has never seen.
    static func versions(_ headers: HTTPHeaders) throws -> (header: String, versions: [Int]) {
        let header = headers.values(of: "If-Match").joined(separator: ", ")
        guard !header.isEmpty else { throw VersionRequired() }
        var versions: [Int] = []
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
            let number = quoted.dropFirst().dropLast()
            if !isWeak, let version = Int(number), "\(version)" == number { versions.append(version) }
        }
        return (header, versions)
    }
}

extension Substring {
    fileprivate func trimmingBlanks() -> Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}

/// 428, in content-center's words.
struct VersionRequired: HTTPFailure {
    var problem: ProblemDescription {
        ProblemDescription(
            status: .preconditionRequired, code: "content.version_required",
            title: LocalizedText(zh: "缺少 If-Match", en: "If-Match is missing"),
            detail: LocalizedText(
                zh: "编辑时须用 If-Match 带上所读版本的 ETag。", en: "An edit names the ETag of the version it edits in If-Match."))
    }
}
