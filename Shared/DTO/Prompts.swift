public import FoundationEssentials
public import HTTPCore

// What agent-center serves under `/v1/prompts`, and the gateway under `/api/prompts`.

/// One line of `GET /api/prompts`.
public struct PromptSummary: Codable, Sendable, Equatable {
    public var name: String
    public var scene: String
    public var language: String
    public var description: String
    /// Whether one of this name ships with the service.
    public var isShipped: Bool
    /// The number of the tenant's newest version; 0 = it has none.
    public var latestVersion: Int
    public var labels: [PromptLabel]

    public init(
        name: String, scene: String, language: String, description: String, isShipped: Bool, latestVersion: Int,
        labels: [PromptLabel]
    ) {
        self.name = name
        self.scene = scene
        self.language = language
        self.description = description
        self.isShipped = isShipped
        self.latestVersion = latestVersion
        self.labels = labels
    }
}

/// `GET /api/prompts/{name}`.
public struct PromptDetail: Codable, Sendable, Equatable {
    public var name: String
    /// Version 0: what ships with the service, and what a tenant's version must be able to stand in for.
    public var shipped: PromptVersionView?
    /// The newest twenty.
    public var versions: [PromptVersionSummary]
    public var labels: [PromptLabel]
    /// The experiment that decides now which version is used.
    public var runningExperiment: UUID?

    public init(
        name: String, shipped: PromptVersionView?, versions: [PromptVersionSummary], labels: [PromptLabel],
        runningExperiment: UUID?
    ) {
        self.name = name
        self.shipped = shipped
        self.versions = versions
        self.labels = labels
        self.runningExperiment = runningExperiment
    }
}

public struct PromptVersionSummary: Codable, Sendable, Equatable {
    public var version: Int
    public var note: String
    public var createdBy: String
    public var createdAt: Date

    public init(version: Int, note: String, createdBy: String, createdAt: Date) {
        self.version = version
        self.note = note
        self.createdBy = createdBy
        self.createdAt = createdAt
    }
}

/// One version; it never changes.
public struct PromptVersionView: Codable, Sendable, Equatable {
    public var name: String
    /// From 1; 0 is the one that ships with the service.
    public var version: Int
    /// As ledgers and answers name it: `title@3`; of a shipped one with its revision, `title@0.3`.
    public var reference: String
    /// In the form of a prompt file.
    public var text: String
    /// The same in parts.
    public var definition: PromptBody
    public var note: String
    /// Absent for a shipped one.
    public var createdBy: String?
    public var createdAt: Date?
    /// False where the service's own prompt has changed since so that its flow could not use this version: the shipped one is used then.
    public var usable: Bool

    public init(
        name: String, version: Int, reference: String, text: String, definition: PromptBody, note: String, createdBy: String?,
        createdAt: Date?, usable: Bool
    ) {
        self.name = name
        self.version = version
        self.reference = reference
        self.text = text
        self.definition = definition
        self.note = note
        self.createdBy = createdBy
        self.createdAt = createdAt
        self.usable = usable
    }
}

/// `POST /api/prompts/{name}/versions`: either `text` or `definition`.
public struct PromptVersionDraft: Codable, Sendable, Equatable {
    /// In the form of a prompt file: front matter between `---` lines, then the template. `name` and `revision` may be left out.
    public var text: String?
    public var definition: PromptBody?
    public var note: String?

    public init(text: String? = nil, definition: PromptBody? = nil, note: String? = nil) {
        self.text = text
        self.definition = definition
        self.note = note
    }
}

/// A prompt in parts.
public struct PromptBody: Codable, Sendable, Equatable {
    public var scene: String
    /// `zh` or `en`.
    public var language: String
    public var description: String
    public var variables: [PromptVariableBody]
    /// What the model is told to do. `{{name}}` stands for an integer, a choice or a boolean; free text never stands in it.
    public var template: String
    /// An object; `"{{name}}"` stands for a variable's value. Absent: every variable that the template does not name.
    public var data: JSONValue?
    /// Absent: the answer is plain text.
    public var schema: PromptAnswerSchema?
    /// A number or a sum over integer variables, e.g. `200 + count * 40`.
    public var maxTokens: String?
    public var temperature: Double?

    public init(
        scene: String, language: String, description: String, variables: [PromptVariableBody], template: String,
        data: JSONValue? = nil, schema: PromptAnswerSchema? = nil, maxTokens: String? = nil, temperature: Double? = nil
    ) {
        self.scene = scene
        self.language = language
        self.description = description
        self.variables = variables
        self.template = template
        self.data = data
        self.schema = schema
        self.maxTokens = maxTokens
        self.temperature = temperature
    }
}

public struct PromptVariableBody: Codable, Sendable, Equatable {
    public var name: String
    /// `text`, `textList`, `integer`, `choice`, `boolean` or `object`.
    public var type: String
    public var required: Bool?
    public var description: String?
    /// Of `text` and of each item of a `textList`, in characters.
    public var maxLength: Int?
    /// Of a `textList`.
    public var maxItems: Int?
    /// Of an `integer`, as `maximum`.
    public var minimum: Int?
    public var maximum: Int?
    /// Of a `choice`.
    public var choices: [String]?
    /// Of an `object`, as JSON text.
    public var maxBytes: Int?

