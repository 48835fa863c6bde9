/// What tenants may keep, in bytes: what whoever runs the platform has set for this one tenant, else what its plan has, else what is usual.
struct AssetQuotas: Sendable, Equatable {
    /// Of tenants of whom nothing is said.
    static let usualPlan = "standard"

    var usual = Int.max
    /// By the plan's name (`ASSET_PLAN_QUOTAS`).
    var plans: [String: Int] = [:]

    /// - Parameter own: set for this tenant alone.
    func bytes(own: Int?, plan: String?) -> Int { own ?? plans[plan ?? Self.usualPlan] ?? usual }
}

/// What `content-center quota <tenant> …` changes.
enum AssetQuotaChange: Sendable, Equatable {
    /// So many bytes, whatever the plan says.
    case own(Int)
    /// From now on by this plan, where nothing of the tenant's own is set.
    case plan(String)
    /// What the plan says.
    case usual

    /// - Returns: `nil` for what is none of these, or a plan that nobody knows.
    init?(_ word: String, plans: [String: Int]) {
        if word == "usual" {
            self = .usual
        } else if word.hasPrefix("plan:") {
            let plan = String(word.dropFirst("plan:".count))
            guard plans[plan] != nil else { return nil }
            self = .plan(plan)
        } else if let bytes = Int(word), bytes >= 0 {
            self = .own(bytes)
        } else {
            return nil
        }
    }
}
