public import FoundationEssentials

// What agent-center serves under `/v1/ai/catalogue` and beside it, and the gateway under `/api/ai/…`.

/// `GET /api/ai/catalogue`: what the tenant's model calls choose from.
public struct ModelCatalogueView: Codable, Sendable, Equatable {
    public var providers: [ModelProvider]
    public var models: [CatalogueModel]
    public var aliases: [ModelAlias]
    public var prices: [ModelPrice]
    /// The platform's for every scene, and the tenant's own.
    public var policies: [RoutingPolicyView]

    public init(
        providers: [ModelProvider], models: [CatalogueModel], aliases: [ModelAlias], prices: [ModelPrice],
        policies: [RoutingPolicyView]
    ) {
        self.providers = providers
        self.models = models
        self.aliases = aliases
        self.prices = prices
        self.policies = policies
    }
}

/// A vendor, or a server that speaks its dialect.
public struct ModelProvider: Codable, Sendable, Equatable {
    public var name: String
    /// `openai`, `deepseek`, or `compatible` for other houses' servers.
    public var dialect: String
    public var baseUrl: String
    /// Whether calls use the tenant's own key.
    public var usesTenantKey: Bool

    public init(name: String, dialect: String, baseUrl: String, usesTenantKey: Bool) {
        self.name = name
        self.dialect = dialect
        self.baseUrl = baseUrl
        self.usesTenantKey = usesTenantKey
    }
}

/// `PUT /api/ai/providers/{name}`.
public struct ModelProviderSetting: Codable, Sendable, Equatable {
    public var dialect: String
    public var baseUrl: String
    /// Kept as it was when absent.
    public var key: String?
    /// A provider that is switched off is not asked; on when absent.
    public var enabled: Bool?

    public init(dialect: String, baseUrl: String, key: String? = nil, enabled: Bool? = nil) {
        self.dialect = dialect
        self.baseUrl = baseUrl
        self.key = key
        self.enabled = enabled
    }
}

/// `PUT /api/ai/providers/{name}/key`: the tenant's own key for a provider.
public struct ProviderKeySetting: Codable, Sendable, Equatable {
    public var key: String

    public init(key: String) { self.key = key }
}

public struct CatalogueModel: Codable, Sendable, Equatable {
    public var provider: String
    public var name: String
    /// `json_schema`, `json_object`, `tools`, `vision`, `embeddings`, `thinking`.
    public var capabilities: [String]
    /// Prompt and answer together, in tokens.
    public var contextTokens: Int
    /// Of embedding models.
    public var dimensions: Int?
    /// Whether a price holds for it now, be it 0. Without one it cannot be asked where a budget limits money.
    public var hasPrice: Bool

    public init(
        provider: String, name: String, capabilities: [String], contextTokens: Int, dimensions: Int? = nil, hasPrice: Bool
    ) {
        self.provider = provider
        self.name = name
        self.capabilities = capabilities
        self.contextTokens = contextTokens
        self.dimensions = dimensions
        self.hasPrice = hasPrice
    }
}

/// `PUT /api/ai/models/{provider}/{name}`.
public struct CatalogueModelSetting: Codable, Sendable, Equatable {
    public var capabilities: [String]
    public var contextTokens: Int
    public var dimensions: Int?
    /// A model that is switched off is not asked; on when absent.
    public var enabled: Bool?

    public init(capabilities: [String], contextTokens: Int, dimensions: Int? = nil, enabled: Bool? = nil) {
        self.capabilities = capabilities
        self.contextTokens = contextTokens
        self.dimensions = dimensions
        self.enabled = enabled
    }
}

/// Another name for a model, for as long as it holds.
public struct ModelAlias: Codable, Sendable, Equatable {
    /// Absent: the service came with it, and it cannot be ended.
    public var id: UUID?
    public var name: String
    public var provider: String
    public var model: String
    public var validFrom: Date
    /// First instant at which the name no longer holds.
    public var validUntil: Date?
    /// Whether raw conversations with it begin with the model's thoughts.
    public var thinks: Bool

    public init(
        id: UUID? = nil, name: String, provider: String, model: String, validFrom: Date, validUntil: Date? = nil, thinks: Bool
    ) {
        self.id = id
        self.name = name
        self.provider = provider
        self.model = model
        self.validFrom = validFrom
        self.validUntil = validUntil
        self.thinks = thinks
    }
}

/// `POST /api/ai/aliases`.
public struct NewModelAlias: Codable, Sendable, Equatable {
    public var name: String
    public var provider: String
    public var model: String
    public var validFrom: Date
    public var validUntil: Date?
    /// `false` when absent.
    public var thinks: Bool?

    public init(
        name: String, provider: String, model: String, validFrom: Date, validUntil: Date? = nil, thinks: Bool? = nil
    ) {
        self.name = name
        self.provider = provider
        self.model = model
        self.validFrom = validFrom
        self.validUntil = validUntil
        self.thinks = thinks
    }
}

