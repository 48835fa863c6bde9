import FoundationEssentials
import Observability
import PostgresStore
import ServiceDefaults

/// The SQL of what tenants may keep.
struct AssetQuotaStore: Sendable {
    let system: Database

    func apply(_ change: AssetQuotaChange, to tenantId: UUID) async throws {
        switch change {
        case .own(let bytes):
            try await system.query(
                """
                INSERT INTO asset_quotas (tenant_id, bytes) VALUES (\(tenantId), \(bytes))
                ON CONFLICT (tenant_id) DO UPDATE SET bytes = EXCLUDED.bytes
                """)
        case .plan(let name):
            try await system.query(
                """
                INSERT INTO asset_quotas (tenant_id, plan) VALUES (\(tenantId), \(name))
                ON CONFLICT (tenant_id) DO UPDATE SET plan = EXCLUDED.plan
                """)
        case .usual: try await system.query("UPDATE asset_quotas SET bytes = NULL WHERE tenant_id = \(tenantId)")
        }
    }
}

/// Set by whoever runs the platform: `content-center quota <tenant> <bytes>|plan:<name>|usual`.
enum AssetQuota {
    struct WrongUsage: Error, CustomStringConvertible {
        let plans: [String]

        var description: String {
            let known = plans.isEmpty ? "ASSET_PLAN_QUOTAS has none" : "plans: \(plans.sorted().joined(separator: ", "))"
            return "usage: content-center quota <tenant> <bytes>|plan:<name>|usual (\(known))"
        }
    }

    static func run(_ settings: Settings, _ runtime: ServiceRuntime, _ arguments: [String]) async throws {
        let plans = settings.assetQuotas.plans
        guard arguments.count == 2, let tenant = UUID(text: arguments[0]),
            let change = AssetQuotaChange(arguments[1], plans: plans)
        else { throw WrongUsage(plans: Array(plans.keys)) }
        try await AssetQuotaStore(system: runtime.system).apply(change, to: tenant)
    }
}
