import ConcurrencySupport
import FoundationEssentials
import Observability

/// Money set aside for one call, until it is settled or released. Both happen once; what comes later is ignored.
final class UsageTicket: BudgetTicket {
    let call: ModelCall
    private let claim: UsageClaim
    private let store: any UsageStore
    private let lanes: UsageLanes
    private let isOpen = Lock(true)

    init(_ claim: UsageClaim, store: any UsageStore, lanes: UsageLanes) {
        call = claim.call
        self.claim = claim
        self.store = store
        self.lanes = lanes
    }

    /// At first.
    var setAside: Int64 { claim.amount }

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
        var kept = entry
        if let texts = entry.texts {
            kept.texts = .init(prompt: Redaction.redacted(texts.prompt), completion: Redaction.redacted(texts.completion))
        }
        return try await lanes.finish(UsageReceipt(call: call, ticketId: claim.ticketId, entry: kept, answer: answer))
    }

    /// Gives everything back: nothing was used. Does nothing after ``settle(_:)``.
    func release() async {
        guard close() else { return }
        let (store, claim) = (store, claim)
        // Detached: the caller may have left, or its time be up. If this fails, the sweeper finds the reservation.
        await Task.detached { try? await store.release(claim) }.value
    }

    private func close() -> Bool {
        isOpen.withLock { isOpen in
            defer { isOpen = false }
            return isOpen
        }
    }
}
