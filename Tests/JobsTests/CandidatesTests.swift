import FoundationEssentials
import PostgresStore
import TestSupport
import Testing

@testable import Jobs

/// How many jobs a worker finds at a time: never more than it has places for.
@Suite(.timeLimit(.minutes(2))) struct CandidatesTests {
    /// PostgreSQL is free to look for the due ones anew for each row of the table, and does so where the table was small: then a limit
    /// inside a join holds for each look alone, and what was found before is passed over.
    @Test(arguments: [1, 3]) func noMoreThanAskedForWhateverThePlan(limit: Int) async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            _ = try await db.enqueue("work", tenant: tenant(1))
            try await db.superuser.query("ANALYZE job_due")
            for number in 2...8 { _ = try await db.enqueue("work", tenant: tenant(number)) }
            let found = try await JobLease.candidates(kinds: ["work"], limit: limit, lease: .seconds(30), system: db.system)
            #expect(found.count == limit)
            let next = try await JobLease.fairCandidates(
                kinds: ["work"], limit: limit, lease: .seconds(30), full: [], served: [], system: db.system)
            #expect(next.count == limit)
            #expect(Set(found.map(\.id)).isDisjoint(with: next.map(\.id)))
        }
    }
}
