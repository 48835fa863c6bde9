import Cryptography
import DTO
import FoundationEssentials
import HTTPCore
import PostgresStore

/// The SQL of the catalogue. Every change counts the revision up in its own transaction.
struct CatalogueStore: Sendable {
    let app: Database
    /// Reads what all tenants have added.
    let system: Database

    static let changed: SQL = "UPDATE catalogue_revision SET revision = revision + 1"

    func revision() async throws -> Int64 {
        try await app.query("SELECT revision FROM catalogue_revision").only.decode("revision")
    }

    /// - Returns: how many rows were written or removed.
    /// - Parameter isAlone: whether the statement looks at what others write: they wait for one another then.
    @discardableResult
    private func change(_ sql: SQL, tenant: UUID? = nil, isAlone: Bool = false) async throws -> Int {
        try await app.transaction(ofLiving: tenant) { transaction in
            if isAlone { _ = try await transaction.query("SELECT revision FROM catalogue_revision FOR UPDATE") }
            let count = try await transaction.query(sql).affectedRows
            if count > 0 { try transaction.enqueue(Self.changed) }
            return count
        }
    }

    // MARK: The platform's

    /// - Parameter others: the names that are known beside the stored ones.
    /// - Returns: `false` where there is a name that differs in its letters' case only.
    func put(_ provider: CatalogueChanges.Provider, beside others: Set<String>) async throws -> Bool {
        guard !others.contains(where: { $0 != provider.name && $0.lowercased() == provider.name.lowercased() }) else {
            return false
        }
        return try await change(
            """
            INSERT INTO model_providers AS p (name, dialect, base_url, enabled, key_id, key_sealed)
            SELECT \(provider.name), \(provider.dialect.rawValue), \(provider.baseURL), \(provider.isEnabled),
                \(provider.key?.keyId), \(provider.key?.ciphertext as [UInt8]?)
            WHERE NOT EXISTS (
                SELECT FROM model_providers o WHERE lower(o.name) = lower(\(provider.name)) AND o.name <> \(provider.name))
            ON CONFLICT (name) DO UPDATE SET dialect = excluded.dialect, base_url = excluded.base_url, enabled = excluded.enabled,
                key_id = coalesce(excluded.key_id, p.key_id), key_sealed = coalesce(excluded.key_sealed, p.key_sealed),
                updated_at = app_now()
            """, isAlone: true) > 0
    }

    func removeProvider(_ name: String) async throws -> Bool {
        try await change("DELETE FROM model_providers WHERE name = \(name)") > 0
    }

    /// The same of the models of one provider.
    func put(_ change: CatalogueChanges.Model, beside others: [String]) async throws -> Bool {
        let model = change.model
        guard !others.contains(where: { $0 != model.name && $0.lowercased() == model.name.lowercased() }) else { return false }
        return try await self.change(
            """
            INSERT INTO models (provider, name, capabilities, context_tokens, dimensions, enabled)
            SELECT \(model.provider), \(model.name), \(model.capabilities.map(\.rawValue).sorted()), \(model.contextTokens),
                \(model.dimensions), \(change.isEnabled)
            WHERE NOT EXISTS (
                SELECT FROM models o
                WHERE o.provider = \(model.provider) AND lower(o.name) = lower(\(model.name)) AND o.name <> \(model.name))
            ON CONFLICT (provider, name) DO UPDATE SET capabilities = excluded.capabilities,
                context_tokens = excluded.context_tokens, dimensions = excluded.dimensions, enabled = excluded.enabled
            """, isAlone: true) > 0
    }

    func removeModel(_ name: String, of provider: String) async throws -> Bool {
        try await change("DELETE FROM models WHERE provider = \(provider) AND name = \(name)") > 0
    }

    /// - Returns: with its id; `nil` if the name has another meaning from that instant on already.
    func add(_ alias: ModelCatalogue.Alias) async throws -> ModelCatalogue.Alias? {
        var alias = alias
        let id = UUID.version7()
        alias.id = id
        let added = try await change(
            """
            INSERT INTO model_aliases (id, name, provider, model, valid_from, valid_until, thinks)
            VALUES (\(id), \(alias.name), \(alias.provider), \(alias.model), \(alias.validFrom),
                \(alias.validUntil), \(alias.thinks))
            ON CONFLICT (name, valid_from) DO NOTHING
            """)
        return added > 0 ? alias : nil
    }

    /// Ends the name now; one that has not held yet goes altogether.
    ///
    /// - Returns: `false` if there is none, or none that still holds or will.
    func endAlias(_ id: UUID) async throws -> Bool {
        let ended = try await change(
            """
            UPDATE model_aliases SET valid_until = app_now()
            WHERE id = \(id) AND valid_from < app_now() AND (valid_until IS NULL OR valid_until > app_now())
            """)
        if ended > 0 { return true }
        return try await change("DELETE FROM model_aliases WHERE id = \(id) AND valid_from >= app_now()") > 0
    }

