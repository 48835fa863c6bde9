import ConcurrencySupport
import FoundationEssentials
import Observability

/// Money set aside for one call, until it is settled or released. Both happen once; what comes later is ignored.
final class UsageTicket: BudgetTicket {
    let call: ModelCall
    private let claim: UsageClaim
    private let store: any UsageStore
    private let isOpen = Lock(true)

    init(_ claim: UsageClaim, store: any UsageStore) {
        call = claim.call
        self.claim = claim
        self.store = store
    }

    func extend(by nano: Int64) async throws -> Bool {
        guard isOpen.withLock({ $0 }) else { return false }
        return nano <= 0 ? true : try await store.extend(claim, by: nano)
    }

    /// Charges what was used, gives back the rest and writes the ledger row. For work that keeps no answer (raw streams), and for work
    /// that failed after it had cost something. Not stopped by the end of the caller's time or by its leaving.
    func settle(_ entry: LedgerEntry) async throws { _ = try await settle(entry, answer: nil) }

    /// - Returns: the answer that holds: the given one, or that of another process which was faster.
    func settle(_ entry: LedgerEntry, answer: String?) async throws -> String? {
        guard close() else { return answer }
        let receipt = UsageReceipt(call: call, ticketId: claim.ticketId, entry: entry, answer: answer)
        let store = store
        return try await UsageDesk.pastDeadline { try await store.finish([receipt]).first ?? nil }
    }

    /// Gives everything back: nothing was used. Does nothing after ``settle(_:)``.
    func release() async {
        guard close() else { return }
        let (store, claim) = (store, claim)
        // If this fails too, the sweeper finds it.
        try? await UsageDesk.pastDeadline { try await store.release(claim) }
    }

    private func close() -> Bool {
        isOpen.withLock { isOpen in
            defer { isOpen = false }
            return isOpen
        }
    }
}