/// What a model's tokens cost from an instant on; also the body of `POST /api/ai/prices`.
public struct ModelPrice: Codable, Sendable, Equatable {
    public var provider: String
    public var model: String
    public var validFrom: Date
    public var rates: TokenRates
    /// In the vendor's busy hours, where they cost more.
    public var peakRates: TokenRates?
    /// When these are; with `peakRates` only.
    public var peakHours: PeakHours?
    /// Where the figures come from.
    public var source: String

    public init(
        provider: String, model: String, validFrom: Date, rates: TokenRates, peakRates: TokenRates? = nil,
        peakHours: PeakHours? = nil, source: String
    ) {
        self.provider = provider
        self.model = model
        self.validFrom = validFrom
        self.rates = rates
        self.peakRates = peakRates
        self.peakHours = peakHours
        self.source = source
    }
}

/// A vendor's busy hours: wall time in a zone.
public struct PeakHours: Codable, Sendable, Equatable {
    /// IANA.
    public var zone: String
    /// `mon` … `sun`.
    public var days: [String]
    public var ranges: [PeakRange]
    /// Days that are not busy all the same, such as public holidays: `YYYY-MM-DD`.
    public var except: [String]?

    public init(zone: String, days: [String], ranges: [PeakRange], except: [String]? = nil) {
        self.zone = zone
        self.days = days
        self.ranges = ranges
        self.except = except
    }
}

/// A part of a day, `HH:MM` up to `24:00`.
public struct PeakRange: Codable, Sendable, Equatable {
    public var from: String
    /// Exclusive.
    public var until: String

    public init(from: String, until: String) {
        self.from = from
        self.until = until
    }
}

/// In 1e-9 of the ledger's currency per token, as decimal strings: 0.15 USD per million is `150`.
public struct TokenRates: Codable, Sendable, Equatable {
    public var promptNano: String
    /// For the part of the prompt that the vendor had in its cache.
    public var cachedPromptNano: String
    public var completionNano: String
    /// Per picture.
    public var imageNano: String?

    public init(promptNano: String, cachedPromptNano: String, completionNano: String, imageNano: String? = nil) {
        self.promptNano = promptNano
        self.cachedPromptNano = cachedPromptNano
        self.completionNano = completionNano
        self.imageNano = imageNano
    }
}

/// Which models answer a scene's calls.
public struct RoutingPolicyView: Codable, Sendable, Equatable {
    /// `*` = every scene.
    public var scene: String
    /// Whether it is the tenant's own, which outweighs the platform's.
    public var isOwn: Bool
    public var routes: [RouteSetting]

    public init(scene: String, isOwn: Bool, routes: [RouteSetting]) {
        self.scene = scene
        self.isOwn = isOwn
        self.routes = routes
    }
}

/// `PUT /api/ai/policies/{scene}`.
public struct RoutingPolicySetting: Codable, Sendable, Equatable {
    public var routes: [RouteSetting]

    public init(routes: [RouteSetting]) { self.routes = routes }
}

/// One route of a policy. What is left out takes the service's usual value; answers show every value.
public struct RouteSetting: Codable, Sendable, Equatable {
    public var provider: String
    public var model: String
    /// Lower is asked earlier; 0 when absent.
    public var rank: Int?
    /// How often this one is asked first among those of its rank, in proportion; 1 when absent.
    public var weight: Int?
    /// All conditions that are given must hold. BCP 47 prefixes.
    public var languages: [String]?
    public var tasks: [String]?
    /// The call needs at least one of these.
    public var needs: [String]?
    /// The larger of the prompt's characters and the tokens asked for.
    public var minLength: Int?
    public var maxLength: Int?
    /// Calls at a time, in each process.
    public var concurrency: Int?
    public var connectTimeoutMs: Int?
    public var firstTokenTimeoutMs: Int?
    public var idleTimeoutMs: Int?
    public var totalTimeoutMs: Int?

    public init(
        provider: String, model: String, rank: Int? = nil, weight: Int? = nil, languages: [String]? = nil, tasks: [String]? = nil,
        needs: [String]? = nil, minLength: Int? = nil, maxLength: Int? = nil, concurrency: Int? = nil,
        connectTimeoutMs: Int? = nil, firstTokenTimeoutMs: Int? = nil, idleTimeoutMs: Int? = nil, totalTimeoutMs: Int? = nil
    ) {
        self.provider = provider
        self.model = model
        self.rank = rank
        self.weight = weight
        self.languages = languages
        self.tasks = tasks
        self.needs = needs
        self.minLength = minLength
        self.maxLength = maxLength
        self.concurrency = concurrency
        self.connectTimeoutMs = connectTimeoutMs
        self.firstTokenTimeoutMs = firstTokenTimeoutMs
        self.idleTimeoutMs = idleTimeoutMs
        self.totalTimeoutMs = totalTimeoutMs
    }
}