    /// - Returns: `false` if the model has a price from that instant on already.
    func add(_ price: PriceTable.Entry, model: String, by subject: String) async throws -> Bool {
        let hours = try price.peakHours.map { JSONText(String(decoding: try JSON.encode(PeakHours($0)), as: UTF8.self)) }
        return try await change(
            """
            INSERT INTO model_prices (provider, model, valid_from, prompt_nano, cached_prompt_nano, completion_nano,
                image_nano,
                peak_prompt_nano, peak_cached_prompt_nano, peak_completion_nano, peak_hours, source, created_by)
            VALUES (\(price.provider), \(model), \(price.validFrom), \(price.rates.prompt), \(price.rates.cachedPrompt),
                \(price.rates.completion), \(price.rates.image), \(price.peakRates?.prompt),
                \(price.peakRates?.cachedPrompt), \(price.peakRates?.completion), \(hours)::jsonb, \(price.source), \(subject))
            ON CONFLICT (provider, model, valid_from) DO NOTHING
            """) > 0
    }

    // MARK: A tenant's

    func put(_ key: CatalogueChanges.TenantKey) async throws {
        try await change(
            """
            INSERT INTO tenant_provider_keys (tenant_id, provider, key_id, key_sealed)
            VALUES (\(key.tenantId), \(key.provider), \(key.key.keyId), \(key.key.ciphertext))
            ON CONFLICT (tenant_id, provider) DO UPDATE SET key_id = excluded.key_id, key_sealed = excluded.key_sealed,
                updated_at = app_now()
            """, tenant: key.tenantId)
    }

    func removeKey(of provider: String, tenantId: UUID) async throws -> Bool {
        try await change(
            "DELETE FROM tenant_provider_keys WHERE tenant_id = \(tenantId) AND provider = \(provider)", tenant: tenantId) > 0
    }

    /// - Parameter tenantId: `nil` for the platform's.
    func put(_ routes: [RouteSetting], scene: String, tenantId: UUID?, by subject: String) async throws {
        let text = JSONText(String(decoding: try JSON.encode(routes), as: UTF8.self))
        guard let tenantId else {
            try await change(
                """
                INSERT INTO platform_routing_policies (scene, routes, updated_by)
                VALUES (\(scene), \(text)::jsonb, \(subject))
                ON CONFLICT (scene) DO UPDATE SET routes = excluded.routes, updated_by = excluded.updated_by, updated_at = app_now()
                """)
            return
        }
        try await change(
            """
            INSERT INTO routing_policies (tenant_id, scene, routes, updated_by)
            VALUES (\(tenantId), \(scene), \(text)::jsonb, \(subject))
            ON CONFLICT (tenant_id, scene) DO UPDATE SET routes = excluded.routes, updated_by = excluded.updated_by,
                updated_at = app_now()
            """, tenant: tenantId)
    }

    func removePolicy(scene: String, tenantId: UUID?) async throws -> Bool {
        guard let tenantId else {
            return try await change("DELETE FROM platform_routing_policies WHERE scene = \(scene)") > 0
        }
        return try await change(
            "DELETE FROM routing_policies WHERE tenant_id = \(tenantId) AND scene = \(scene)", tenant: tenantId) > 0
    }

    // MARK: All of it

    func changes() async throws -> CatalogueChanges {
        var changes = CatalogueChanges()
        changes.providers = try await system.query("SELECT * FROM model_providers ORDER BY name").compactMap { row in
            guard let dialect = ChatProfile.Vendor(rawValue: try row.decode("dialect")) else { return nil }
            return CatalogueChanges.Provider(
                name: try row.decode("name"), dialect: dialect, baseURL: try row.decode("base_url"),
                isEnabled: try row.decode("enabled"), key: try Self.sealed(row))
        }
        changes.models = try await system.query("SELECT * FROM models ORDER BY provider, name").map { row in
            CatalogueChanges.Model(
                model: .init(
                    provider: try row.decode("provider"), name: try row.decode("name"),
                    capabilities: Set(try row.decode("capabilities", as: [String].self).compactMap(ModelCapability.init)),
                    contextTokens: try row.decode("context_tokens"), dimensions: try row.decode("dimensions")),
                isEnabled: try row.decode("enabled"))
        }
        changes.aliases = try await system.query("SELECT * FROM model_aliases ORDER BY name, valid_from").map { row in
            .init(
                id: try row.decode("id"), name: try row.decode("name"), provider: try row.decode("provider"),
                model: try row.decode("model"), validFrom: try row.decode("valid_from"),
                validUntil: try row.decode("valid_until"), thinks: try row.decode("thinks"))
        }
        changes.prices = try await prices()
        changes.policies = try await system.query(
            """
            SELECT tenant_id, scene, routes FROM routing_policies
            UNION ALL SELECT NULL, scene, routes FROM platform_routing_policies ORDER BY scene
            """
        ).map { row in
            let scene: String = try row.decode("scene")
            let routes = try JSON.decode([RouteSetting].self, from: row.decode("routes", as: JSONText.self).bytes)
            return RoutingPolicy(
                tenantId: try row.decode("tenant_id"), scene: scene == RoutingPolicy.everyScene ? nil : scene,
                routes: routes.map(RoutingPolicy.Route.init))
        }
        changes.tenantKeys = try await system.query("SELECT tenant_id, provider, key_id, key_sealed FROM tenant_provider_keys")
            .compactMap { row in
                try Self.sealed(row).map {
                    .init(tenantId: try row.decode("tenant_id"), provider: try row.decode("provider"), key: $0)
                }
            }
        return changes
    }

    private static func sealed(_ row: Row) throws -> KeyRing.Sealed? {
        guard let id = try row.decode("key_id", as: String?.self), let bytes = try row.decode("key_sealed", as: [UInt8]?.self)
        else { return nil }
        return KeyRing.Sealed(keyId: id, ciphertext: bytes)
    }
}
