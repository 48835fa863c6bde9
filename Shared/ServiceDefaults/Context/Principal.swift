public import FoundationEssentials

/// For whom a request is made: a user of a tenant, an API client, or a service that works by itself.
public struct Principal: Sendable, Hashable {
    /// The only source of the tenant there is (design law 3).
    public var tenantId: UUID
    /// A user's id, `client:<id>`, or `service:<name>` for background work.
    public var subject: String
    public var roles: [String]
    public var scopes: [String]
    /// The job or event that background work belongs to.
    public var actingJob: String?

    public init(tenantId: UUID, subject: String, roles: [String] = [], scopes: [String] = [], actingJob: String? = nil) {
        self.tenantId = tenantId
        self.subject = subject
        self.roles = roles
        self.scopes = scopes
        self.actingJob = actingJob
    }

    /// Two who differ in the rest only are rare, and cheaper to compare than to hash.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(tenantId)
        hasher.combine(subject)
    }

    /// What a job or an event handler works as. The tenant comes from a row that we wrote ourselves, or from a verified event.
    public static func service(_ name: ServiceName, tenantId: UUID, job: String) -> Principal {
        Principal(tenantId: tenantId, subject: "service:\(name.rawValue)", actingJob: job)
    }
}
