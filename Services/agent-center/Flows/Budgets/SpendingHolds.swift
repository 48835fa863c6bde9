import ConcurrencySupport
import Cryptography
import DTO
import FoundationEssentials
import HTTPCore

/// Money for pictures that another service has made (design §2: orchestration-service, "paid through agent-center's budget"): held before
/// the vendor is asked, then settled or released, each step once.
///
/// The holder is another process than this one. So a hold ends by its lease and not with the replica that granted it, and any replica
/// settles it. One whose lease has ended is swept like any reservation: the tenant is not charged, and the step may be held anew.
struct SpendingHolds: Sendable {
    struct Holder: Sendable {
        let tenantId: UUID
        let subject: String
        let operationId: UUID
    }

    /// How long a picture may take. A holder that dies blocks its step for as long, unless it names its tickets itself.
    static let lease = Duration.seconds(180)
    static let flow = "ImageTextCreation"

    let store: any UsageStore
    let lanes: UsageLanes
    let kept: any HeldSpending
    let prices: @Sendable (UUID) -> PriceTable
    /// See ``AIGeneration/limitsMoney``.
    let limitsMoney: @Sendable (ModelCall) async throws -> Bool

    /// - Throws: ``BudgetExhausted``, ``ModelUnpriced``, or ``OperationInProgress`` while somebody else holds the step.
    func hold(_ request: SpendingHoldRequest, for holder: Holder) async throws -> SpendingHold {
        let prices = prices(holder.tenantId)
        let price = prices.imagePrice(provider: request.provider, model: request.model, at: Date())
        let call = call(
            holder, step: request.step, scene: request.scene, model: "\(request.provider)/\(request.model)")
        if price == nil, try await limitsMoney(call) {
            // A holder that comes back to what it has begun finds that.
            switch try await kept.spending(call.ledgerKey)?.state {
            case .open?, .settled?: break
            case .swept?, nil: throw ModelUnpriced(model: call.model)
            }
        }
        let claim = UsageClaim(
            call, worstCase: (price?.nano ?? 0) * Int64(request.images), ticketId: request.ticketId)
        switch try await lanes.begin(claim) {
        case .granted:
            return SpendingHold(
                ticketId: claim.ticketId, state: .granted, amountNano: String(claim.amount), currency: prices.currency)
        case .answered, .erased:
            guard let paid = try await kept.spending(claim.call.ledgerKey) else { throw InternalFailure() }
            return SpendingHold(
                ticketId: paid.ticketId, state: .settled, amountNano: String(paid.amountNano), currency: paid.currency)
        case .busy: throw OperationInProgress()
        case .refused(let exhausted): throw exhausted
        }
    }

    /// Charges the pictures that were made; idempotent.
    ///
    /// - Throws: `NotFound` for a step that was never held, `ValidationFailure` for more pictures than were held.
    func settle(_ settlement: SpendingSettlement, promptHash: [UInt8], for holder: Holder) async throws {
        let key = LedgerKey(tenantId: holder.tenantId, operationId: holder.operationId, step: settlement.step)
        guard let held = try await kept.spending(key), held.accepts(settlement.ticketId) else { throw NotFound() }
        if held.state == .settled { return }
        let parts = held.model.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw NotFound() }
        let (provider, model) = (parts[0], parts[1])
        let prices = prices(holder.tenantId)
        let price = prices.imagePrice(provider: provider, model: model, at: held.createdAt)
        let cost = (price?.nano ?? 0) * Int64(settlement.images)
        guard held.state != .open || cost <= held.amountNano else {
            throw ValidationFailure(
                pointer: "/images", code: "more_than_held", zh: "多于预留的张数", en: "must not be more than were held")
        }
        let attempt = ModelAttempt(
            picturesBy: provider, model: model, count: settlement.images, latencyMs: settlement.latencyMs,
            priceVersion: price?.version, costNano: cost)
        let entry = LedgerEntry(
            provider: provider, modelName: model, promptTokens: 0, cachedPromptTokens: 0, completionTokens: 0, calls: 1,
            costNano: cost,
            spentNano: cost, currency: prices.currency, priceVersion: price?.version, isEstimated: false,
            latencyMs: settlement.latencyMs, attempts: [attempt], promptVersion: "", promptHash: promptHash,
            completionHash: SHA256.hash(""), isDegraded: false, degradedReason: nil)
        var call = call(holder, step: settlement.step, scene: held.scene, model: held.model)
        call.subject = held.subject
        call.apiKeyId = held.apiKeyId
        // What is kept says that the step was paid; the pictures are the holder's.
        _ = try await lanes.finish(
            UsageReceipt(
                call: call, ticketId: settlement.ticketId, entry: entry, answer: #"{"images":\#(settlement.images)}"#))
    }

    /// Gives everything back; does nothing for a hold that has ended.
    func release(_ release: SpendingRelease, for holder: Holder) async throws {
        try await store.release(
            UsageClaim(call(holder, step: release.step, scene: "", model: ""), worstCase: 0, ticketId: release.ticketId))
    }

    private func call(_ holder: Holder, step: String, scene: String, model: String) -> ModelCall {
        ModelCall(
            tenantId: holder.tenantId, subject: holder.subject, operationId: holder.operationId, step: step, flow: Self.flow,
            task: .imageText, scene: scene, model: model, deadline: .after(Self.lease))
    }
}

/// Looks up what became of a step's money.
protocol HeldSpending: Sendable {
    func spending(_ key: LedgerKey) async throws -> StepSpending?
}

/// Money of a step, as reservations and ledger know it.
struct StepSpending: Sendable {
    enum State: Sendable {
        case open
        /// Its lease ended before it was settled.
        case swept
        case settled
    }

    let state: State
    let ticketId: UUID
    /// `provider/model` of an open or swept hold.
    let model: String
    let scene: String
    let subject: String
    let apiKeyId: UUID?
    /// Set aside, or paid.
    let amountNano: Int64
    let currency: String
    let createdAt: Date

    /// Whose ticket a swept hold had is forgotten.
    func accepts(_ ticketId: UUID) -> Bool { state == .swept || self.ticketId == ticketId }
}

extension ModelAttempt {
    init(picturesBy provider: String, model: String, count: Int, latencyMs: Int, priceVersion: String?, costNano: Int64) {
        self.provider = provider
        askedModel = model
        self.model = model
        purpose = .ask
        outcome = "answered"
        detail = "\(count) × image"
        self.latencyMs = latencyMs
        promptTokens = 0
        cachedPromptTokens = 0
        completionTokens = 0
        isEstimated = false
        self.priceVersion = priceVersion
        self.costNano = costNano
    }
}
