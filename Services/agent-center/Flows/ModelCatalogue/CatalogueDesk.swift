import ConcurrencySupport
import Cryptography
import DTO
import FoundationEssentials
import HTTPCore
import Lifecycle
import Observability

/// Keeps the catalogue that calls look at in step with the database: at once where a change was made, within about a second at the
/// other replicas. Where the database is down the last state stays.
final class CatalogueDesk: Service {
    let store: CatalogueStore
    let holder: CatalogueHolder
    /// `nil`: no key was configured, so no provider's key can be stored.
    let keys: KeyRing?
    private let seeded: ModelCatalogue
    private let logger: Logger
    private let seen = Lock<Int64>(-1)

    private static let interval = Duration.seconds(1)

    init(store: CatalogueStore, holder: CatalogueHolder, keys: KeyRing?, logger: Logger) {
        self.store = store
        self.holder = holder
        self.keys = keys
        self.logger = logger
        seeded = holder.common
    }

    func run() async throws {
        await repeating(every: Self.interval, logger: logger, failure: "the model catalogue could not be read", refresh)
    }

    /// Reads everything anew if anything has changed.
    func refresh() async throws {
        let revision = try await store.revision()
        guard revision != seen.withLock({ $0 }) else { return }
        let changes = try await store.changes()
        let (common, ofTenants) = changes.applied(to: seeded) { sealed, context in
            do {
                guard let keys else { throw KeyRing.Failure.unknownKey(sealed.keyId) }
                return String(decoding: try keys.open(sealed, context: Array(context.utf8)), as: UTF8.self)
            } catch {
                logger.error("a provider's key cannot be opened", ["keyId": sealed.keyId, "context": context])
                return nil
            }
        }
        seen.withLock { seen in
            // Two refreshes at once: the one that saw more wins.
            guard revision > seen else { return }
            seen = revision
            holder.replace(common, ofTenants: ofTenants)
        }
    }

    func sealed(_ key: String, of provider: String, tenantId: UUID?) throws -> KeyRing.Sealed {
        guard let keys else { throw KeysNotConfigured() }
        let context = CatalogueChanges.context(of: provider, tenantId: tenantId)
        return keys.seal(Array(key.utf8), context: Array(context.utf8))
    }
}

/// 503: nothing may be stored unencrypted, and this installation has no key to encrypt with.
struct KeysNotConfigured: HTTPFailure {
    var problem: ProblemDescription {
        ProblemDescription(
            status: .serviceUnavailable, code: "catalogue.keys_not_configured",
            title: LocalizedText(
                zh: "未配置 DATA_ENCRYPTION_KEYS，不能保存密钥", en: "DATA_ENCRYPTION_KEYS is not set; keys cannot be stored"))
    }
}
