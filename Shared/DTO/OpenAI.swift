// The face that OpenAI's clients know: agent-center serves it under `/v1/…`, the gateway under `/api/openai/v1/…`. Names are OpenAI's
// (specification 2.3.0), and so are the snake_case members.

/// `GET /api/openai/v1/models/{id}`.
public struct OpenAIModel: Codable, Sendable, Equatable {
    /// What a request may give as `model`.
    public var id: String
    /// `model`.
    public var object: String
    /// Unix seconds: since when it has a price, or the name holds; 0 where nobody knows.
    public var created: Int
    /// The provider.
    public var ownedBy: String

    public init(id: String, created: Int, ownedBy: String) {
        self.id = id
        self.object = "model"
        self.created = created
        self.ownedBy = ownedBy
    }

    private enum CodingKeys: String, CodingKey {
        case id
        case object
        case created
        case ownedBy = "owned_by"
    }
}

/// `GET /api/openai/v1/models`.
public struct OpenAIModelList: Codable, Sendable, Equatable {
    /// `list`.
    public var object: String
    public var data: [OpenAIModel]

    public init(data: [OpenAIModel]) {
        self.object = "list"
        self.data = data
    }
}

/// `POST /api/openai/v1/embeddings`.
public struct EmbeddingsRequest: Codable, Sendable, Equatable {
    public var model: String
    public var input: EmbeddingsRequestInput
    /// `float` or `base64`; `float` when absent.
    public var encodingFormat: String?
    /// The model's own when absent.
    public var dimensions: Int?
    public var user: String?

    public init(
        model: String, input: EmbeddingsRequestInput, encodingFormat: String? = nil, dimensions: Int? = nil, user: String? = nil
    ) {
        self.model = model
        self.input = input
        self.encodingFormat = encodingFormat
        self.dimensions = dimensions
        self.user = user
    }

    private enum CodingKeys: String, CodingKey {
        case model
        case input
        case encodingFormat = "encoding_format"
        case dimensions
        case user
    }
}

/// One text, or several; or what a tokeniser made of one, or of several.
public enum EmbeddingsRequestInput: Codable, Sendable, Equatable {
    case text(String)
    case texts([String])
    case tokens([Int])
    case tokenLists([[Int]])

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let texts = try? container.decode([String].self) {
            self = .texts(texts)
        } else if let tokens = try? container.decode([Int].self) {
            self = .tokens(tokens)
        } else {
            self = .tokenLists(try container.decode([[Int]].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .text(let text): try text.encode(to: encoder)
        case .texts(let texts): try texts.encode(to: encoder)
        case .tokens(let tokens): try tokens.encode(to: encoder)
        case .tokenLists(let lists): try lists.encode(to: encoder)
        }
    }
}

/// The answer of `POST /api/openai/v1/embeddings`.
public struct EmbeddingsAnswer: Codable, Sendable, Equatable {
    /// `list`.
    public var object: String
    /// In the order of the inputs.
    public var data: [EmbeddingsItem]
    public var model: String
    public var usage: EmbeddingsUsage

    public init(data: [EmbeddingsItem], model: String, usage: EmbeddingsUsage) {
        self.object = "list"
        self.data = data
        self.model = model
        self.usage = usage
    }
}

/// The vector of one input.
public struct EmbeddingsItem: Codable, Sendable, Equatable {
    /// `embedding`.
    public var object: String
    public var index: Int
    public var embedding: EmbeddingsVector

    public init(index: Int, embedding: EmbeddingsVector) {
        self.object = "embedding"
        self.index = index
        self.embedding = embedding
    }
}

/// As numbers, or as little-endian float32 in base64.
public enum EmbeddingsVector: Codable, Sendable, Equatable {
    case numbers([Double])
    case base64(String)

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self = .base64(text)
        } else {
            self = .numbers(try container.decode([Double].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .numbers(let numbers): try numbers.encode(to: encoder)
        case .base64(let text): try text.encode(to: encoder)
        }
    }
}

/// What an answer of embeddings used.
public struct EmbeddingsUsage: Codable, Sendable, Equatable {
    /// Of the inputs that a model was asked for; what was known already is not billed.
    public var promptTokens: Int
    public var totalTokens: Int
    /// Inputs whose vectors were known already.
    public var cachedInputs: Int

    public init(promptTokens: Int, totalTokens: Int, cachedInputs: Int) {
        self.promptTokens = promptTokens
        self.totalTokens = totalTokens
        self.cachedInputs = cachedInputs
    }

    private enum CodingKeys: String, CodingKey {
        case promptTokens = "prompt_tokens"
        case totalTokens = "total_tokens"
        case cachedInputs = "cached_inputs"
    }
}

/// How failures look to OpenAI's clients.
public struct OpenAIErrorBody: Codable, Sendable, Equatable {
    public var error: OpenAIError

    public init(error: OpenAIError) { self.error = error }
}

public struct OpenAIError: Codable, Sendable, Equatable {
    public var message: String
    /// E.g. `invalid_request_error`.
    public var type: String
    /// The field that is at fault.
    public var param: Nullable<String>
    /// Stable, e.g. `model_not_found`.
    public var code: Nullable<String>

    public init(message: String, type: String, param: Nullable<String>, code: Nullable<String>) {
        self.message = message
        self.type = type
        self.param = param
        self.code = code
    }
}
