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
            /// What came of a tool call that the assistant asked for.
            case tool
        }
        let role: Role
        /// All of its text.
        let content: String
        /// A message of the caller's own, with all its members; only the name of the instructions' role is the vendor's affair.
        var raw: JSONObject?
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
    /// How the model is held to `answerSchema`; see ``adapted(to:)``.
    var form = AnswerForm.schema
    /// Any JSON object will do as an answer.
    var wantsObject = false
    /// What the model may call, as the caller wrote it; with `toolChoice` and `parallelToolCalls` beside it.
    var tools: [JSONValue] = []
    var toolChoice: JSONValue?
    var parallelToolCalls: Bool?
    /// The model stops before it writes one of these.
    var stop: [String] = []
    /// Further members for vendors that take them, e.g. `seed`.
    var extras = JSONObject()
    /// The model shall think before it answers, and a reader is shown its thoughts while they come.
    var thinks = false
    /// How hard, in OpenAI's words (``ConversationInput/efforts``); `none` where the caller wants no thinking.
    var effort: String?
    /// The caller holds the conversation: an answer that ended at its own token limit, was filtered or refused is the caller's to read,
    /// since its finish reason says so.
    var isRelayed = false
    /// Bytes that stand in no message's text and are read all the same: tools, schemas, calls of tools.
    var bytesBesideText = 0
    var pictures = 0
}

/// How a model is held to the form of its answer, from the strictest on.
enum AnswerForm: String, Sendable {
    /// The vendor sees to it.
    case schema = "native"
    /// The vendor sees to it that it is JSON; the schema stands in the instructions.
    case object = "json_object"
    /// All stands in the instructions.
    case told
}

/// A JSON Schema with a name, as strict vendors want it: `additionalProperties` false, every property required.
struct AnswerSchema: Sendable {
    /// Letters, digits, `_`, `-`; at most 64.
    let name: String
    let schema: JSONValue
    /// Whether the answer must fit the schema, and not only be JSON.
    var isStrict = true
}

/// A whole answer of a chat model.
struct ChatAnswer: Sendable, Equatable {
    struct ToolCall: Sendable, Equatable {
        var id: String
        var name: String
        /// JSON text, as the model wrote it.
        var arguments: String
    }

    /// Not blank, unless tools are called or a relayed answer says why it is.
    var content: String
    /// The model that the vendor says has answered; often a dated snapshot of the one asked for.
    var model: String
    var usage: ChatUsage
    /// `stop`, `tool_calls`; of a relayed answer also `length` and `content_filter`.
    var finish = "stop"
    var toolCalls: [ToolCall] = []
    /// A relayed answer's refusal.
    var refusal: String?
    /// What a relayed answer's model thought before it spoke, where the vendor tells it.
    var thoughts: String?
    /// From the request to the first token; `nil` for an answer that came in one piece.
    var firstToken: Duration?
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
        /// The vendor does not take this `response_format`; a less strict form may do.
        case unsupportedForm = "unsupported_form"
        /// Not tried: the route's circuit is open.
        case circuitOpen = "circuit_open"
        /// Not tried: no place among the route's concurrent calls became free in time.
        case saturated

        /// Whether the vendor was not asked.
        var isUnsent: Bool { self == .circuitOpen || self == .saturated }
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
    /// Of a circuit that is open: what opened it.
    var cause: Kind?

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

/// Nobody waits for the answer any more. What had been written until then is paid all the same.
struct ChatAbandoned: Error, Sendable {
    /// Counted here: the vendor had no time to say. `nil` where it had not been asked.
    var usage: ChatUsage?
}

/// A piece of an answer that is being written.
struct ChatDelta: Sendable, Equatable {
    var text: String
    /// What was thought before the text.
    var thoughts = ""
    /// The model that the vendor says is answering.
    var model: String
}

/// A model that can be asked. Vendors' clients are such; tests script their own.
protocol ChatModel: Sendable {
    /// - Throws: ``ChatFailure``; ``ChatAbandoned`` or `CancellationError` when the task was cancelled.
    func answer(_ request: ChatRequest, within budget: Duration) async throws -> ChatAnswer

    /// The same, handing on the text while it comes; white space at its beginning waits for what follows.
    ///
    /// - Parameter deliver: if it throws, nobody waits any more.
    func stream(
        _ request: ChatRequest, within budget: Duration, to deliver: @escaping @Sendable (ChatDelta) async throws -> Void
    ) async throws -> ChatAnswer
}

extension ChatModel {
    /// For models that know whole answers only.
    func stream(
        _ request: ChatRequest, within budget: Duration, to deliver: @escaping @Sendable (ChatDelta) async throws -> Void
    ) async throws -> ChatAnswer {
        let answer = try await answer(request, within: budget)
        guard !answer.content.isEmpty else { return answer }
        do {
            try await deliver(ChatDelta(text: answer.content, model: answer.model))
        } catch {
            throw ChatAbandoned(usage: answer.usage)
        }
        return answer
    }
}
