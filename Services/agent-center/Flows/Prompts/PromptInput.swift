import DTO
import FoundationEssentials
import HTTPCore

/// The input rules of the prompts' routes.
enum PromptInput {
    static let noteLength = 0...500
    static let pageSize = 1...100
    static let defaultPageSize = 20

    static let namesCursor = PageCursor.Kind("prompts", of: String.self)
    static let versionsCursor = PageCursor.Kind("prompt_versions", of: Int.self)
    static let movesCursor = PageCursor.Kind("prompt_label_moves", of: Int.self)

    // MARK: Versions

    /// A version as text or in parts, checked by itself.
    static func draft(_ json: JSONValue, of name: String) throws -> (definition: PromptDefinition, note: String) {
        var fields = FieldReader(json)
        let text = fields.optionalText("text", length: 1...PromptCheck.longestText)
        let body = fields.optionalObject("definition", body)
        let note = fields.optionalText("note", length: noteLength) ?? ""
        if (json["text"] != nil) == (json["definition"] != nil) {
            fields.refuse("text", code: "required", zh: "text 与 definition 须且只须给出一个", en: "give either text or definition")
        }
        try fields.finish()
        if let text { return (try definition(inText: text, of: name), note) }
        guard let body = body.flatMap(\.self) else { throw InternalFailure() }
        let issues = PromptCheck.issues(in: body)
        guard issues.isEmpty else { throw ValidationFailure(issues.map { inDefinition($0) }) }
        return (body, note)
    }

    /// Why the flow could not use a version, said of the body that it came in.
    static func refusal(of broken: PromptContractBroken, in json: JSONValue) -> ValidationFailure {
        guard let text = json["text"]?.string, let parsed = try? PromptText(parsing: text) else {
            return ValidationFailure(broken.issues.map { inDefinition($0) })
        }
        var issues = PromptCheck.Issues()
        issues.list = broken.issues
        return ValidationFailure(inText(issues, parsed))
    }

    static func inDefinition(_ issue: FieldIssue) -> FieldIssue {
        FieldIssue(pointer: "/definition" + issue.pointer, code: issue.code, message: issue.message)
    }

    private static func definition(inText text: String, of name: String) throws -> PromptDefinition {
        let parsed: PromptText
        do {
            parsed = try PromptText(parsing: text)
        } catch {
            throw ValidationFailure(
                pointer: "/text", code: "malformed", zh: "第 \(error.line) 行：\(error.problem.zh)", en: error.description)
        }
        if let other = parsed.name, other != name {
            throw ValidationFailure(
                pointer: "/text", code: "other_name", zh: "第 \(parsed.lines["/name"] ?? 1) 行：名称与地址中的不同",
                en: "line \(parsed.lines["/name"] ?? 1): the name is another one than in the address")
        }
        let issues = PromptCheck.collect(parsed.definition)
        guard issues.list.isEmpty else { throw ValidationFailure(inText(issues, parsed)) }
        return parsed.definition
    }

    /// Issues of the parts as issues of the text, with the line of each.
    static func inText(_ issues: PromptCheck.Issues, _ text: PromptText) -> [FieldIssue] {
        let first = text.lines["/template"] ?? 1
        return issues.list.indices.map { index in
            let issue = issues.located(index, templateLines: { first + $0 - 1 }, lines: text.lines)
            return FieldIssue(pointer: "/text", code: issue.code, message: issue.message)
        }
    }

