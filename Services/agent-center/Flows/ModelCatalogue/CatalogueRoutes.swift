import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import ServiceDefaults

/// Providers, models, names, prices and policies as data. What belongs to the platform only its own administrators change; a tenant's
/// administrators set the tenant's keys and policies.
struct CatalogueRoutes: Sendable {
    static let read = "ai:usage"
    static let write = "ai:admin"
    private static let platformRole = "system_admin"

    let desk: CatalogueDesk

    /// `GET /v1/ai/catalogue`
    func show(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        try await desk.refresh()
        return try .json(
            .ok, ModelCatalogueView(desk.holder.current(for: principal.tenantId), tenantId: principal.tenantId))
    }

    // MARK: The platform's

    /// `PUT /v1/ai/providers/{name}`
    func putProvider(_ request: Request) async throws -> Response {
        try Self.requirePlatformAdministrator(request)
        let name = try Self.name(request, "name")
        guard !ModelNames.reservedProviders.contains(name.lowercased()) else {
            throw ValidationFailure(
                pointer: "", code: "reserved", zh: "\(name) 是保留名称，不能用作供应商名",
                en: "\(name) is a reserved name, not one for a provider")
        }
        let (setting, dialect) = try CatalogueInput.provider(request.json(), name: name)
        let others = desk.holder.common.heardOf
        guard
            try await desk.store.put(
                CatalogueChanges.Provider(
                    name: name, dialect: dialect, baseURL: setting.baseUrl, isEnabled: setting.enabled ?? true,
                    key: try setting.key.map { try desk.sealed($0, of: name, tenantId: nil) }), beside: others)
        else { throw DiffersInCaseOnly() }
        return try await done()
    }

    /// `DELETE /v1/ai/providers/{name}`: back to what was seeded.
    func removeProvider(_ request: Request) async throws -> Response {
        try Self.requirePlatformAdministrator(request)
        return try await removed(desk.store.removeProvider(Self.name(request, "name")))
    }

    /// `PUT /v1/ai/models/{provider}/{name}`
    func putModel(_ request: Request) async throws -> Response {
        try Self.requirePlatformAdministrator(request)
        let (provider, name) = (try Self.name(request, "provider"), try Self.name(request, "name", withSlashes: true))
        try await desk.refresh()
        let catalogue = desk.holder.common
        let change = try CatalogueInput.model(request.json(), name: name, of: provider, in: catalogue)
        guard try await desk.store.put(change, beside: catalogue.models.filter { $0.provider == provider }.map(\.name)) else {
            throw DiffersInCaseOnly()
        }
        return try await done()
    }

    /// `DELETE /v1/ai/models/{provider}/{name}`: back to what was seeded.
    func removeModel(_ request: Request) async throws -> Response {
        try Self.requirePlatformAdministrator(request)
        return try await removed(
            desk.store.removeModel(Self.name(request, "name", withSlashes: true), of: Self.name(request, "provider")))
    }

    /// `POST /v1/ai/aliases`
    func addAlias(_ request: Request) async throws -> Response {
        try Self.requirePlatformAdministrator(request)
        let wanted = try CatalogueInput.alias(request.json(), in: desk.holder.common)
        guard let alias = try await desk.store.add(wanted) else { throw AlreadyThere() }
        try await desk.refresh()
        return try .json(.created, ModelAlias(alias))
    }

    /// `DELETE /v1/ai/aliases/{id}`: the name holds no longer from now on.
    func endAlias(_ request: Request) async throws -> Response {
        try Self.requirePlatformAdministrator(request)
        return try await removed(desk.store.endAlias(request.parameters.uuid("id")))
    }

    /// `POST /v1/ai/prices`
    func addPrice(_ request: Request) async throws -> Response {
        try Self.requirePlatformAdministrator(request)
        let (price, model) = try CatalogueInput.price(request.json(), in: desk.holder.common, now: Date())
        if let zone = price.peakHours?.zone, try await !desk.store.knows(zone: zone) {
            throw ValidationFailure(
                pointer: "/peakHours/zone", code: "unknown_zone", zh: "不是 IANA 时区名", en: "is not the name of an IANA time zone")
        }
        guard try await desk.store.add(price, model: model, by: request.principal.subject) else { throw AlreadyThere() }
        try await desk.refresh()
        return try .json(.created, ModelPrice(price, model: model))
    }

