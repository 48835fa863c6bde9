import DTO
import HTTPCore

// Prompts as they are shown.

extension PromptVersionView {
    /// One that ships with the service.
    init(_ version: PromptVersion) {
        self.init(
            name: version.name, version: 0, reference: version.reference, text: PromptFile.text(of: version.definition),
            definition: PromptBody(version.definition), note: "", createdBy: nil, createdAt: nil, usable: true)
    }

    init(_ version: PromptVersion, _ kept: PromptStore.Version, usable: Bool) {
        self.init(
            name: version.name, version: version.number, reference: version.reference, text: kept.text,
            definition: PromptBody(version.definition), note: kept.note, createdBy: kept.createdBy, createdAt: kept.createdAt,
            usable: usable)
    }
}

extension PromptBody {
    init(_ definition: PromptDefinition) {
        var data = JSONObject()
        for member in definition.data {
            data[member.name] =
                switch member.datum {
                case .variable(let name): .string("{{\(name)}}")
                case .constant(let value): value
                }
        }
        self.init(
            scene: definition.scene, language: definition.language, description: definition.description,
            variables: definition.variables.map { PromptVariableBody($0) }, template: definition.template, data: .object(data),
            schema: definition.schema.map { PromptAnswerSchema(name: $0.name, schema: $0.schema) },
            maxTokens: definition.maxTokens?.text, temperature: definition.temperature)
    }
}

extension PromptVariableBody {
    init(_ variable: PromptVariable) {
        self.init(
            name: variable.name, type: variable.kind.name, required: variable.isRequired,
            description: variable.description.isEmpty ? nil : variable.description)
        switch variable.kind {
        case .text(let length): maxLength = length
        case .textList(let items, let length): (maxItems, maxLength) = (items, length)
        case .integer(let range): (minimum, maximum) = (range.lowerBound, range.upperBound)
        case .choice(let words): choices = words
        case .boolean: break
        case .object(let bytes): maxBytes = bytes
        }
    }
}

extension PromptPreview {
    init(_ prompt: RenderedPrompt, of version: PromptVersion, missing: [String] = []) {
        self.init(
            reference: version.reference,
            messages: prompt.messages.map { PromptMessage(role: $0.role.rawValue, content: $0.content) },
            stableShare: prompt.stableShare, stableBytes: prompt.stableBytes, totalBytes: prompt.totalBytes,
            estimatedTokens: prompt.messages.reduce(0) { $0 + ChatWire.estimatedTokens($1.content) },
            maxTokens: prompt.maxTokens, temperature: prompt.temperature, missing: missing.isEmpty ? nil : missing)
    }
}

extension PromptDiff {
    init(_ diff: LineDiff, from: Int, to: Int) {
        self.init(
            from: from, to: to, added: diff.added, removed: diff.removed,
            hunks: diff.hunks.map { hunk in
                PromptDiffHunk(
                    fromLine: hunk.fromLine, fromCount: hunk.fromCount, toLine: hunk.toLine, toCount: hunk.toCount,
                    lines: hunk.lines.map { PromptDiffLine(kind: $0.kind.rawValue, text: $0.text) })
            })
    }
}
