import ConfigReading
import Cryptography
import FoundationEssentials
import Observability

/// What administrators and tenants have added to the seeded catalogue, and how the two come together. Pure.
struct CatalogueChanges: Sendable {
    struct Provider: Sendable {
        let name: String
        let dialect: ChatProfile.Vendor
        let baseURL: String
        let isEnabled: Bool
        /// `nil`: the seeded key, or none.
        let key: KeyRing.Sealed?
    }

    struct Model: Sendable {
        let model: ModelCatalogue.Model
        let isEnabled: Bool
    }

    struct TenantKey: Sendable {
        let tenantId: UUID
        let provider: String
        let key: KeyRing.Sealed
    }

    var providers: [Provider] = []
    var models: [Model] = []
    var aliases: [ModelCatalogue.Alias] = []
    var prices: [PriceTable.Entry] = []
    var policies: [RoutingPolicy] = []
    var tenantKeys: [TenantKey] = []

    /// The catalogue of everybody, and those of tenants with something of their own.
    ///
    /// - Parameter open: opens a sealed key; `nil` where it cannot be opened, and the provider is then not asked with it.
    func applied(
        to seeded: ModelCatalogue, open: (KeyRing.Sealed, _ context: String) -> String?
    ) -> (common: ModelCatalogue, ofTenants: [UUID: ModelCatalogue]) {
        var common = seeded
        for change in providers {
            let before = common.provider(change.name)
            common.providers.removeAll { $0.name == change.name }
            let key = change.key.flatMap { open($0, Self.context(of: change.name, tenantId: nil)) }
            guard change.isEnabled, change.key == nil || key != nil else { continue }
            common.providers.append(
                .init(
                    name: change.name, dialect: change.dialect, baseURL: change.baseURL,
                    key: key.map(Secret.init) ?? before?.key ?? Secret("none")))
        }
        common.dormant.formUnion(providers.map(\.name))
        for change in models {
            common.models.removeAll { $0.fullName == change.model.fullName }
            if change.isEnabled { common.models.append(change.model) }
        }
        common.aliases += aliases
        common.prices = PriceTable(currency: seeded.prices.currency, entries: seeded.prices.entries + prices)
        common.routeAddedProviders()
        // A platform's own policy takes the place of the seeded one for the same scene.
        let ofPlatform = policies.filter { $0.tenantId == nil }
        common.policies.removeAll { seeded in ofPlatform.contains { $0.scene == seeded.scene } }
        common.policies += ofPlatform
        let own = Dictionary(grouping: policies.filter { $0.tenantId != nil }) { $0.tenantId ?? UUID() }
        let keys = Dictionary(grouping: tenantKeys, by: \.tenantId)
        var ofTenants: [UUID: ModelCatalogue] = [:]
        for tenantId in Set(own.keys).union(keys.keys) {
            var catalogue = common
            catalogue.policies += own[tenantId] ?? []
            for change in keys[tenantId] ?? [] {
                guard let index = catalogue.providers.firstIndex(where: { $0.name == change.provider }),
                    let key = open(change.key, Self.context(of: change.provider, tenantId: tenantId))
                else { continue }
                let provider = catalogue.providers[index]
                catalogue.providers[index] = .init(
                    name: provider.name, dialect: provider.dialect, baseURL: provider.baseURL, key: Secret(key),
                    ownedBy: tenantId)
            }
            ofTenants[tenantId] = catalogue
        }
        return (common, ofTenants)
    }

    /// Bound to the ciphertext, so that a key cannot be moved to another row.
    static func context(of provider: String, tenantId: UUID?) -> String {
        "provider-key/\(tenantId?.text ?? "platform")/\(provider)"
    }
}
