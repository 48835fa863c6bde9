import DTO
import Messaging

/// An erasure was ordered in content-center: from then on no flow begins for the tenant. It was done there: what is kept of it here goes too.
///
/// Nothing here is done twice by hearing twice, so it keeps no record of events; what was broken off half way is gone on with.
struct TenantErasureConsumer: Sendable {
    let store: TenantErasureStore

    func hear(_ event: CloudEvent) async throws {
        if event.type == TenantErasureOrdered.type {
            return try await store.mark(event.tenantId, erasure: event.decode(TenantErasureOrdered.self).erasureId)
        }
        let erased = try event.decode(TenantContentErased.self)
        // The mark first: from it on nothing new comes.
        try await store.mark(event.tenantId, erasure: erased.erasureId)
        for table in TenantErasureStore.tables {
            while try await store.deleteBatch(of: table, of: event.tenantId) {}
        }
        try await store.finish(event.tenantId)
    }
}
