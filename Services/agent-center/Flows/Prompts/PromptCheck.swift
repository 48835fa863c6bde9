import HTTPCore

/// Whether a prompt makes sense: the rules for shipped prompts and for what tenants save. Pointers name the members of
/// `PromptBody`.
enum PromptCheck {
    static let templateLength = 1...20_000
    static let longestText = 65_536
    static let mostLines = 2_000
    static let mostVariables = 50
    static let mostMembers = 100

    /// Lines are counted within the template.
    static func issues(in definition: PromptDefinition) -> [FieldIssue] {
        let found = collect(definition)
        return found.list.indices.map { found.located($0, templateLines: { $0 }) }
    }

    static func collect(_ definition: PromptDefinition) -> Issues {
        var issues = Issues()
        if !PromptDefinition.isPromptName(definition.scene) {
            issues.add("/scene", "malformed", "应为小写字母开头的名称", "must be a name in lower case")
        }
        if definition.language != "zh", definition.language != "en" {
            issues.add("/language", "unknown_value", "可选值：zh, en", "must be one of: zh, en")
        }
        issues.addLine(definition.description, "/description", length: 1...500)
        variables(definition.variables, &issues)
        uses(of: definition, &issues)
        template(definition, &issues)
        data(definition, &issues)
        if let formula = definition.maxTokens { tokens(formula, definition.variables, &issues) }
        if let temperature = definition.temperature, !(0...2).contains(temperature) {
            issues.add("/temperature", "out_of_range", "应在 0 到 2 之间", "must be between 0 and 2")
        }
        if let schema = definition.schema { AnswerSchemaCheck.collect(schema, &issues) }
        let text = PromptFile.text(of: definition)
        if text.utf8.count > longestText || text.utf8.count(where: { $0 == UInt8(ascii: "\n") }) >= mostLines {
            issues.add(
                "", "too_long", "整个提示词最多 \(longestText) 字节、\(mostLines) 行",
                "a prompt has at most \(longestText) bytes and \(mostLines) lines")
        }
        return issues
    }

    private static func variables(_ variables: [PromptVariable], _ issues: inout Issues) {
        if variables.count > mostVariables {
            issues.add("/variables", "too_many_items", "最多 \(mostVariables) 项", "must have at most \(mostVariables) items")
        }
        var names: Set<String> = []
        for (index, variable) in variables.enumerated() {
            let pointer = "/variables/\(index)"
            if !PromptDefinition.isName(variable.name[...]) {
                issues.add(pointer + "/name", "malformed", "应以字母开头，只含字母、数字和下划线", "must be a letter, then letters, digits and _")
            } else if !names.insert(variable.name).inserted {
                issues.add(pointer + "/name", "repeated", "变量名重复", "is the name of another variable too")
            }
            issues.addLine(variable.description, pointer + "/description", length: 0...200)
            // In the written form this word would make the variable required.
            if variable.description.split(separator: " ").first == "required" {
                issues.add(pointer + "/description", "reserved", "不能以 required 开头", "must not begin with the word required")
            }
            limits(of: variable.kind, pointer, &issues)
        }
    }

    /// Free text that every caller must give reaches the model in the data only; without a place there the callers' words are dropped.
    private static func uses(of definition: PromptDefinition, _ issues: inout Issues) {
        let segments = (try? PromptDefinition.segments(of: definition.template)) ?? []
        for (index, variable) in definition.variables.enumerated()
        where variable.isRequired && !variable.kind.isClosed && !definition.gives(variable.name)
            && !segments.contains(.placeholder(variable.name))
        {
            issues.add(
                "/variables/\(index)", "unused", "必填的 \(variable.name) 没有放进 data，模型看不到它",
                "\(variable.name) is required and stands nowhere in data: the model would never see it")
        }
    }

    private static func limits(of kind: PromptVariable.Kind, _ pointer: String, _ issues: inout Issues) {
        func require(_ value: Int, _ member: String, _ range: ClosedRange<Int>) {
            if !range.contains(value) {
                issues.add(
                    pointer + "/" + member, "out_of_range", "应在 \(range.lowerBound) 到 \(range.upperBound) 之间",
                    "must be between \(range.lowerBound) and \(range.upperBound)")
            }
        }
        switch kind {
        case .text(let length): require(length, "maxLength", 1...100_000)
        case .textList(let items, let length):
            require(items, "maxItems", 1...1_000)
            require(length, "maxLength", 1...10_000)
        case .integer(let range):
            require(range.lowerBound, "minimum", -1_000_000_000...1_000_000_000)
            require(range.upperBound, "maximum", -1_000_000_000...1_000_000_000)
        case .choice(let choices):
            if !(1...200).contains(choices.count) || Set(choices).count != choices.count || !choices.allSatisfy(isChoice) {
                issues.add(
                    pointer + "/choices", "malformed", "1–200 个互不相同、不含逗号、括号和换行的词，每个最多 64 个字",
                    "must be 1–200 different words of at most 64 characters, without commas, brackets and line breaks")
            }
        case .boolean: break
        case .object(let bytes): require(bytes, "maxBytes", 2...1_000_000)
        }
    }

