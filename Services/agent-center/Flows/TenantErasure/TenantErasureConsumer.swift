import DTO
import Messaging

/// An erasure was ordered in content-center: from then on no model is asked for the tenant. It was done there: the tenant's texts, prompts
/// and keys go here too. What it owes stays: ledger, budgets, and what is set aside for work under way.
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
        while try await store.eraseTexts(of: event.tenantId) {}
        var place: TenantErasureStore.LedgerPlace?
        repeat { place = try await store.eraseWords(of: event.tenantId, after: place) } while place != nil
        try await store.finish(event.tenantId)
    }
}
