import HTTPCore

/// One question to a chat model, in no vendor's dialect.
struct ChatRequest: Sendable {
    struct Message: Sendable, Equatable {
        enum Role: String, Sendable {
            /// What we say: rules and the form of the answer. On the wire `system` or `developer`.
            case instructions
            /// What a customer or the caller says: data, never rules.
            case user
            case assistant
        }
        let role: Role
        let content: String
    }

    /// Stable parts first: vendors keep prefixes that begin alike.
    var messages: [Message]
    /// The most that the model may write, in tokens.
    var maxTokens: Int
    /// 0–2; the vendor's default when absent, and not sent to models that refuse it.
    var temperature: Double?
    var topP: Double?
    /// The JSON the answer must be; `nil` for plain text. Sent as a strict schema where the vendor takes one.
    var answerSchema: AnswerSchema?
    /// Names the end customer to the vendor without saying who it is: it separates caches and safety records.
    var customer: String?
}

/// A JSON Schema with a name, as strict vendors want it: `additionalProperties` false, every property required.
struct AnswerSchema: Sendable {
    /// Letters, digits, `_`, `-`; at most 64.
    let name: String
    let schema: JSONValue
}

/// A whole answer of a chat model.
struct ChatAnswer: Sendable, Equatable {
    /// Not blank.
    var content: String
    /// The model that the vendor says has answered; often a dated snapshot of the one asked for.
    var model: String
    var usage: ChatUsage
}

struct ChatUsage: Sendable, Equatable {
    var promptTokens: Int
    /// Part of `promptTokens` that the vendor had in its cache.
    var cachedPromptTokens: Int
    /// Hidden reasoning included.
    var completionTokens: Int
    /// The vendor said nothing, so it was counted here.
    var isEstimated: Bool

    static let none = ChatUsage(promptTokens: 0, cachedPromptTokens: 0, completionTokens: 0, isEstimated: false)
}

/// Why a call gave no answer, and what that means for the next step.
struct ChatFailure: Error, Sendable, Equatable {
    enum Kind: String, Sendable, CaseIterable {
        case badRequest = "bad_request"
        case contextLength = "context_length"
        /// The vendor refuses the content. Never offered to another model.
        case policy
        case authentication
        case balance
        case forbidden
        case modelNotFound = "model_not_found"
        case rateLimited = "rate_limited"
        case conflict
        case serverError = "server_error"
        case overloaded
        case connection
        case timeout
        /// The answer ended before it was complete.
        case truncated
        /// 200 with nothing but white space in it.
        case blank
        /// Cut off at the token limit.
        case length
        case unknownFinish = "unknown_finish"
        case malformed
        /// Not tried: the route's circuit is open.
        case circuitOpen = "circuit_open"
        /// Not tried: no place among the route's concurrent calls became free in time.
        case saturated
    }

    enum Reaction: Sendable, Equatable {
        /// The same route may answer a second try; `after` is the vendor's own hint.
        case retry(after: Duration?)
        case nextRoute
        /// No other model may or can do better.
        case stop
    }

    enum Circuit: Sendable {
        /// Says nothing about the route's health.
        case ignore
        case count
        /// Waiting will not help soon (key, money, model): no more calls for a while.
        case open
    }

    var kind: Kind
    var reaction: Reaction
    var circuit: Circuit
    /// The HTTP status, if there was one.
    var status: Int?
    /// For the log and the ledger; English; never shown to customers.
    var message: String
    /// What was used up all the same; the vendor bills it.
    var usage: ChatUsage?

    init(
        _ kind: Kind, _ reaction: Reaction, _ circuit: Circuit, status: Int? = nil, message: String, usage: ChatUsage? = nil
    ) {
        self.kind = kind
        self.reaction = reaction
        self.circuit = circuit
        self.status = status
        self.message = message
        self.usage = usage
    }
}

/// A model that can be asked. Vendors' clients are such; tests script their own.
protocol ChatModel: Sendable {
    /// - Throws: ``ChatFailure``, or `CancellationError` when the task was cancelled.
    func answer(_ request: ChatRequest, within budget: Duration) async throws -> ChatAnswer
}