    /// A choice may stand inside instructions, so it is a word of the author's, not a place to write into.
    private static func isChoice(_ word: String) -> Bool {
        (1...64).contains(word.count) && word.unicodeScalars.count <= 128 && word.first?.isWhitespace == false
            && word.last?.isWhitespace == false
            && word.unicodeScalars.allSatisfy { scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: false
                default: !",()<>`{}\"".unicodeScalars.contains(scalar)
                }
            }
    }

    private static func template(_ definition: PromptDefinition, _ issues: inout Issues) {
        if let issue = HTTPCore.TextRule.check(definition.template, length: templateLength, pointer: "/template") {
            issues.list.append(issue)
        }
        if definition.template.contains("<data>") || definition.template.contains("</data>") {
            issues.add("/template", "reserved", "不能包含 <data> 标记，它只用来包住素材", "must not contain the data delimiters")
        }
        let segments: [PromptDefinition.Segment]
        do {
            segments = try PromptDefinition.segments(of: definition.template)
        } catch {
            issues.add(
                "/template", "malformed_placeholder", "占位符“\(error.excerpt)”不完整",
                "the placeholder '\(error.excerpt)' is malformed", line: error.line)
            return
        }
        let known = Dictionary(definition.variables.map { ($0.name, $0) }) { first, _ in first }
        var line = 1
        for segment in segments {
            switch segment {
            case .text(let text): line += text.count { $0.isNewline }
            case .placeholder(let name):
                guard let variable = known[name] else {
                    issues.add(
                        "/template", "unknown_variable", "没有声明变量 \(name)",
                        "there is no variable \(name)", line: line)
                    continue
                }
                if !variable.kind.isClosed {
                    issues.add(
                        "/template", "free_text_in_instructions", "\(name) 是自由文本，只能放进 data，不能写进指令",
                        "\(name) holds free text; it belongs into data, never into instructions", line: line)
                }
            }
        }
    }

    private static func data(_ definition: PromptDefinition, _ issues: inout Issues) {
        if definition.data.count > mostMembers {
            issues.add("/data", "too_many_items", "最多 \(mostMembers) 项", "must have at most \(mostMembers) items")
        }
        let known = Set(definition.variables.map(\.name))
        for member in definition.data {
            let pointer = "/data/" + JSONPointer.escape(member.name)
            if !PromptDefinition.isName(member.name[...]) {
                issues.add(pointer, "malformed", "名称应以字母开头，只含字母、数字和下划线", "its name must be a letter, then letters, digits and _")
            } else if member.name == PromptDefinition.correctionMember {
                issues.add(pointer, "reserved", "correction 是保留名称", "correction is a reserved name")
            }
            switch member.datum {
            case .variable(let name):
                if !known.contains(name) {
                    issues.add(pointer, "unknown_variable", "没有声明变量 \(name)", "there is no variable \(name)")
                }
            case .constant(let value):
                if holdsPlaceholder(value) {
                    issues.add(
                        pointer, "malformed_placeholder", "占位符只能单独作为一个成员的值，如 \"{{topic}}\"",
                        "a placeholder stands alone as a member's value, such as \"{{topic}}\"")
                }
            }
        }
    }

    private static func holdsPlaceholder(_ value: JSONValue) -> Bool {
        switch value {
        case .string(let text): text.contains("{{")
        case .array(let items): items.contains(where: holdsPlaceholder)
        case .object(let object): object.contains { holdsPlaceholder($0.value) }
        default: false
        }
    }

    private static func tokens(_ formula: TokenFormula, _ variables: [PromptVariable], _ issues: inout Issues) {
        if formula.text.utf8.count > 200 || formula.text.contains(where: \.isNewline) {
            issues.add("/maxTokens", "too_long", "最多 200 个字符", "must have at most 200 characters")
        }
        var ranges: [String: ClosedRange<Int>] = [:]
        for name in formula.variables.sorted() {
            let variable = variables.first { $0.name == name }
            guard case .integer(let range)? = variable?.kind else {
                issues.add("/maxTokens", "unknown_variable", "\(name) 不是整数变量", "\(name) is no integer variable")
                continue
            }
            ranges[name] = variable?.isRequired == true ? range : min(0, range.lowerBound)...max(0, range.upperBound)
        }
        guard ranges.count == formula.variables.count else { return }
        // Beyond the limits at times it is cut; always beyond them it is a mistake.
        let (value, limits) = (formula.range(ranges), TokenFormula.limits)
        if value.upperBound < Double(limits.lowerBound) || value.lowerBound > Double(limits.upperBound) {
            issues.add(
                "/maxTokens", "out_of_range", "应在 \(limits.lowerBound) 到 \(limits.upperBound) 之间",
                "must be between \(limits.lowerBound) and \(limits.upperBound)")
        }
    }
}