    public init(
        name: String, type: String, required: Bool? = nil, description: String? = nil, maxLength: Int? = nil,
        maxItems: Int? = nil, minimum: Int? = nil, maximum: Int? = nil, choices: [String]? = nil, maxBytes: Int? = nil
    ) {
        self.name = name
        self.type = type
        self.required = required
        self.description = description
        self.maxLength = maxLength
        self.maxItems = maxItems
        self.minimum = minimum
        self.maximum = maximum
        self.choices = choices
        self.maxBytes = maxBytes
    }
}

/// A JSON Schema as strict vendors want it: every object closed, every property required.
public struct PromptAnswerSchema: Codable, Sendable, Equatable {
    public var name: String
    public var schema: JSONValue

    public init(name: String, schema: JSONValue) {
        self.name = name
        self.schema = schema
    }
}

/// A name that leads to a version, and can be moved.
public struct PromptLabel: Codable, Sendable, Equatable {
    public var label: String
    /// 0 = the one that ships with the service.
    public var version: Int
    /// Counts the moves; the label's `ETag`.
    public var revision: Int
    /// Absent while the label has never been moved.
    public var updatedBy: String?
    public var updatedAt: Date?

    public init(label: String, version: Int, revision: Int, updatedBy: String? = nil, updatedAt: Date? = nil) {
        self.label = label
        self.version = version
        self.revision = revision
        self.updatedBy = updatedBy
        self.updatedAt = updatedAt
    }
}

/// `PUT /api/prompts/{name}/labels/{label}`.
public struct PromptLabelChange: Codable, Sendable, Equatable {
    public var version: Int
    /// Where the label stands now, as the caller believes; instead of `If-Match`.
    public var expectedVersion: Int?

    public init(version: Int, expectedVersion: Int? = nil) {
        self.version = version
        self.expectedVersion = expectedVersion
    }
}

/// `POST /api/prompts/{name}/rollback`.
public struct PromptRollback: Codable, Sendable, Equatable {
    /// Where `production` stands now, as the caller believes.
    public var expectedVersion: Int?

    public init(expectedVersion: Int? = nil) { self.expectedVersion = expectedVersion }
}

/// One entry of a label's history.
public struct PromptLabelMove: Codable, Sendable, Equatable {
    public var revision: Int
    /// `moved`, `rolled_back` or `deleted`.
    public var kind: String
    /// Absent where the label led nowhere.
    public var from: Int?
    public var to: Int?
    public var movedBy: String
    public var movedAt: Date

    public init(revision: Int, kind: String, from: Int?, to: Int?, movedBy: String, movedAt: Date) {
        self.revision = revision
        self.kind = kind
        self.from = from
        self.to = to
        self.movedBy = movedBy
        self.movedAt = movedAt
    }
}

/// `GET /api/prompts/{name}/diff`: the two texts, line by line.
public struct PromptDiff: Codable, Sendable, Equatable {
    public var from: Int
    public var to: Int
    /// Lines.
    public var added: Int
    public var removed: Int
    public var hunks: [PromptDiffHunk]

    public init(from: Int, to: Int, added: Int, removed: Int, hunks: [PromptDiffHunk]) {
        self.from = from
        self.to = to
        self.added = added
        self.removed = removed
        self.hunks = hunks
    }
}

/// A change with the lines around it; lines are counted from 1.
public struct PromptDiffHunk: Codable, Sendable, Equatable {
    public var fromLine: Int
    public var fromCount: Int
    public var toLine: Int
    public var toCount: Int
    public var lines: [PromptDiffLine]

    public init(fromLine: Int, fromCount: Int, toLine: Int, toCount: Int, lines: [PromptDiffLine]) {
        self.fromLine = fromLine
        self.fromCount = fromCount
        self.toLine = toLine
        self.toCount = toCount
        self.lines = lines
    }
}

public struct PromptDiffLine: Codable, Sendable, Equatable {
    /// `context`, `removed` or `added`.
    public var kind: String
    public var text: String

    public init(kind: String, text: String) {
        self.kind = kind
        self.text = text
    }
}

/// `POST /api/prompts/{name}/versions/{version}/preview`.
public struct PromptPreviewRequest: Codable, Sendable, Equatable {
    /// By the names of the variables.
    public var values: JSONValue?

    public init(values: JSONValue? = nil) { self.values = values }
}

/// What a model would be sent.
public struct PromptPreview: Codable, Sendable, Equatable {
    public var reference: String
    public var messages: [PromptMessage]
    /// The part of the bytes that vendors' prefix caches can keep, 0–1.
    public var stableShare: Double
    public var stableBytes: Int
    public var totalBytes: Int
    /// Of the messages; a rough count, since every model has its own.
    public var estimatedTokens: Int
    /// How many tokens the answer may take.
    public var maxTokens: Int?
    public var temperature: Double?
    /// Variables that the text names and that got no value: each leaves a hole in it. Absent where there is none.
    public var missing: [String]?

    public init(
        reference: String, messages: [PromptMessage], stableShare: Double, stableBytes: Int, totalBytes: Int,
        estimatedTokens: Int, maxTokens: Int?, temperature: Double?, missing: [String]? = nil
    ) {
        self.reference = reference
        self.messages = messages
        self.stableShare = stableShare
        self.stableBytes = stableBytes
        self.totalBytes = totalBytes
        self.estimatedTokens = estimatedTokens
        self.maxTokens = maxTokens
        self.temperature = temperature
        self.missing = missing
    }
}

public struct PromptMessage: Codable, Sendable, Equatable {
    /// `instructions` or `user`.
    public var role: String
    public var content: String

    public init(role: String, content: String) {
        self.role = role
        self.content = content
    }
}
