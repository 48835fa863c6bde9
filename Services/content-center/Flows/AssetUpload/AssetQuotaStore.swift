import FoundationEssentials
import Observability
import PostgresStore
import ServiceDefaults

/// What a tenant's plan allows it to keep, set by whoever runs the platform: `content-center quota <tenant> <bytes>`.
enum AssetQuota {
    struct WrongUsage: Error, CustomStringConvertible {
        let description = "usage: content-center quota <tenant> <bytes>|usual"
    }

    static func run(_ settings: Settings, _ runtime: ServiceRuntime, _ arguments: [String]) async throws {
        guard arguments.count == 2, let tenant = UUID(text: arguments[0]) else { throw WrongUsage() }
        if arguments[1] == "usual" {
            try await runtime.system.query("DELETE FROM asset_quotas WHERE tenant_id = \(tenant)")
        } else if let bytes = Int(arguments[1]), bytes >= 0 {
            try await runtime.system.query(
                """
                INSERT INTO asset_quotas (tenant_id, bytes) VALUES (\(tenant), \(bytes))
                ON CONFLICT (tenant_id) DO UPDATE SET bytes = EXCLUDED.bytes
                """)
        } else {
            throw WrongUsage()
        }
    }
}
