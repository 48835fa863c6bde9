import HTTPCore

/// The text form of a prompt: front matter between `---` lines, then the template. Prompts ship in it, and differences between
/// versions are shown in it.
///
/// ```
/// ---
/// name: title
/// revision: 2
/// scene: title-zh
/// language: zh
/// description: 短视频标题
/// temperature: 1.2
/// maxTokens: 200 + count * 40
/// variables:
///   topic: text(500) required 主题
///   count: integer(1...20) required 数量
///   keywords: textList(10, 50)
/// data: {"topic": "{{topic}}", "count": "{{count}}"}
/// schema titles: {
///   "type": "object", …
///   }
/// ---
/// 你是……
/// ```
///
/// A line that begins with white space continues the key above it. `data` may be left out: then it holds every variable that is
/// named by none of the template's placeholders, under its own name.
struct PromptFile: Sendable {
    let name: String
    let revision: Int
    let definition: PromptDefinition

    init(parsing text: String) throws(Malformed) {
        let parsed = try PromptText(parsing: text)
        guard let name = parsed.name else { throw Malformed(line: parsed.end, "缺少 name", "'name' is missing") }
        guard let revision = parsed.revision else { throw Malformed(line: parsed.end, "缺少 revision", "'revision' is missing") }
        self.name = name
        self.revision = revision
        definition = parsed.definition
    }

    struct Malformed: Error, Equatable, CustomStringConvertible {
        /// From 1.
        let line: Int
        let problem: LocalizedText
        var description: String { "line \(line): \(problem.en)" }

        init(line: Int, _ zh: String, _ en: String) {
            self.line = line
            problem = LocalizedText(zh: zh, en: en)
        }
    }
}

/// What stands in a text of that form. A tenant's version needs neither name nor revision: it gets its own.
struct PromptText: Sendable {
    typealias Malformed = PromptFile.Malformed

    let name: String?
    let revision: Int?
    let definition: PromptDefinition
    /// Where each part stands, from 1, by its pointer in the structured form: `/scene`, `/variables/2`, `/template`.
    let lines: [String: Int]
    /// The line that closes the front matter.
    let end: Int

    private struct Entry {
        let key: String
        let line: Int
        var value: String
        var continuations: [(line: Int, text: String)] = []

        var whole: String { ([value] + continuations.map(\.text)).joined(separator: "\n") }
    }

    /// - Throws: ``PromptFile/Malformed`` with the first thing that is wrong with the form. Whether the prompt makes sense is
    ///   ``PromptCheck``'s to say.
    init(parsing text: String) throws(Malformed) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.first == "---" else { throw Malformed(line: 1, "头部应以 --- 开始", "the front matter must begin with ---") }
        guard let end = lines.dropFirst().firstIndex(of: "---") else {
            throw Malformed(line: lines.count, "头部没有以 --- 结束", "the front matter is not closed with ---")
        }
        var entries = try Self.entries(lines[1..<end])
        var places = ["/template": end + 2]
        func take(_ key: String) -> Entry? {
            let entry = entries.removeValue(forKey: key)
            places["/" + (key.hasPrefix("schema ") ? "schema" : key)] = entry?.line
            return entry
        }
        func required(_ key: String) throws(Malformed) -> Entry {
            guard let entry = take(key), !entry.whole.isEmpty else {
                throw Malformed(line: end + 1, "缺少 \(key)", "'\(key)' is missing")
            }
            return entry
        }

