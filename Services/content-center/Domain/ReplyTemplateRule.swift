import DTO

/// Texts with places to fill in: every `{{name}}` has its variable, and every variable its place.
enum ReplyTemplateRule {
    struct Issue: Equatable {
        var member: String
        /// Which variable it is about.
        var item: Int?
        var code: String
        var zh: String
        var en: String
    }

    static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
    }

    static func issues(text: String, variables: [ReplyVariable]) -> [Issue] {
        let asked = names(in: text)
        var issues: [Issue] = []
        var known: Set<String> = []
        for (index, variable) in variables.enumerated() {
            if !known.insert(variable.name).inserted {
                issues.append(
                    Issue(member: "variables", item: index, code: "repeated", zh: "与前面的变量重名", en: "repeats an earlier name"))
            } else if !asked.contains(variable.name) {
                issues.append(
                    Issue(
                        member: "variables", item: index, code: "unused", zh: "正文没有用到这个变量", en: "does not stand in the text"))
            }
        }
        for name in asked where !known.contains(name) {
            issues.append(
                Issue(
                    member: "text", item: nil, code: "unknown_variable", zh: "变量 \(name) 没有定义",
                    en: "asks for \(name), which is no variable"))
        }
        return issues
    }

    /// What stands between `{{` and `}}`, each once, in their order.
    static func names(in text: String) -> [String] {
        var names: [String] = []
        var rest = text[...]
        while let open = rest.firstRange(of: "{{") {
            rest = rest[open.upperBound...]
            guard let close = rest.firstRange(of: "}}") else { break }
            let name = String(rest[..<close.lowerBound])
            if !names.contains(name) { names.append(name) }
            rest = rest[close.upperBound...]
        }
        return names
    }
}