    private static func body(_ fields: inout FieldReader) -> PromptDefinition? {
        let scene = fields.text("scene", length: 1...64)
        let language = fields.text("language", length: 1...8)
        let description = fields.text("description", length: 1...500)
        let variables = fields.objectList("variables", maxItems: PromptCheck.mostVariables, variable)
        let template = fields.text("template", length: PromptCheck.templateLength)
        var data = PromptText.defaultData(variables.compactMap(\.self), template: template)
        switch fields.value("data") {
        case nil: break
        case .object(let object)?: data = PromptText.members(object)
        case _?: fields.refuse("data", code: "wrong_type", zh: "应为对象", en: "must be an object")
        }
        let schema = fields.optionalObject("schema") { schema in
            AnswerSchema(name: schema.text("name", length: 1...64), schema: schema.value("schema") ?? .null)
        }
        var maxTokens: TokenFormula?
        if let text = fields.optionalText("maxTokens", length: 1...200) {
            do throws(TokenFormula.Malformed) { maxTokens = try TokenFormula(text) } catch {
                fields.refuse(
                    "maxTokens", code: "malformed", zh: "算式有误：\(error.problem.zh)", en: "is no formula: \(error.problem.en)")
            }
        }
        let temperature = number("temperature", in: &fields)
        guard fields.issues.isEmpty else { return nil }
        return PromptDefinition(
            scene: scene, language: language, description: description, variables: variables.compactMap(\.self),
            template: template, data: data, schema: schema, maxTokens: maxTokens, temperature: temperature)
    }

    static func number(_ name: String, in fields: inout FieldReader) -> Double? {
        guard let value = fields.value(name) else { return nil }
        guard let number = value.double else {
            fields.refuse(name, code: "wrong_type", zh: "应为数字", en: "must be a number")
            return nil
        }
        return number
    }

    private enum VariableType: String, CaseIterable { case text, textList, integer, choice, boolean, object }

    private static func variable(_ fields: inout FieldReader) -> PromptVariable? {
        let name = fields.text("name", length: 1...64)
        let type = fields.choice("type", of: VariableType.self)
        let isRequired = fields.bool("required", default: false)
        let description = fields.optionalText("description", length: 0...200) ?? ""
        let limits = -1_000_000_000...1_000_000_000
        let kind: PromptVariable.Kind? =
            switch type {
            case .text: .text(maxLength: fields.integer("maxLength", in: 1...100_000))
            case .textList:
                .textList(
                    maxItems: fields.integer("maxItems", in: 1...1_000), maxLength: fields.integer("maxLength", in: 1...10_000))
            case .integer: range(fields.integer("minimum", in: limits), fields.integer("maximum", in: limits), &fields)
            case .choice: .choice(fields.textList("choices", minItems: 1, maxItems: 200, length: 1...64))
            case .boolean: .boolean
            case .object: .object(maxBytes: fields.integer("maxBytes", in: 2...1_000_000))
            case nil: nil
            }
        return kind.map { PromptVariable(name: name, kind: $0, isRequired: isRequired, description: description) }
    }

    private static func range(_ low: Int, _ high: Int, _ fields: inout FieldReader) -> PromptVariable.Kind? {
        guard low <= high else {
            fields.refuse("maximum", code: "out_of_range", zh: "不能小于 minimum", en: "must not be less than minimum")
            return nil
        }
        return .integer(low...high)
    }

    static func values(_ json: JSONValue) throws -> [String: JSONValue] {
        var fields = FieldReader(json)
        let values = fields.value("values") ?? .object(JSONObject())
        if values.object == nil { fields.refuse("values", code: "wrong_type", zh: "应为对象", en: "must be an object") }
        try fields.finish()
        return Dictionary((values.object ?? JSONObject()).map { ($0.name, $0.value) }) { _, last in last }
    }

    /// Why a version could not be rendered.
    ///
    /// - Parameter pointer: where the request gives the value of a variable; a preview's `values` by default.
    static func failure(
        _ error: PromptVariableError, at pointer: (String) -> String = { "/values/" + JSONPointer.escape($0) }
    ) -> ValidationFailure {
        ValidationFailure(
            error.faults.map { fault in
                let (code, zh, en) = words(fault.problem)
                return FieldIssue(pointer: pointer(fault.variable), code: code, message: LocalizedText(zh: zh, en: en))
            })
    }

