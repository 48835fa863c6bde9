public import FoundationEssentials

// What agent-center serves under `/v1/ai/budgets`, and the gateway under `/api/ai/budgets`. Amounts are in 1e-9 of the currency, as
// decimal strings.

public enum BudgetScope: String, Codable, Sendable, CaseIterable {
    case tenant
    case user
    case scene
    case apiKey = "api_key"
}

public enum BudgetPeriod: String, Codable, Sendable, CaseIterable {
    case day
    case month
}

/// `POST /api/ai/budgets`: what may be spent in each period. At least one of the two limits.
public struct NewBudget: Codable, Sendable, Equatable {
    public var name: String
    public var scope: BudgetScope
    /// A user's id, a scene or an API key's id; absent: each of them has the whole limit for itself. None for a tenant.
    public var subject: String?
    public var period: BudgetPeriod
    /// IANA, e.g. `Asia/Shanghai`: a period begins at midnight there.
    public var zone: String
    public var limitNano: String?
    /// Calls of models; templates are none.
    public var limitCalls: Int?
    /// ISO 4217; the ledger's when absent, and no other.
    public var currency: String?
    /// A soft budget is counted and shown, and refuses nothing; hard when absent.
    public var hard: Bool?

    public init(
        name: String, scope: BudgetScope, subject: String? = nil, period: BudgetPeriod, zone: String, limitNano: String? = nil,
        limitCalls: Int? = nil, currency: String? = nil, hard: Bool? = nil
    ) {
        self.name = name
        self.scope = scope
        self.subject = subject
        self.period = period
        self.zone = zone
        self.limitNano = limitNano
        self.limitCalls = limitCalls
        self.currency = currency
        self.hard = hard
    }
}

/// `PUT /api/ai/budgets/{id}` with `If-Match`: what may change. A limit that is left out is taken away; one must stay. What a budget counts
/// (scope, subject, period, zone) never changes: that would be another budget.
public struct BudgetSetting: Codable, Sendable, Equatable {
    public var name: String
    public var limitNano: String?
    public var limitCalls: Int?
    /// Hard when absent.
    public var hard: Bool?

    public init(name: String, limitNano: String? = nil, limitCalls: Int? = nil, hard: Bool? = nil) {
        self.name = name
        self.limitNano = limitNano
        self.limitCalls = limitCalls
        self.hard = hard
    }
}

/// A budget as it stands.
public struct Budget: Codable, Sendable, Equatable {
    public var id: UUID
    public var name: String
    public var scope: BudgetScope
    public var subject: String?
    public var period: BudgetPeriod
    public var zone: String
    public var limitNano: String?
    public var limitCalls: Int?
    public var currency: String
    public var hard: Bool
    public var version: Int
    public var createdAt: Date
    public var updatedAt: Date
    public var current: BudgetStanding
    /// Of a budget that each user, scene or key has for itself: those that used most in this period, at most 100. Only where one budget
    /// is shown.
    public var subjects: [BudgetSubjectStanding]?

    public init(
        id: UUID, name: String, scope: BudgetScope, subject: String? = nil, period: BudgetPeriod, zone: String,
        limitNano: String? = nil, limitCalls: Int? = nil, currency: String, hard: Bool, version: Int, createdAt: Date,
        updatedAt: Date, current: BudgetStanding, subjects: [BudgetSubjectStanding]? = nil
    ) {
        self.id = id
        self.name = name
        self.scope = scope
        self.subject = subject
        self.period = period
        self.zone = zone
        self.limitNano = limitNano
        self.limitCalls = limitCalls
        self.currency = currency
        self.hard = hard
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.current = current
        self.subjects = subjects
    }
}

/// The period that holds now.
public struct BudgetStanding: Codable, Sendable, Equatable {
    public var start: Date
    /// The first instant of the next period.
    public var end: Date
    /// Set aside for calls under way, at their worst case.
    public var reservedNano: String
    public var reservedCalls: Int
    public var settledNano: String
    public var settledCalls: Int
    /// Never below 0; absent without a limit, and for a budget that each has for itself.
    public var remainingNano: String?
    public var remainingCalls: Int?

    public init(
        start: Date, end: Date, reservedNano: String, reservedCalls: Int, settledNano: String, settledCalls: Int,
        remainingNano: String? = nil, remainingCalls: Int? = nil
    ) {
        self.start = start
        self.end = end
        self.reservedNano = reservedNano
        self.reservedCalls = reservedCalls
        self.settledNano = settledNano
        self.settledCalls = settledCalls
        self.remainingNano = remainingNano
        self.remainingCalls = remainingCalls
    }
}

/// How one user, scene or key stands in a budget that each has for itself.
public struct BudgetSubjectStanding: Codable, Sendable, Equatable {
    public var subject: String
    public var reservedNano: String
    public var reservedCalls: Int
    public var settledNano: String
    public var settledCalls: Int
    public var remainingNano: String?
    public var remainingCalls: Int?

    public init(
        subject: String, reservedNano: String, reservedCalls: Int, settledNano: String, settledCalls: Int,
        remainingNano: String? = nil, remainingCalls: Int? = nil
    ) {
        self.subject = subject
        self.reservedNano = reservedNano
        self.reservedCalls = reservedCalls
        self.settledNano = settledNano
        self.settledCalls = settledCalls
        self.remainingNano = remainingNano
        self.remainingCalls = remainingCalls
    }
}
