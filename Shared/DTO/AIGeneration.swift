public import FoundationEssentials
public import HTTPCore

// The DTOs of `POST /api/ai/generate` (seed 001 §5.1 and §10.1): the gateway relays them to agent-center.

/// One text or several, as the caller prefers.
public enum OneOrMany: Codable, Sendable, Equatable {
    case one(String)
    case many([String])

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self = .one(text)
        } else {
            self = .many(try container.decode([String].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .one(let text): try container.encode(text)
        case .many(let texts): try container.encode(texts)
        }
    }
}

/// What a text is for, in the seed's words.
public enum AIGenerateTask: String, Codable, Sendable, CaseIterable {
    case copy, title, summary, reply, embed
}

/// `POST /api/ai/generate`.
public struct AIGenerateRequest: Codable, Sendable, Equatable {
    public var task: AIGenerateTask
    /// `auto`, a model's name, or an alias such as `deepseek/chat`; `auto` when absent.
    public var model: String?
    public var input: OneOrMany
    public var params: AIGenerateParams?
    public var metadata: AIGenerateMetadata?
    /// Which prompt writes; the task's own when absent.
    public var prompt: AIGeneratePrompt?

    public init(
        task: AIGenerateTask, model: String? = nil, input: OneOrMany, params: AIGenerateParams? = nil,
        metadata: AIGenerateMetadata? = nil, prompt: AIGeneratePrompt? = nil
    ) {
        self.task = task
        self.model = model
        self.input = input
        self.params = params
        self.metadata = metadata
        self.prompt = prompt
    }
}

/// A prompt of the tenant's, or another version of the task's own.
public struct AIGeneratePrompt: Codable, Sendable, Equatable {
    /// `ai-<task>` when absent. It must take a variable `input` and ask for plain text.
    public var name: String?
    /// `production`, or the arm of a running experiment, when absent.
    public var label: String?
    /// An object: values of its further variables, by name.
    public var variables: JSONValue?
    /// Whom the text is for, in the caller's own words: the same one always gets the same arm of a running experiment. The caller itself
    /// when absent.
    public var subject: String?

    public init(name: String? = nil, label: String? = nil, variables: JSONValue? = nil, subject: String? = nil) {
        self.name = name
        self.label = label
        self.variables = variables
        self.subject = subject
    }
}

public struct AIGenerateParams: Codable, Sendable, Equatable {
    /// 0–2.
    public var temperature: Double?
    /// The most that is written for one input, in tokens; the task's own when absent.
    public var maxTokens: Int?
    /// 0–1; spelt as the seed prints it.
    public var topP: Double?

    public init(temperature: Double? = nil, maxTokens: Int? = nil, topP: Double? = nil) {
        self.temperature = temperature
        self.maxTokens = maxTokens
        self.topP = topP
    }

    enum CodingKeys: String, CodingKey {
        case temperature, maxTokens
        case topP = "top_p"
    }
}

public struct AIGenerateMetadata: Codable, Sendable, Equatable {
    /// The caller's own tenant; another one is refused.
    public var tenantId: String?
    /// Names the use for routing, budgets and reports, e.g. `douyin-title-zh`.
    public var scene: String?
    /// BCP 47; `zh` when absent.
    public var lang: String?

    public init(tenantId: String? = nil, scene: String? = nil, lang: String? = nil) {
        self.tenantId = tenantId
        self.scene = scene
        self.lang = lang
    }
}

/// Which arm of a running experiment wrote a text.
public struct AIGenerateExperiment: Codable, Sendable, Equatable {
    public var id: UUID
    public var arm: String

    public init(id: UUID, arm: String) {
        self.id = id
        self.arm = arm
    }
}

public struct AIGenerateAnswer: Codable, Sendable, Equatable {
    /// A text where the input was one, else one for each input in their order.
    public var output: OneOrMany
    /// Who wrote it; `template` where no model could.
    public var provider: String
    public var modelName: String
    public var usage: AIUsage
    public var latencyMs: Int
    /// Whether it is not the first choice's.
    public var degraded: Bool
    public var degradedReason: String?
    public var requestId: String
    /// Names the work in the usage ledger, and in the outcomes of an experiment.
    public var operationId: UUID?
    /// Where an experiment chose the prompt.
    public var experiment: AIGenerateExperiment?
    /// Of `task: embed`: one vector for each input; `output` is empty then.
    public var embeddings: [[Double]]?
    /// What compliance found in the models' texts and what became of it, by `/output` or `/output/<index>`; absent where there is nothing.
    public var findings: [ComplianceFinding]?

    public init(
        output: OneOrMany, provider: String, modelName: String, usage: AIUsage, latencyMs: Int, degraded: Bool,
        degradedReason: String? = nil, requestId: String, operationId: UUID? = nil,
        experiment: AIGenerateExperiment? = nil, embeddings: [[Double]]? = nil,
        findings: [ComplianceFinding]? = nil
    ) {
        self.output = output
        self.provider = provider
        self.modelName = modelName
        self.usage = usage
        self.latencyMs = latencyMs
        self.degraded = degraded
        self.degradedReason = degradedReason
        self.requestId = requestId
        self.operationId = operationId
        self.experiment = experiment
        self.embeddings = embeddings
        self.findings = findings
    }
}

/// What a model call used and costs.
public struct AIUsage: Codable, Sendable, Equatable {
    public var promptTokens: Int
    public var completionTokens: Int
    /// As a decimal number, for reading; `costNano` is exact.
    public var cost: Double
    /// In 1e-9 of the currency unit.
    public var costNano: String
    /// ISO 4217.
    public var currency: String

    public init(promptTokens: Int, completionTokens: Int, costNano: Int64, currency: String) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.cost = Double(costNano) / 1e9
        self.costNano = String(costNano)
        self.currency = currency
    }
}
