import ConcurrencySupport
import FoundationEssentials
import Observability

/// What a text is for. The seed's five (001 §5.1), and the flows' own.
enum AITask: String, Sendable, Codable, CaseIterable {
    case title
    case copy
    case summary
    case reply
    case embed
    case imageText = "image_text"
    case videoScript = "video_script"
    /// A raw conversation over OpenAI's own face.
    case chat
}

/// What a model can do beyond plain text.
enum ModelCapability: String, Sendable, Codable, CaseIterable {
    /// `response_format: json_schema`, strict.
    case jsonSchema = "json_schema"
    /// `response_format: json_object`.
    case jsonObject = "json_object"
    case tools
    case vision
    case embeddings
    /// An embedding model that gives vectors of the length that it is asked for.
    case dimensions
    case thinking

    /// The rest of the ladder does without these; a model that lacks any other one cannot answer at all.
    var isIndispensable: Bool { self != .jsonSchema && self != .jsonObject }
}

/// One piece of model work: for whom, for what, and within which time. Routing, budgets and the ledger all look at this.
struct ModelCall: Sendable {
    var tenantId: UUID
    /// A user's id or `client:<id>`, as the signed context says it.
    var subject: String
    var operationId: UUID
    /// What the operation asks of this service, e.g. `titles`, `copy:douyin`.
    var step: String
    /// The flow's name (design §2).
    var flow: String
    var task: AITask
    /// Names the use for routing, budgets and reports, e.g. `douyin-title-zh`.
    var scene: String
    /// BCP 47, lower case; what the text is to be written in.
    var language = "zh"
    /// `auto`, a model's name, or an alias.
    var model = ModelNames.auto
    var needs: Set<ModelCapability> = []
    /// Members of the request that only some vendors take, and that mean something to whoever wrote them, e.g. `seed`.
    var parameters: Set<String> = []
    /// How many texts are asked for: as many calls of a budget.
    var texts = 1
    /// The API key that was used, where the subject does not say it.
    var apiKeyId: UUID?
    /// After this instant nobody waits for the answer.
    var deadline: Deadline

    /// The API key that budgets and ledger count the work to: whoever signed in with one is its `client:<id>`.
    var usedKeyId: UUID? {
        if let apiKeyId { return apiKeyId }
        let prefix = "client:"
        return subject.hasPrefix(prefix) ? UUID(text: String(subject.dropFirst(prefix.count))) : nil
    }

    var ledgerKey: LedgerKey { LedgerKey(tenantId: tenantId, operationId: operationId, step: step) }
}

/// Money that was set aside for a call. Budgets hand them out; the ladder asks for more before an attempt that it does not pay for.
protocol BudgetTicket: Sendable {
    /// Sets aside `nano` (1e-9 of the currency unit) more.
    ///
    /// - Returns: `false` where a budget does not hold that much: no further attempt may be made.
    func extend(by nano: Int64) async throws -> Bool
}

/// For work that no budget limits.
struct UnlimitedTicket: BudgetTicket {
    func extend(by nano: Int64) async throws -> Bool { true }
}

/// What a streamed call tells its caller, in order. After `done` nothing follows; a failure is thrown.
enum GenerationEvent: Sendable, Equatable {
    /// A model begins to answer; deltas follow.
    case begun(provider: String, modelName: String)
    case delta(String)
    /// A piece of what the model thinks before it speaks; raw conversations only.
    case thought(String)
    /// What was sent so far is void: it is written again from the start. In Chinese, why.
    case restart(String)
    case usage(ChatUsage, costNano: Int64)
    case done(Done)

    struct Done: Sendable, Equatable {
        var finishReason: String
        var provider: String
        var modelName: String
        var isDegraded: Bool
        var reason: String?
    }
}

/// Who reads an answer while it is being written.
struct GenerationListener: Sendable {
    /// Whether it can be told that what it has read is void. If not, an answer that broke off after its first words has failed.
    let takesRestarts: Bool
    /// Throws when nobody reads any more.
    let send: @Sendable (GenerationEvent) async throws -> Void
}