    // MARK: A tenant's

    /// `PUT /v1/ai/providers/{name}/key`
    func putKey(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.write)
        let name = try Self.name(request, "name")
        guard desk.holder.common.provider(name) != nil else { throw NotFound() }
        let key = try CatalogueInput.key(request.json())
        try await desk.store.put(
            CatalogueChanges.TenantKey(
                tenantId: principal.tenantId, provider: name,
                key: try desk.sealed(key, of: name, tenantId: principal.tenantId)))
        return try await done()
    }

    /// `DELETE /v1/ai/providers/{name}/key`: back to the platform's.
    func removeKey(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.write)
        return try await removed(
            desk.store.removeKey(of: Self.name(request, "name"), tenantId: principal.tenantId))
    }

    /// `PUT /v1/ai/policies/{scene}`; `*` is every scene. With `scope=platform` it is that of all tenants that have none of their own.
    func putPolicy(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.write)
        let scene = try Self.name(request, "scene")
        let tenantId = try Self.owner(of: request)
        let catalogue = tenantId.map { desk.holder.current(for: $0) } ?? desk.holder.common
        let routes = try CatalogueInput.policy(request.json(), in: catalogue)
        try await desk.store.put(routes, scene: scene, tenantId: tenantId, by: principal.subject)
        try await desk.refresh()
        return try .json(.ok, RoutingPolicyView(scene: scene, isOwn: tenantId != nil, routes: routes))
    }

    /// `DELETE /v1/ai/policies/{scene}`; with `scope=platform` back to what was seeded.
    func removePolicy(_ request: Request) async throws -> Response {
        let tenantId = try Self.owner(of: request)
        return try await removed(desk.store.removePolicy(scene: Self.name(request, "scene"), tenantId: tenantId))
    }

    private enum PolicyScope: String, CaseIterable {
        case tenant, platform
    }

    /// Whose policy it is; `nil`: the platform's.
    private static func owner(of request: Request) throws -> UUID? {
        let principal = try request.principal(with: write)
        var query = QueryReader(request.query)
        let scope = query.optionalChoice("scope", of: PolicyScope.self) ?? .tenant
        try query.finish()
        guard scope == .platform else { return principal.tenantId }
        try requirePlatformAdministrator(request)
        return nil
    }

    // MARK: Parts

    private static func requirePlatformAdministrator(_ request: Request) throws {
        guard try request.principal(with: Self.write).roles.contains(platformRole) else {
            throw Forbidden(code: "auth.platform_administrator_only")
        }
    }

    /// A name in a path: 1–64 visible ASCII characters; anything else names nothing.
    ///
    /// - Parameter isDeep: whether it may consist of parts, as models' names do that name their maker (`deepseek-ai%2FDeepSeek-V3`).
    private static func name(_ request: Request, _ parameter: String, withSlashes isDeep: Bool = false) throws -> String {
        let name = try request.parameters.string(parameter)
        guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { throw NotFound() }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 1 || isDeep && parts.allSatisfy({ !$0.isEmpty }) else { throw NotFound() }
        return name
    }

    /// The change is seen by the next call at this replica.
    private func done() async throws -> Response {
        try await desk.refresh()
        return .noContent
    }

    private func removed(_ found: Bool) async throws -> Response {
        guard found else { throw NotFound() }
        return try await done()
    }
}

/// 409: names of providers and models are found whatever their letters' case, so two that differ in nothing else would be one.
struct DiffersInCaseOnly: HTTPFailure {
    var problem: ProblemDescription {
        Conflict(
            code: "catalogue.name_taken",
            title: LocalizedText(zh: "已有仅大小写不同的名称", en: "There is a name that differs in its letters' case only")
        ).problem
    }
}

/// 409: prices and names are added, never changed.
struct AlreadyThere: HTTPFailure {
    var problem: ProblemDescription {
        Conflict(
            code: "catalogue.already_there",
            title: LocalizedText(zh: "该时间点起已有同名记录", en: "There is one from that instant on already")
        ).problem
    }
}
