public import FoundationEssentials
public import PostgresStore

/// Durable work: the row is the truth, whoever holds its lease works on it, and what a step has done is not done again.
public enum Jobs {
    /// SQL of the tables `jobs`, `job_steps` and `job_due`, for a service's migration, after ``PlatformSchema/v1(app:system:)``.
    ///
    /// `job_due` is what the system role looks at to find work: it leads to (tenant, id) and holds nothing else. Its instant is when a
    /// job may be claimed: when it is to begin, or when the lease of whoever works on it ends. So a worker that died needs no reaper of
    /// its own: its job falls due again.
    public static func schemaV1(app: String, system: String) -> String {
        """
        CREATE TABLE jobs (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            kind text NOT NULL,
            dedupe_key text,
            payload jsonb NOT NULL,
            state text NOT NULL DEFAULT 'queued'
                CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
            progress smallint NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
            attempt integer NOT NULL DEFAULT 0,
            max_attempts integer NOT NULL CHECK (max_attempts > 0),
            fence bigint NOT NULL DEFAULT 0,
            lease_until timestamptz,
            cancel_requested_at timestamptz,
            result jsonb,
            failure text,
            created_at timestamptz NOT NULL DEFAULT app_now(),
            started_at timestamptz,
            finished_at timestamptz,
            PRIMARY KEY (tenant_id, id),
            UNIQUE (tenant_id, kind, dedupe_key)
        );
        CREATE TABLE job_steps (
            tenant_id uuid NOT NULL,
            job_id uuid NOT NULL,
            name text NOT NULL,
            result jsonb NOT NULL,
            done_at timestamptz NOT NULL DEFAULT app_now(),
            PRIMARY KEY (tenant_id, job_id, name),
            FOREIGN KEY (tenant_id, job_id) REFERENCES jobs ON DELETE CASCADE
        );
        CREATE TABLE job_due (
            tenant_id uuid NOT NULL,
            job_id uuid NOT NULL,
            kind text NOT NULL,
            due_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, job_id),
            FOREIGN KEY (tenant_id, job_id) REFERENCES jobs ON DELETE CASCADE
        );
        CREATE INDEX job_due_at ON job_due (kind, due_at);
        \(TenantTable.secure("jobs", app: app))
        \(TenantTable.secure("job_steps", app: app))
        \(TenantTable.secure("job_due", app: app, system: system, systemPrivileges: "SELECT, UPDATE"))
        """
    }
}

public enum JobState: String, Sendable, Codable, PostgresArrayElement, PostgresDecodable {
    case queued, running, succeeded, failed, cancelled

    public var isFinal: Bool { self != .queued && self != .running }
}

/// A job that is over, as whoever listens is told in the transaction that ends it.
public struct JobEnd: Sendable, Equatable {
    public let tenant: UUID
    public let id: UUID
    public let kind: String
    /// Final.
    public let state: JobState

    /// Writes what must become true together with a job's end; if it throws, the job has not ended.
    public typealias Observer = @Sendable (JobEnd, Transaction) async throws -> Void
}

/// Thrown by a handler for work that no repetition will bring about; the job fails at once. The reason is stored for people.
public struct PermanentJobFailure: Error, Sendable, CustomStringConvertible {
    public let reason: String

    public init(_ reason: String) { self.reason = reason }

    public var description: String { reason }
}

/// The job belongs to somebody else by now, or is over: whatever this worker still wants to write is refused.
public struct JobLeaseLost: Error, Sendable, Equatable {}
