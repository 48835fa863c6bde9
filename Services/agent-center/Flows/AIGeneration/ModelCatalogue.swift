import ConcurrencySupport
import ConfigReading
import FoundationEssentials

/// Providers, models, their other names, prices and routing policies, as data.
struct ModelCatalogue: Sendable {
    struct Provider: Sendable {
        let name: String
        let dialect: ChatProfile.Vendor
        /// Without a slash at its end, e.g. `https://api.deepseek.com`.
        let baseURL: String
        /// A local server may want any.
        let key: Secret
        /// The tenant whose own key it is.
        var ownedBy: UUID?
    }

    struct Model: Sendable, Equatable {
        let provider: String
        let name: String
        let capabilities: Set<ModelCapability>
        /// Prompt and answer together, in tokens.
        let contextTokens: Int
        /// Of embedding models: the length of a vector when the caller asks for none.
        var dimensions: Int?

        var fullName: String { "\(provider)/\(name)" }
    }

    /// Another name for a model, for as long as it holds: vendors retire names and give them to other models.
    struct Alias: Sendable, Equatable {
        /// `nil`: the service came with it.
        var id: UUID?
        let name: String
        let provider: String
        let model: String
        let validFrom: Date
        /// First instant at which the name no longer holds; `nil` = open.
        var validUntil: Date?
        /// Who asks a raw conversation of it wants the model to think first.
        var thinks = false

        func holds(for name: String, at instant: Date) -> Bool {
            self.name == name && validFrom <= instant && validUntil.map { instant < $0 } ?? true
        }
    }

    /// Only those that can be called: a provider without key and base URL is not among them.
    var providers: [Provider]
    var models: [Model]
    var aliases: [Alias]
    var prices: PriceTable
    /// The most specific one that fits a call decides; see ``RoutingPolicy``.
    var policies: [RoutingPolicy]
    /// Providers that somebody has named, whether or not they can be called now.
    var dormant: Set<String> = []

    var heardOf: Set<String> { dormant.union(providers.map(\.name)) }

    func provider(_ name: String) -> Provider? { providers.first { $0.name == name } }

    func model(_ name: String, of provider: String) -> Model? {
        models.first { $0.provider == provider && $0.name == name }
    }

    /// What a caller means by a name.
    struct Meaning: Sendable, Equatable {
        let model: Model
        var thinks = false
    }

    /// The model that a caller means by `name`; see ``meaning(of:at:)``.
    func model(named name: String, at instant: Date) -> Model? { meaning(of: name, at: instant)?.model }

    /// What a caller means by `name` (`gpt-4o-mini`, `openai/gpt-4o-mini`, `deepseek/chat`), whatever its letters' case; `nil` if the name
    /// says nothing at that instant.
    ///
    /// First the names that administrators have given: so a model's own name can be moved to its successor from a date on. Then models. Then
    /// the names that the service came with, which shall not stand before a model that somebody has added. What a name leads to is looked
    /// up as a model only, so names cannot form a circle; one that leads nowhere counts as none.
    func meaning(of name: String, at instant: Date) -> Meaning? {
        let lower = name.lowercased()
        let holding = aliases.filter { $0.holds(for: lower, at: instant) }
        return meaning(of: holding.filter { $0.id != nil }) ?? ownModel(name, lower).map { Meaning(model: $0) }
            ?? meaning(of: holding.filter { $0.id == nil })
    }

    /// The later of several names counts.
    private func meaning(of aliases: [Alias]) -> Meaning? {
        aliases.max { $0.validFrom < $1.validFrom }.flatMap { alias in
            model(alias.model, of: alias.provider).map { Meaning(model: $0, thinks: alias.thinks) }
        }
    }

    /// By its own name. The full name goes before the bare one, which may hold slashes itself (`deepseek-ai/DeepSeek-V3`); of several, one that
    /// can be called.
    private func ownModel(_ name: String, _ lower: String) -> Model? {
        for isMeant: (Model) -> Bool in [
            { $0.fullName == name }, { $0.name == name }, { $0.fullName.lowercased() == lower },
            { $0.name.lowercased() == lower },
        ] {
            let meant = models.filter(isMeant)
            if let model = meant.first(where: { provider($0.provider) != nil }) ?? meant.first { return model }
        }
        return nil
    }
}

/// Which models answer which calls, in which order. Seed 001 §5.2: by tenant and scene.
struct RoutingPolicy: Sendable, Equatable {
    /// `nil` = every tenant's.
    var tenantId: UUID?
    /// `nil` = every scene's.
    var scene: String?
    var routes: [Route]

    struct Route: Sendable, Equatable {
        var provider: String
        var model: String
        /// Lower is asked earlier.
        var rank = 0
        /// How often this one is asked first among those of its rank, in proportion.
        var weight = 1
        var when = Condition()
        var concurrency = 64
        var timeouts: RouteTimeouts = .standard
    }

    /// All that are set must hold.
    struct Condition: Sendable, Equatable {
        /// BCP 47 prefixes, in whatever letters' case: `zh` holds for `zh-TW`.
        var languages: Set<String> = []
        var tasks: Set<AITask> = []
        /// The call needs at least one of these.
        var needs: Set<ModelCapability> = []
        /// The larger of the prompt's characters and the tokens asked for.
        var minLength: Int?
        var maxLength: Int?

        func holds(for call: ModelCall, length: Int) -> Bool {
            let language = call.language.lowercased()
            guard
                languages.isEmpty
                    || languages.contains(where: { language == $0.lowercased() || language.hasPrefix($0.lowercased() + "-") })
            else { return false }
            guard tasks.isEmpty || tasks.contains(call.task) else { return false }
            guard needs.isEmpty || !needs.isDisjoint(with: call.needs) else { return false }
            return length >= minLength ?? 0 && length <= maxLength ?? .max
        }
    }

    /// How closely it fits the call; `nil` if it is not for it. A tenant's own outweighs a scene's.
    func fit(_ call: ModelCall) -> Int? {
        guard tenantId == nil || tenantId == call.tenantId, scene == nil || scene == call.scene else { return nil }
        return (tenantId == nil ? 0 : 2) + (scene == nil ? 0 : 1)
    }
}

/// How long each stage of a model call may take.
struct RouteTimeouts: Sendable, Hashable {
    var connect: Duration
    /// Until the first token of a stream (keep-alive comments do not count), or the first byte of a whole answer.
    var firstToken: Duration
    /// Between two pieces of the answer.
    var idle: Duration
    /// All of it; the caller's deadline may be earlier.
    var total: Duration

    static let standard = RouteTimeouts(connect: .seconds(2), firstToken: .seconds(10), idle: .seconds(10), total: .seconds(120))
}

/// Where the engine looks the catalogue up. Replaced as a whole when its source has changed.
final class CatalogueHolder: Sendable {
    private struct State {
        var common: ModelCatalogue
        var ofTenants: [UUID: ModelCatalogue] = [:]
    }

    private let state: Lock<State>

    init(_ catalogue: ModelCatalogue) { state = Lock(State(common: catalogue)) }

    /// The common one, or the tenant's with its own keys and policies.
    func current(for tenantId: UUID) -> ModelCatalogue {
        state.withLock { $0.ofTenants[tenantId] ?? $0.common }
    }

    /// What all tenants see who have none of their own.
    var common: ModelCatalogue { state.withLock { $0.common } }

    func replace(_ common: ModelCatalogue, ofTenants: [UUID: ModelCatalogue] = [:]) {
        state.withLock { $0 = State(common: common, ofTenants: ofTenants) }
    }
}
