import ConcurrencySupport
import FoundationEssentials
import HTTPCore
import PostgresStore

/// What a desk asks its store to set aside.
struct UsageClaim: Sendable {
    let call: ModelCall
    /// Names this claim, so that only its holder settles it, and a claim that is sent twice counts once.
    let ticketId: UUID
    /// The worst case, in 1e-9 of the platform's currency.
    let amount: Int64

    init(_ call: ModelCall, worstCase: Int64, ticketId: UUID? = nil) {
        self.call = call
        self.ticketId = ticketId ?? .version7()
        amount = worstCase
    }

    /// How long the claim stands without being settled: as long as anybody waits for the work, and the time to write it down.
    var lease: Duration { call.deadline.remaining + .seconds(15) }
}

/// What became of a claim.
enum UsageAdmission: Sendable {
    /// The money is set aside.
    case granted
    /// The work was done before; its answer as JSON text.
    case answered(String)
    /// The work was done before, and its answer was erased since.
    case erased
    /// Somebody else works on it now.
    case busy
    case refused(BudgetExhausted)
}

/// What a desk asks its store to write down.
struct UsageReceipt: Sendable {
    let call: ModelCall
    let ticketId: UUID
    let entry: LedgerEntry
    /// JSON text for the repeat; `nil` where nothing is kept.
    let answer: String?
}

/// What a store's error means for the batch that met it.
enum UsageStoreFault: Sendable {
    /// The store is away; the same batch may be sent again once it is back.
    case away
    /// Another transaction was in the way; the same batch may be sent again at once.
    case conflict
    /// One of the batch's members is at fault.
    case refused
    /// Nothing that sending again would cure.
    case other

    init(_ error: any Error) {
        guard let error = error as? PostgresError else {
            self = .other
            return
        }
        self = error.isConnectionLoss ? .away : error.isSerializationFailure ? .conflict : .refused
    }
}

/// Keeps budgets, reservations, ledger and answers. Every step is atomic, and may be sent again after a broken connection.
protocol UsageStore: Sendable {
    /// Settles receipts, then admits claims in their order; all of one tenant.
    ///
    /// - Returns: for each receipt the answer that holds from now on, its own or an earlier one's; for each claim its admission.
    func exchange(
        _ receipts: [UsageReceipt], _ claims: [UsageClaim]
    ) async throws -> (answers: [String?], admissions: [UsageAdmission])

    /// Sets aside more for a claim that was granted.
    ///
    /// - Returns: `false` if a budget does not hold that much, or the claim is not held any more.
    func extend(_ claim: UsageClaim, by nano: Int64) async throws -> Bool

    /// Gives back all that was set aside; nothing was used.
    func release(_ claim: UsageClaim) async throws

    /// Says that the holder of this store's claims is alive. A claim of a holder that is silent may be taken over.
    func beat() async throws

    /// Says that nothing is held any more.
    func leave() async throws
}