        let nameEntry = take("name")
        if let nameEntry, !PromptDefinition.isPromptName(nameEntry.value) {
            throw Malformed(line: nameEntry.line, "“\(nameEntry.value)”不是提示词的名称", "'\(nameEntry.value)' is no name of a prompt")
        }
        let revisionEntry = take("revision")
        let revision = revisionEntry.flatMap { Int($0.value) }
        if let revisionEntry, revision ?? 0 < 1 {
            throw Malformed(line: revisionEntry.line, "revision 应为不小于 1 的整数", "the revision must be a whole number from 1")
        }
        let scene = try required("scene").value
        let languageEntry = try required("language")
        let description = try required("description").value
        var temperature: Double?
        if let entry = take("temperature") {
            guard let value = Double(entry.value), value.isFinite else {
                throw Malformed(line: entry.line, "temperature 应为数字", "the temperature must be a number")
            }
            temperature = value
        }
        var maxTokens: TokenFormula?
        if let entry = take("maxTokens") {
            do throws(TokenFormula.Malformed) { maxTokens = try TokenFormula(entry.value) } catch {
                throw Malformed(line: entry.line, "maxTokens 的算式有误：\(error.problem.zh)", "maxTokens: \(error.problem.en)")
            }
        }
        let variablesEntry = take("variables")
        let variables = try variablesEntry.map(Self.variables) ?? []
        for (index, place) in (variablesEntry?.continuations ?? []).enumerated() { places["/variables/\(index)"] = place.line }
        let template = lines[(end + 1)...].joined(separator: "\n")
        guard template.contains(where: { !$0.isWhitespace }) else {
            throw Malformed(line: end + 1, "头部下面没有模板正文", "there is no template below the front matter")
        }
        var data = PromptText.defaultData(variables, template: template)
        if let entry = take("data") {
            guard case .object(let object) = try Self.json(entry) else {
                throw Malformed(line: entry.line, "data 应为 JSON 对象", "data must be a JSON object")
            }
            data = Self.members(object)
        }
        var schema: AnswerSchema?
        if let key = entries.keys.first(where: { $0.hasPrefix("schema ") }), let entry = take(key) {
            schema = AnswerSchema(name: String(key.dropFirst("schema ".count)), schema: try Self.json(entry))
        }
        if let rest = entries.values.min(by: { $0.line < $1.line }) {
            throw Malformed(line: rest.line, "没有名为“\(rest.key)”的键", "unknown key '\(rest.key)'")
        }
        name = nameEntry?.value
        self.end = end + 1
        self.lines = places
        self.revision = revision
        definition = PromptDefinition(
            scene: scene, language: languageEntry.value, description: description, variables: variables, template: template,
            data: data, schema: schema, maxTokens: maxTokens, temperature: temperature)
    }

    // MARK: Parts

    private static func entries(_ lines: ArraySlice<String>) throws(Malformed) -> [String: Entry] {
        var entries: [String: Entry] = [:]
        var last: String?
        for (index, line) in zip(lines.indices, lines) {
            let number = index + 1
            if line.first?.isWhitespace == true {
                guard let last else {
                    throw Malformed(line: number, "缩进行上面没有可接续的键", "nothing stands above that this line could continue")
                }
                entries[last]?.continuations.append((number, line))
                continue
            }
            if line.isEmpty { continue }
            guard let colon = line.firstRange(of: ":") else { throw Malformed(line: number, "键后面缺少冒号", "a key needs a ':'") }
            let key = String(line[..<colon.lowerBound])
            guard entries[key] == nil else { throw Malformed(line: number, "\(key) 重复", "'\(key)' stands twice") }
            entries[key] = Entry(key: key, line: number, value: trimmed(line[colon.upperBound...]))
            last = key
        }
        return entries
    }

    private static func json(_ entry: Entry) throws(Malformed) -> JSONValue {
        do { return try JSONValue(parsing: Array(entry.whole.utf8)) } catch {
            throw Malformed(
                line: entry.line, "\(entry.key) 不是合法的 JSON：\(error.message.zh)", "'\(entry.key)' is not JSON: \(error.message.en)"
            )
        }
    }

    /// Without a `data` of its own: every variable that the template does not name.
    static func defaultData(_ variables: [PromptVariable], template: String) -> [PromptDefinition.Member] {
        let segments = (try? PromptDefinition.segments(of: template)) ?? []
        return variables.filter { !segments.contains(.placeholder($0.name)) }.map {
            .init(name: $0.name, datum: .variable($0.name))
        }
    }

    static func members(_ object: JSONObject) -> [PromptDefinition.Member] {
        object.map { .init(name: $0.name, datum: datum($0.value)) }
    }

    /// `"{{name}}"` stands for a variable; anything else for itself.
    private static func datum(_ value: JSONValue) -> PromptDefinition.Datum {
        guard let text = value.string, text.hasPrefix("{{"), text.hasSuffix("}}"), text.utf8.count > 4 else {
            return .constant(value)
        }
        return .variable(String(text.dropFirst(2).dropLast(2)))
    }

    private static func variables(_ entry: Entry) throws(Malformed) -> [PromptVariable] {
        guard entry.value.isEmpty else {
            throw Malformed(line: entry.line, "变量应缩进书写，一行一个", "variables stand one to a line, indented")
        }
        var variables: [PromptVariable] = []
        for (line, text) in entry.continuations { variables.append(try variable(text, line: line)) }
        return variables
    }

    private static func variable(_ text: String, line: Int) throws(Malformed) -> PromptVariable {
        guard let colon = text.firstRange(of: ":") else {
            throw Malformed(line: line, "变量应写作 名称: 类型", "a variable is written name: type")
        }
        let name = trimmed(text[..<colon.lowerBound])
        guard PromptDefinition.isName(name[...]) else {
            throw Malformed(line: line, "“\(name)”不是变量的名称", "'\(name)' is no name of a variable")
        }
        var rest = text[colon.upperBound...].drop { $0 == " " }
        let kindName = rest.prefix { $0.isLetter }
        rest = rest.dropFirst(kindName.count)
        var arguments: [String] = []
        if rest.first == "(" {
            guard let close = rest.firstIndex(of: ")") else { throw Malformed(line: line, "括号没有闭合", "a bracket is not closed") }
            arguments = rest[rest.index(after: rest.startIndex)..<close].split(separator: ",", omittingEmptySubsequences: false)
                .map { trimmed($0) }
            rest = rest[rest.index(after: close)...]
        }
        guard let kind = kind(String(kindName), arguments) else {
            let written = "\(kindName)(\(arguments.joined(separator: ", ")))"
            throw Malformed(
                line: line,
                "没有类型“\(written)”，可用：text(n)、textList(items, n)、integer(a...b)、choice(a, b)、boolean、object(bytes)",
                "'\(written)' is no type; write text(n), textList(items, n), integer(a...b), choice(a, b), boolean or object(bytes)"
            )
        }
        var words = trimmed(rest)
        let isRequired = words == "required" || words.hasPrefix("required ")
        if isRequired { words = trimmed(words.dropFirst("required".count)) }
        return PromptVariable(name: name, kind: kind, isRequired: isRequired, description: words)
    }

    private static func kind(_ name: String, _ arguments: [String]) -> PromptVariable.Kind? {
        let numbers = arguments.compactMap { Int($0) }
        switch (name, arguments.count) {
        case ("text", 1): return numbers.first.map { .text(maxLength: $0) }
        case ("textList", 2): return numbers.count == 2 ? .textList(maxItems: numbers[0], maxLength: numbers[1]) : nil
        case ("integer", 1):
            guard let dots = arguments[0].firstRange(of: "..."), let low = Int(arguments[0][..<dots.lowerBound]),
                let high = Int(arguments[0][dots.upperBound...]), low <= high
            else { return nil }
            return .integer(low...high)
        case ("choice", 1...): return arguments.contains("") ? nil : .choice(arguments)
        case ("boolean", 0): return .boolean
        case ("object", 1): return numbers.first.map { .object(maxBytes: $0) }
        default: return nil
        }
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        var text = Substring(text)
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}

