import FoundationEssentials
import HTTPCore
import Observability

/// One numbered version of a prompt; it never changes. Number 0 is the one that ships with the service.
struct PromptVersion: Sendable {
    let name: String
    let number: Int
    /// Of a shipped prompt: raised whenever its text changes.
    let revision: Int?
    let definition: PromptDefinition
    /// What values are accepted for: the variables of the definition and, of a tenant's version of a shipped prompt, those of the
    /// shipped one, which the flow gives whether the version uses them or not.
    let variables: [PromptVariable]

    private let segments: [PromptDefinition.Segment]
    /// The whole instructions where no placeholder stands in them.
    private let fixedInstructions: String?
    private let byName: [String: PromptVariable]

    /// - Throws: for a template whose placeholders are malformed.
    init(
        name: String, number: Int, revision: Int? = nil, definition: PromptDefinition,
        accepting variables: [PromptVariable]? = nil
    )
        throws(PromptDefinition.MalformedPlaceholder)
    {
        self.name = name
        self.number = number
        self.revision = revision
        self.definition = definition
        self.variables = variables ?? definition.variables
        let standing = PromptData.standingInstruction(language: definition.language) + "\n"
        segments = [.text(standing)] + (try PromptDefinition.segments(of: definition.template))
        let texts = segments.map { if case .text(let text) = $0 { text } else { String?.none } }
        fixedInstructions = texts.contains(nil) ? nil : texts.compactMap { $0 }.joined()
        byName = Dictionary(self.variables.map { ($0.name, $0) }) { first, _ in first }
    }

    /// `title@3`; of a shipped version with its revision, `title@0.2`.
    var reference: String { "\(name)@\(number)" + (revision.map { ".\($0)" } ?? "") }

    /// - Throws: ``PromptVariableError`` with every value that is missing, unknown or does not fit its variable.
    func render(_ values: [String: JSONValue]) throws(PromptVariableError) -> RenderedPrompt {
        var faults: [PromptVariableError.Fault] = []
        for variable in variables {
            if let problem = variable.objection(to: values[variable.name] ?? .null) {
                faults.append(.init(variable: variable.name, problem: problem))
            }
        }
        for name in values.keys.filter({ byName[$0] == nil }).sorted() { faults.append(.init(variable: name, problem: .unknown)) }
        guard faults.isEmpty else { throw PromptVariableError(faults: faults) }

        let (instructions, stable) = instructions(values)
        var data = JSONObject()
        var stableMembers: Int?
        for (index, member) in definition.data.enumerated() {
            switch member.datum {
            case .constant(let value): data[member.name] = value
            case .variable(let name):
                data[member.name] = values[name] ?? .null
                stableMembers = stableMembers ?? index
            }
        }
        return RenderedPrompt(
            instructions: instructions, stableInstructions: stable, data: data, stableMembers: stableMembers ?? data.count,
            maxTokens: definition.maxTokens?.value(values.compactMapValues(\.int)), temperature: definition.temperature,
            schema: definition.schema)
    }

    /// The variables that the text names and that have no value: each leaves a hole in it.
    func holes(_ values: [String: JSONValue]) -> [String] {
        definition.variables.map(\.name).filter { name in
            (values[name] ?? .null) == .null
                && segments.contains { if case .placeholder(let placed) = $0 { placed == name } else { false } }
        }
    }

    /// - Returns: the text, and how many of its bytes come before the first value, if one stands in it.
    private func instructions(_ values: [String: JSONValue]) -> (text: String, stable: Int?) {
        if let fixedInstructions { return (fixedInstructions, nil) }
        var text = ""
        var stable: Int?
        for segment in segments {
            switch segment {
            case .text(let piece): text += piece
            case .placeholder(let name):
                stable = stable ?? text.utf8.count
                // Closed kinds only: digits, a word of the version's author, true or false.
                let value = values[name] ?? .null
                text += value.string ?? value.int.map(String.init) ?? value.bool.map { $0 ? "true" : "false" } ?? ""
            }
        }
        return (text, stable)
    }
}

/// Which version somebody gets, and why.
struct PromptChoice: Sendable {
    let version: PromptVersion
    /// The label that led to it; `nil` when the version was found without one (shipped, or an arm that names a number).
    let label: String?
    /// For the ledger.
    let experiment: LedgerEntry.ExperimentArm?

    /// For ledgers and answers: `title@3`, `title.canary@4`, `title@4#0197…:b`.
    var ref: String {
        var text = version.reference
        if let label, label != PromptRepository.productionLabel, let mark = text.firstIndex(of: "@") {
            text = text[..<mark] + ".\(label)" + text[mark...]
        }
        if let experiment { text += "#\(experiment.experimentId.text):\(experiment.arm)" }
        return text
    }
}
