import DTO
import HTTPCore
import Messaging

/// Words that a tenant forbids in all its texts were added or removed.
///
/// Each word keeps the version that said so last, so it makes no difference in which order events come and how often.
struct BannedWordsConsumer: Sendable {
    let store: BannedWordsStore

    func change(_ event: CloudEvent) async throws {
        let changed = try event.decode(BannedWordsChanged.self)
        do {
            try await store.apply(changed, version: event.version, of: event.tenantId)
        } catch is TenantErased {
            // Nothing of it is kept any more.
        }
    }
}