// MARK: Writing

extension PromptFile {
    /// The definition in the same form, without name and revision: one thing to a line, so that lines can be compared.
    static func text(of definition: PromptDefinition) -> String {
        var lines = ["---", "scene: \(definition.scene)", "language: \(definition.language)"]
        lines.append("description: \(definition.description)")
        if let temperature = definition.temperature { lines.append("temperature: \(temperature)") }
        if let formula = definition.maxTokens { lines.append("maxTokens: \(formula.text)") }
        lines.append("variables:")
        for variable in definition.variables { lines.append("  \(variable.name): \(written(variable))") }
        lines.append("data: {")
        for (index, member) in definition.data.enumerated() {
            let value: JSONValue =
                switch member.datum {
                case .variable(let name): .string("{{\(name)}}")
                case .constant(let value): value
                }
            let comma = index + 1 < definition.data.count ? "," : ""
            lines.append("  \(compact(.string(member.name))): \(compact(value))\(comma)")
        }
        lines.append("  }")
        if let schema = definition.schema {
            let pretty = pretty(schema.schema, indent: "  ").split(separator: "\n", omittingEmptySubsequences: false)
            lines.append("schema \(schema.name): \(pretty.first ?? "")")
            lines += pretty.dropFirst().map(String.init)
        }
        lines.append("---")
        return lines.joined(separator: "\n") + "\n" + definition.template
    }

    private static func written(_ variable: PromptVariable) -> String {
        ([PromptText.written(variable.kind)] + (variable.isRequired ? ["required"] : [])
            + (variable.description.isEmpty ? [] : [variable.description]))
            .joined(separator: " ")
    }

    private static func compact(_ value: JSONValue) -> String { String(decoding: value.encode(), as: UTF8.self) }

    private static func pretty(_ value: JSONValue, indent: String) -> String {
        switch value {
        case .object(let object) where !object.isEmpty:
            let members = object.map { "\(indent)  \(compact(.string($0.name))): \(pretty($0.value, indent: indent + "  "))" }
            return "{\n" + members.joined(separator: ",\n") + "\n\(indent)}"
        case .array(let items) where items.contains(where: { $0.object != nil || $0.array != nil }):
            return "[\n" + items.map { "\(indent)  \(pretty($0, indent: indent + "  "))" }.joined(separator: ",\n")
                + "\n\(indent)]"
        default: return compact(value)
        }
    }
}

extension PromptText {
    static func written(_ kind: PromptVariable.Kind) -> String {
        switch kind {
        case .text(let length): "text(\(length))"
        case .textList(let items, let length): "textList(\(items), \(length))"
        case .integer(let range): "integer(\(range.lowerBound)...\(range.upperBound))"
        case .choice(let choices): "choice(\(choices.joined(separator: ", ")))"
        case .boolean: "boolean"
        case .object(let bytes): "object(\(bytes))"
        }
    }
}
