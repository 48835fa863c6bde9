public import FoundationEssentials

// What agent-center serves under `/v1/ai/holds`: money for work that another service has done, such as pictures. The operation is that of
// `X-Operation-Id`; within it `step` names the piece of work. Amounts are in 1e-9 of the currency, as decimal strings.

/// `POST /v1/ai/holds`: sets aside what pictures may cost at most.
public struct SpendingHoldRequest: Codable, Sendable, Equatable {
    /// E.g. `image:1`.
    public var step: String
    /// Names the use for budgets and reports, e.g. `douyin-image-text-zh`.
    public var scene: String
    /// Who makes the pictures, e.g. `openai`.
    public var provider: String
    public var model: String
    public var images: Int
    /// The caller's own name for the hold: asked again under it, the same hold is granted again. Made here when absent.
    public var ticketId: UUID?

    public init(step: String, scene: String, provider: String, model: String, images: Int, ticketId: UUID? = nil) {
        self.step = step
        self.scene = scene
        self.provider = provider
        self.model = model
        self.images = images
        self.ticketId = ticketId
    }
}

/// Money that is set aside, or was paid before.
public struct SpendingHold: Codable, Sendable, Equatable {
    public enum State: String, Codable, Sendable, CaseIterable {
        /// The pictures may be made; then the hold is settled or released.
        case granted
        /// This step was paid before.
        case settled
    }

    public var ticketId: UUID
    public var state: State
    /// What is set aside, or what was paid; 0 where the provider's model has no price.
    public var amountNano: String
    /// ISO 4217.
    public var currency: String

    public init(ticketId: UUID, state: State, amountNano: String, currency: String) {
        self.ticketId = ticketId
        self.state = state
        self.amountNano = amountNano
        self.currency = currency
    }
}

/// `POST /v1/ai/holds/settle`: pays for the pictures that were made. The same settlement again changes nothing.
public struct SpendingSettlement: Codable, Sendable, Equatable {
    public var step: String
    public var ticketId: UUID
    /// At most as many as were held.
    public var images: Int
    public var latencyMs: Int
    /// Of the prompt that the picture was made from: 64 hexadecimal digits.
    public var promptSha256: String

    public init(step: String, ticketId: UUID, images: Int, latencyMs: Int, promptSha256: String) {
        self.step = step
        self.ticketId = ticketId
        self.images = images
        self.latencyMs = latencyMs
        self.promptSha256 = promptSha256
    }
}

/// `POST /v1/ai/holds/release`: gives everything back; no picture was made. After a settlement it changes nothing.
public struct SpendingRelease: Codable, Sendable, Equatable {
    public var step: String
    public var ticketId: UUID

    public init(step: String, ticketId: UUID) {
        self.step = step
        self.ticketId = ticketId
    }
}
