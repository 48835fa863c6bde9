import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import ServiceDefaults

/// `GET /v1/models` in OpenAI's shape: every name that the tenant may give as `model` now.
struct ModelListRoutes: Sendable {
    let holder: CatalogueHolder
    var now: @Sendable () -> Date = { Date() }

    func list(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: EmbeddingsRoutes.permission)
        return try .json(OpenAIModelList(data: holder.current(for: principal.tenantId).callable(at: now())))
    }

    func show(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: EmbeddingsRoutes.permission)
        let id = try request.parameters.string("id")
        let list = holder.current(for: principal.tenantId).callable(at: now())
        guard let model = list.first(where: { $0.id == id }) ?? list.first(where: { $0.id.lowercased() == id.lowercased() })
        else { throw ModelNotFound(name: id) }
        return try .json(model)
    }
}

extension ModelCatalogue {
    /// `auto`, then the names that hold at that instant, then `provider/name` and `name` of each model; of those providers only that can be
    /// called. A name that stands for two models is that of the first.
    func callable(at instant: Date) -> [OpenAIModel] {
        guard !providers.isEmpty else { return [] }
        let own = models.filter { provider($0.provider) != nil }
        func since(_ model: Model) -> Int {
            let prices = prices.entries.filter { $0.provider == model.provider && $0.models.contains(model.name) }
            return prices.map { Int($0.validFrom.timeIntervalSince1970) }.min() ?? 0
        }
        var list = [OpenAIModel(id: ModelNames.auto, created: 0, ownedBy: "platform")]
        for alias in aliases where self.model(named: alias.name, at: instant) != nil {
            guard provider(alias.provider) != nil, alias.holds(for: alias.name, at: instant) else { continue }
            list.append(
                OpenAIModel(id: alias.name, created: Int(alias.validFrom.timeIntervalSince1970), ownedBy: alias.provider))
        }
        for model in own {
            for name in [model.fullName, model.name] {
                list.append(OpenAIModel(id: name, created: since(model), ownedBy: model.provider))
            }
        }
        var seen: Set<String> = []
        return list.filter { seen.insert($0.id).inserted }
    }
}