    private static func words(_ problem: PromptVariableError.Problem) -> (code: String, zh: String, en: String) {
        switch problem {
        case .unknown: ("unknown_field", "没有这个变量", "is not a variable of this prompt")
        case .required: ("required", "必填", "is required")
        case .wrongType(let type): ("wrong_type", "应为 \(type)", "must be of type \(type)")
        case .tooLong(let limit): ("too_long", "最多 \(limit) 个字", "must have at most \(limit) characters")
        case .tooManyItems(let limit): ("too_many_items", "最多 \(limit) 项", "must have at most \(limit) items")
        case .outOfRange(let range):
            (
                "out_of_range", "应在 \(range.lowerBound) 到 \(range.upperBound) 之间",
                "must be between \(range.lowerBound) and \(range.upperBound)"
            )
        case .unknownChoice(let words):
            ("unknown_value", "可选值：\(words.joined(separator: ", "))", "must be one of: \(words.joined(separator: ", "))")
        }
    }

    // MARK: Labels

    static let labelLength = 1...32

    /// - Parameter place: of the address.
    static func notAName(_ place: String, atMost limit: Int) -> ValidationFailure {
        ValidationFailure(
            pointer: place, code: "malformed", zh: "只能由小写字母、数字和 _ - . 组成，以字母开头，最多 \(limit) 个字符",
            en: "must be lower-case letters, digits, _, - and ., a letter first, at most \(limit) characters")
    }

    /// Lower case, a letter first, at most 32.
    static func isLabel(_ text: String) -> Bool {
        PromptDefinition.isPromptName(text) && text.utf8.count <= labelLength.upperBound
    }

    static func labelChange(_ json: JSONValue) throws -> (version: Int, expected: Int?) {
        var fields = FieldReader(json)
        let version = fields.integer("version", in: 0...1_000_000)
        let expected = fields.optionalInteger("expectedVersion", in: 0...1_000_000)
        try fields.finish()
        return (version, expected)
    }

    static func rollback(_ json: JSONValue) throws -> Int? {
        var fields = FieldReader(json)
        let expected = fields.optionalInteger("expectedVersion", in: 0...1_000_000)
        try fields.finish()
        return expected
    }

    /// The revisions that `If-Match` names; `nil` without the header. A tag that is none of ours matches nothing.
    static func revisions(_ headers: HTTPHeaders) throws -> [Int]? {
        let header = headers.values(of: "If-Match").joined(separator: ",")
        guard !header.isEmpty else { return nil }
        var revisions: [Int] = []
        for part in header.split(separator: ",", omittingEmptySubsequences: false) {
            let tag = part.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
            let isWeak = tag.starts(with: "W/")
            let quoted = isWeak ? Array(tag.dropFirst(2)) : Array(tag)
            guard quoted.count >= 2, quoted.first == "\"", quoted.last == "\"", !quoted.dropFirst().dropLast().contains("\"")
            else {
                throw ValidationFailure(
                    pointer: "If-Match", code: "malformed", zh: "应为读取时得到的 ETag，如 \"3\"",
                    en: "must be an ETag as it was read, e.g. \"3\"")
            }
            if !isWeak, let revision = Int(String(quoted.dropFirst().dropLast())) { revisions.append(revision) }
        }
        return revisions
    }

    // MARK: Reading

    static func page<Position: Codable>(
        _ query: [(name: String, value: String)], _ kind: PageCursor.Kind<Position>
    ) throws -> (limit: Int, after: Position?) {
        var query = QueryReader(query)
        let limit = query.integer("limit", in: pageSize, default: defaultPageSize)
        let after = query.cursor(kind)
        try query.finish()
        return (limit, after)
    }

    static func versions(toCompare query: [(name: String, value: String)]) throws -> (from: Int, to: Int) {
        let given = Set(query.map(\.name))
        var query = QueryReader(query)
        let from = query.integer("from", in: 0...1_000_000, default: 0)
        let to = query.integer("to", in: 0...1_000_000, default: 0)
        let missing = ["from", "to"].filter { !given.contains($0) }.map { name in
            FieldIssue(pointer: "?" + name, code: "required", message: LocalizedText(zh: "必填", en: "is required"))
        }
        guard missing.isEmpty else { throw ValidationFailure(missing + query.issues) }
        try query.finish()
        return (from, to)
    }
}