extension PromptCheck {
    /// Refusals, and the line of a template that each is about.
    struct Issues {
        var list: [FieldIssue] = []
        /// By index in the list, from 1 within the template.
        private(set) var templateLines: [Int: Int] = [:]

        mutating func add(_ pointer: String, _ code: String, _ zh: String, _ en: String, line: Int? = nil) {
            templateLines[list.count] = line
            list.append(FieldIssue(pointer: pointer, code: code, message: LocalizedText(zh: zh, en: en)))
        }

        /// An issue with the line that it is about, where there is one.
        func located(_ index: Int, templateLines: (Int) -> Int, lines: [String: Int] = [:]) -> FieldIssue {
            var issue = list[index]
            var pointer = issue.pointer[...]
            var line = self.templateLines[index].map(templateLines) ?? lines[issue.pointer]
            while line == nil, let slash = pointer.lastIndex(of: "/") {
                pointer = pointer[..<slash]
                line = lines[String(pointer)]
            }
            guard let line else { return issue }
            issue.message = LocalizedText(zh: "第 \(line) 行：\(issue.message.zh)", en: "line \(line): \(issue.message.en)")
            return issue
        }

        /// A text of one line, without white space around it.
        mutating func addLine(_ text: String, _ pointer: String, length: ClosedRange<Int>) {
            if let issue = HTTPCore.TextRule.check(text, length: length, pointer: pointer) {
                list.append(issue)
            } else if text.contains(where: \.isNewline) || text.first?.isWhitespace == true || text.last?.isWhitespace == true {
                add(pointer, "malformed", "应为一行，首尾没有空白", "must be one line without white space around it")
            }
        }
    }
}

/// Whether a schema is one that strict vendors take (llm-wire, "structured outputs"): every object closed, every property required.
enum AnswerSchemaCheck {
    static let deepest = 10

    static func collect(_ schema: AnswerSchema, _ issues: inout PromptCheck.Issues) {
        let isNamed =
            (1...64).contains(schema.name.utf8.count)
            && schema.name.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
            }
        if !isNamed {
            issues.add("/schema/name", "malformed", "1–64 个字母、数字、_ 或 -", "must be 1–64 letters, digits, _ and -")
        }
        if schema.schema["type"]?.string != "object" {
            issues.add("/schema/schema/type", "unknown_value", "最外层应为 object", "must be object")
        }
        walk(schema.schema, "/schema/schema", 1, &issues)
    }

    private static func walk(_ value: JSONValue, _ pointer: String, _ depth: Int, _ issues: inout PromptCheck.Issues) {
        guard case .object(let node) = value else {
            return issues.add(pointer, "wrong_type", "应为对象", "must be an object")
        }
        guard depth <= deepest else {
            return issues.add(pointer, "too_deep", "最多 \(deepest) 层", "must have at most \(deepest) levels")
        }
        if let properties = node["properties"] {
            guard case .object(let members) = properties else {
                return issues.add(pointer + "/properties", "wrong_type", "应为对象", "must be an object")
            }
            if node["additionalProperties"]?.bool != false {
                issues.add(pointer + "/additionalProperties", "not_strict", "应为 false", "must be false")
            }
            if Set(node["required"]?.array?.compactMap(\.string) ?? []) != Set(members.names) {
                issues.add(pointer + "/required", "not_strict", "应列出全部属性", "must name every property")
            }
            for (name, member) in members {
                walk(member, "\(pointer)/properties/\(JSONPointer.escape(name))", depth + 1, &issues)
            }
        } else if node["type"]?.string == "object" {
            issues.add(pointer + "/properties", "required", "必填", "is required")
        }
        if let items = node["items"] {
            walk(items, pointer + "/items", depth + 1, &issues)
        } else if node["type"]?.string == "array" {
            issues.add(pointer + "/items", "required", "必填", "is required")
        }
    }
}
