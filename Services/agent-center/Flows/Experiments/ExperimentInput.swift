import DTO
import FoundationEssentials
import HTTPCore

/// The input rules of the experiments' routes.
enum ExperimentInput {
    static let mostArms = 10
    static let cursor = PageCursor.Kind("experiments", of: UUID.self)

    static func draft(_ json: JSONValue) throws -> Experiments.Draft {
        var fields = FieldReader(json)
        let prompt = fields.text("prompt", length: 1...64)
        if !prompt.isEmpty, !PromptDefinition.isPromptName(prompt) {
            fields.refuse("prompt", code: "malformed", zh: "不是提示词的名称", en: "is no name of a prompt")
        }
        let description = fields.optionalText("description", length: 0...500) ?? ""
        let arms = fields.objectList("arms", minItems: 2, maxItems: mostArms) { arm in
            let name = arm.text("name", length: 1...32)
            if !name.isEmpty, !PromptInput.isLabel(name) {
                arm.refuse("name", code: "malformed", zh: "应为小写字母开头的名称", en: "must be a name in lower case")
            }
            return Experiments.Draft.Arm(
                name: name, version: arm.integer("version", in: 0...1_000_000),
                weight: arm.integer("weight", in: 1...1_000, default: 1))
        }
        var names: Set<String> = []
        for (index, arm) in arms.enumerated() where !names.insert(arm.name).inserted {
            fields.refuse("arms", item: index, code: "repeated", zh: "名称与前面的重复", en: "has the name of another arm")
        }
        let control = fields.optionalText("control", length: 1...32)
        if let control, fields.issues.isEmpty, !names.contains(control) {
            fields.refuse("control", code: "unknown_value", zh: "没有这个分组", en: "is no arm of this experiment")
        }
        let unit = fields.choice("unit", of: ExperimentUnit.self, default: .operation)
        let salt = fields.optionalText("salt", length: 1...64)
        let rule = fields.optionalObject("guard", rule).flatMap(\.self)
        try fields.finish()
        return Experiments.Draft(
            prompt: prompt, description: description, arms: arms, control: control ?? arms[0].name, unit: unit, salt: salt,
            rule: rule)
    }

    private static func rule(_ fields: inout FieldReader) -> GuardRule? {
        let kind = fields.choice("kind", of: OutcomeKind.self)
        let measure = fields.choice("measure", of: GuardRule.Measure.self, default: .rate)
        let given = fields.issues.count
        let above = PromptInput.number("above", in: &fields)
        if let above, measure == .mean {
            if abs(above) > 1e12 {
                fields.refuse("above", code: "out_of_range", zh: "绝对值最大 1e12", en: "must be at most 1e12 from zero")
            }
        } else if let above, !(above > 0 && above < 1) {
            fields.refuse("above", code: "out_of_range", zh: "应在 0 和 1 之间", en: "must be between 0 and 1")
        } else if above == nil, fields.issues.count == given {
            fields.refuse("above", code: "required", zh: "必填", en: "is required")
        }
        let minimum = fields.integer("minExposures", in: 1...1_000_000)
        return kind.flatMap { kind in above.map { GuardRule(kind: kind, measure: measure, above: $0, minimumExposures: minimum) }
        }
    }

    static func outcome(_ json: JSONValue) throws -> Experiments.Outcome {
        var fields = FieldReader(json)
        let operation = fields.optionalUUID("operationId")
        let subject = fields.optionalText("subject", length: 1...200)
        let kind = fields.choice("kind", of: OutcomeKind.self)
        let value = PromptInput.number("value", in: &fields)
        if let value, abs(value) > 1e12 {
            fields.refuse("value", code: "out_of_range", zh: "绝对值最大 1e12", en: "must be at most 1e12 from zero")
        }
        if (json["operationId"] != nil) == (json["subject"] != nil) {
            fields.refuse(
                "operationId", code: "required", zh: "operationId 与 subject 须且只须给出一个", en: "give either operationId or subject")
        }
        try fields.finish()
        guard let kind, let about = operation.map({ .operation($0) }) ?? subject.map({ Experiments.Outcome.About.subject($0) })
        else { throw InternalFailure() }
        return Experiments.Outcome(about: about, kind: kind, value: value)
    }

    static func stop(_ json: JSONValue) throws -> ExperimentState.Event {
        var fields = FieldReader(json)
        let isFinal = fields.bool("final", default: false)
        try fields.finish()
        return isFinal ? .finish : .stop
    }

    static func list(_ query: [(name: String, value: String)]) throws -> ExperimentStore.Filter {
        var query = QueryReader(query)
        let limit = query.integer("limit", in: PromptInput.pageSize, default: PromptInput.defaultPageSize)
        let olderThan = query.cursor(cursor)
        let prompt = query.optionalText("prompt", length: 1...64)
        let state = query.optionalChoice("state", of: ExperimentState.self)
        try query.finish()
        return ExperimentStore.Filter(prompt: prompt, state: state, olderThan: olderThan, limit: limit)
    }
}
