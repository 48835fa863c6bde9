import DTO
import Messaging

/// A tenant was erased in content-center: what is kept of it here goes too, and from then on no flow begins for it.
///
/// Nothing here is done twice by hearing twice, so it keeps no record of events; what was broken off half way is gone on with.
struct TenantErasureConsumer: Sendable {
    let store: TenantErasureStore

    func erase(_ event: CloudEvent) async throws {
        let erased = try event.decode(TenantContentErased.self)
        // The mark first: from it on nothing new comes.
        try await store.mark(event.tenantId, erasure: erased.erasureId)
        for table in TenantErasureStore.tables {
            while try await store.deleteBatch(of: table, of: event.tenantId) {}
        }
        try await store.finish(event.tenantId)
    }
}
