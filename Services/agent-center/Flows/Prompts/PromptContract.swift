import HTTPCore

/// What a flow relies on in the prompt that it renders: the values it gives are taken, and the answer has the members it reads. The prompt
/// that ships with the service says both.
enum PromptContract {
    /// Why the flow could not render a tenant's version in the shipped one's place; empty if it can.
    static func breaches(of definition: PromptDefinition, against shipped: PromptDefinition) -> [FieldIssue] {
        var issues = PromptCheck.Issues()
        for given in shipped.variables where given.isRequired && !definition.variables.contains(where: { $0.name == given.name })
        {
            issues.add(
                "/variables", "missing_variable", "缺少必填变量 \(given.name)，流程会给出它的值",
                "the required variable \(given.name) is missing; the flow gives its value")
        }
        for (index, variable) in definition.variables.enumerated() {
            let pointer = "/variables/\(index)"
            guard let given = shipped.variables.first(where: { $0.name == variable.name }) else {
                if variable.isRequired {
                    issues.add(
                        pointer + "/required", "never_given", "流程不会给出 \(variable.name)，不能设为必填",
                        "the flow never gives \(variable.name), so it cannot be required")
                }
                continue
            }
            if variable.isRequired, !given.isRequired {
                issues.add(
                    pointer + "/required", "not_always_given", "流程有时不给出 \(variable.name)，不能设为必填",
                    "the flow does not always give \(variable.name), so it cannot be required")
            }
            if !variable.kind.takesAll(of: given.kind) {
                let kind = PromptText.written(given.kind)
                issues.add(
                    pointer + "/type", "narrower_than_given", "流程给出的是 \(kind)，这里的类型装不下",
                    "the flow gives \(kind), which does not fit this type")
            }
        }
        switch (definition.schema, shipped.schema) {
        case (nil, nil): break
        case (nil, _?): issues.add("/schema", "required", "流程要读结构化的回答", "is required: the flow reads a structured answer")
        case (_?, nil): issues.add("/schema", "not_wanted", "流程要读纯文本的回答", "must be absent: the flow reads plain text")
        case (let own?, let wanted?): compare(own.schema, wanted.schema, "/schema/schema", &issues)
        }
        return issues.list
    }

    /// Every member that the flow reads is there, of the same type; words of a closed list are words that it knows.
    private static func compare(_ own: JSONValue, _ wanted: JSONValue, _ pointer: String, _ issues: inout PromptCheck.Issues) {
        if let type = wanted["type"], own["type"] != type {
            let name = String(decoding: type.encode(), as: UTF8.self)
            return issues.add(pointer + "/type", "other_type", "流程要求 \(name)", "the flow wants \(name)")
        }
        if let words = wanted["enum"]?.array {
            let isSubset = own["enum"]?.array.map { !$0.isEmpty && $0.allSatisfy(words.contains) } ?? false
            if !isSubset {
                issues.add(pointer + "/enum", "unknown_value", "只能取流程认识的值", "must hold only values that the flow knows")
            }
        }
        for (name, member) in wanted["properties"]?.object ?? JSONObject() {
            let place = "\(pointer)/properties/\(JSONPointer.escape(name))"
            if let mine = own["properties"]?[name] {
                compare(mine, member, place, &issues)
            } else {
                issues.add(place, "missing_member", "流程要读 \(name)", "the flow reads \(name)")
            }
        }
        if let items = wanted["items"] { compare(own["items"] ?? .null, items, pointer + "/items", &issues) }
    }
}

extension PromptVariable.Kind {
    /// Whether every value of the other kind is one of this kind.
    func takesAll(of other: Self) -> Bool {
        switch (self, other) {
        case (.text(let mine), .text(let theirs)): mine >= theirs
        case (.text, .choice(let words)): words.allSatisfy { PromptVariable(self).objection(to: .string($0)) == nil }
        case (.textList(let items, let length), .textList(let theirItems, let theirLength)):
            items >= theirItems && length >= theirLength
        case (.integer(let mine), .integer(let theirs)):
            mine.lowerBound <= theirs.lowerBound && mine.upperBound >= theirs.upperBound
        case (.choice(let mine), .choice(let theirs)): Set(theirs).isSubset(of: mine)
        case (.boolean, .boolean): true
        case (.object(let mine), .object(let theirs)): mine >= theirs
        default: false
        }
    }
}

extension PromptVariable {
    fileprivate init(_ kind: Kind) { self.init(name: "", kind: kind, isRequired: true, description: "") }
}
