import Cryptography
import DTO
import Foundation
import HTTPCore
import HTTPServing
import Jobs
import Messaging
import Observability
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import ContentCenter

/// A tenant's data taken out, erased, counted.
@Suite(.timeLimit(.minutes(3))) struct TenantLifeTests {
    // MARK: Erasure

    /// Every table with a tenant in it is on the list, and the list names no other: a new table cannot be forgotten.
    @Test func noTableIsForgotten() async throws {
        try await ContentCenterHarness.run { service in
            let tables = try await service.database.superuser.query(
                """
                SELECT c.relname::text AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
                    AND a.attname = 'tenant_id' AND NOT a.attisdropped AND c.relname <> 'outbox'
                """
            ).map { try $0.decode("name", as: String.self) }
            #expect(Set(tables) == Set(TenantData.all.map(\.table)))
            #expect(Set(tables).count == TenantData.all.count)
        }
    }

    @Test func nothingIsLeftButTheTombstoneAndNothingNewComes() async throws {
        try await ContentCenterHarness.run { service in
            let other = UUID()
            try await service.fill(tenant: other)
            try await service.fill(tenant: ContentCenterHarness.tenant)
            _ = try await service.tenant(.post, "/exports")
            let before = try await service.rows(of: other)
            #expect(service.files().count > 2)
            // Of a table that nothing is in, this would show nothing.
            let empty = try await service.rows(of: ContentCenterHarness.tenant).filter { $0.value == 0 }.map(\.key)
            #expect(Set(empty) == ["tenant_erasures"])

            let operation = UUID()
            let ordered = try await service.tenant(.post, "/erasure", operation: operation, body: service.confirmation)
            #expect(ordered.status == .accepted)
            let erasure = try ordered.decode(TenantErasure.self)
            #expect(erasure.state == .queued)
            // From the order on.
            let late = try await service.send(.post, "/v1/contents", body: JSON.encode(NewContent.sample))
            #expect(late.status == .forbidden)
            #expect(try late.problem().code == "tenant.erased")
            let again = try await service.tenant(.post, "/erasure", operation: operation, body: service.confirmation)
            #expect(try again.decode(TenantErasure.self).id == erasure.id)

            await service.worker.begin(erasure.id, tenant: ContentCenterHarness.tenant).value
            let done = try await service.tenant(.get, "/erasure").decode(TenantErasure.self)
            #expect(done.state == .succeeded)
            #expect(done.progress == 100)
            #expect(done.finishedAt != nil)
            #expect(done.counts.first { $0.name == "content_versions" }?.count == 3)
            #expect(done.counts.first { $0.name == "content_assets" }?.count == 2)

            let left = try await service.rows(of: ContentCenterHarness.tenant).filter { $0.value > 0 }
            #expect(left == ["jobs": 1, "job_steps": 2, "tenant_erasures": 1, "asset_quotas": 1])
            #expect(try await service.rows(of: other) == before)
            #expect(service.files().count == 2)
            let events = try await service.events().filter { $0.subject == ContentCenterHarness.tenant.text }
            #expect(events.map(\.type) == [TenantErasureOrdered.type, TenantContentErased.type])
            #expect(events.map(\.version) == [1, 2])
            #expect(try events.first?.decode(TenantErasureOrdered.self).erasureId == erasure.id)
            #expect(try events.last?.decode(TenantContentErased.self).counts == done.counts)

            let twice = try await service.tenant(.post, "/erasure", body: service.confirmation)
            #expect(try twice.problem().code == "tenant.erased_before")
            let asset = try await service.send(
                .post, "/v1/assets/presign", body: JSON.encode(AssetPresignRequest(filename: "a.png", contentType: "image/png")))
            #expect(asset.status == .forbidden)
            #expect(try await service.tenant(.post, "/exports").status == .forbidden)
            let bulk = ContentBulkRequest(action: .delete, ids: [UUID()])
            #expect(try await service.send(.post, "/v1/contents/bulk", body: JSON.encode(bulk)).status == .forbidden)
            // Nor does an event bring a face back.
            for event in AccountTale().events { try await service.hearOfAccount(event) }
            #expect(service.files().count == 2)
            #expect(try await service.rows(of: ContentCenterHarness.tenant).filter { $0.value > 0 } == left)
        }
    }

    /// What is at work on something of the tenant may keep it after its rows are gone: it is stopped first, and waited for.
    @Test func whatIsAtWorkEndsBeforeAnythingGoes() async throws {
        try await ContentCenterHarness.run { service in
            try await service.fill(tenant: ContentCenterHarness.tenant)
            let export = try await service.tenant(.post, "/exports").decode(TenantExport.self)
            _ = try await service.database.superuser.query(
                "UPDATE jobs SET state = 'running', lease_until = app_now() + interval '1 hour' WHERE id = \(export.id)")
            let erasure = try await service.tenant(.post, "/erasure", body: service.confirmation).decode(TenantErasure.self)
            let work = service.worker.begin(erasure.id, tenant: ContentCenterHarness.tenant)
            try await eventually {
                try await service.database.superuser.query(
                    "SELECT count(*) AS n FROM jobs WHERE id = \(export.id) AND cancel_requested_at IS NOT NULL"
                ).only.decode("n", as: Int.self) == 1
            }
            #expect(try await service.count("contents") > 0)
            _ = try await service.database.superuser.query("UPDATE jobs SET state = 'cancelled' WHERE id = \(export.id)")
            await work.value
            #expect(try await service.tenant(.get, "/erasure").decode(TenantErasure.self).state == .succeeded)
            #expect(service.files() == [])
        }
    }

    /// A worker that dies half-way leaves a lease; whoever takes the job up afterwards goes on.
    @Test func anErasureThatWasInterruptedGoesOn() async throws {
        try await ContentCenterHarness.run { service in
            try await service.fill(tenant: ContentCenterHarness.tenant)
            // The store is away after the texts have gone.
            let kept = service.directory.appending(path: "kept")
            let away = service.directory.appending(path: "away")
            try FileManager.default.moveItem(at: kept, to: away)
            try Data().write(to: kept)
            let erasure = try await service.tenant(.post, "/erasure", body: service.confirmation).decode(TenantErasure.self)
            await service.worker.begin(erasure.id, tenant: ContentCenterHarness.tenant).value
            let half = try await service.tenant(.get, "/erasure").decode(TenantErasure.self)
            #expect(half.state == .queued)
            #expect(half.progress > 0)
            #expect(try await service.count("contents") == 0)
            try FileManager.default.removeItem(at: kept)
            try FileManager.default.moveItem(at: away, to: kept)
            try await service.database.setClock(offset: .seconds(60))
            await service.worker.begin(erasure.id, tenant: ContentCenterHarness.tenant).value
            let done = try await service.tenant(.get, "/erasure").decode(TenantErasure.self)
            #expect(done.state == .succeeded)
            #expect(done.counts == half.counts)
            #expect(service.files() == [])
        }
    }

    /// Whoever began to write before the order is waited for, and what they wrote goes too.
    @Test func aWriteThatRacesTheOrderIsErasedOrRefused() async throws {
        try await ContentCenterHarness.run { service in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        if number == 20 {
                            return try await service.tenant(.post, "/erasure", body: service.confirmation).status.code
                        }
                        return try await service.send(.post, "/v1/contents", body: JSON.encode(NewContent.sample)).status.code
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(statuses).isSubset(of: [201, 202, 403]))
            let erasure = try await service.tenant(.get, "/erasure").decode(TenantErasure.self)
            await service.worker.begin(erasure.id, tenant: ContentCenterHarness.tenant).value
            #expect(try await service.tenant(.get, "/erasure").decode(TenantErasure.self).state == .succeeded)
            #expect(try await service.count("contents") == 0)
        }
    }

    @Test func onlyWhoMayAndConfirmsErases() async throws {
        try await ContentCenterHarness.run { service in
            for (body, pointer) in [
                (#"{}"#, "/confirmation"), (#"{"confirmation": "yes"}"#, "/confirmation"),
                (#"{"confirmation": "erase \#(UUID().lowercase)"}"#, "/confirmation"),
            ] {
                let answer = try await service.tenant(.post, "/erasure", json: body)
                #expect(try answer.problem().errors?.map(\.pointer) == [pointer])
            }
            for (method, path) in [(HTTPMethod.post, "/erasure"), (.get, "/erasure"), (.post, "/exports"), (.get, "/storage")] {
                let answer = try await service.send(method, "/v1/tenant\(path)", body: method == .post ? Array("{}".utf8) : [])
                #expect(answer.status == .forbidden, "\(path)")
            }
            #expect(try await service.tenant(.get, "/erasure").status == .notFound)
            #expect(try await service.count("tenant_erasures") == 0)
        }
    }

    // MARK: Export

    @Test func anExportHasEverythingAndIsNotInTheNext() async throws {
        try await ContentCenterHarness.run { service in
            try await service.fill(tenant: ContentCenterHarness.tenant)
            try await service.fill(tenant: UUID())
            let operation = UUID()
            let ordered = try await service.tenant(.post, "/exports", operation: operation)
            #expect(ordered.status == .accepted)
            let export = try ordered.decode(TenantExport.self)
            #expect(try await service.tenant(.post, "/exports", operation: operation).decode(TenantExport.self).id == export.id)
            #expect(try await service.tenant(.post, "/exports").problem().code == "tenant.export_running")
            await service.worker.begin(export.id, tenant: ContentCenterHarness.tenant).value
            let done = try await service.tenant(.get, "/exports/\(export.id.lowercase)").decode(TenantExport.self)
            #expect(done.state == .succeeded)
            let counts = Dictionary(uniqueKeysWithValues: (done.counts ?? []).map { ($0.name, $0.count) })
            #expect(counts["contents"] == 2)
            #expect(counts["content_versions"] == 3)
            #expect(counts["content_comments"] == 1)
            #expect(counts["content_assets"] == 2)
            #expect(counts["asset_files"] == 1)
            #expect(counts["materials"] == 1)
            let archive = try await service.get(#require(done.downloadUrl))
            #expect(archive.headers["Content-Type"] == "application/zip")
            #expect(archive.body.count == done.size)
            #expect(SHA256.hash(archive.body).hexadecimal == done.sha256)
            #expect(archive.body.firstRange(of: SampleFiles.png) != nil)
            #expect(try await service.tenant(.get, "/exports/\(export.id.lowercase)", tenant: UUID()).status == .notFound)

            let told = try await service.events().filter { $0.type == TenantExportCompleted.type }
            #expect(try told.map { try $0.decode(TenantExportCompleted.self).exportId } == [export.id])

            let next = try await service.tenant(.post, "/exports").decode(TenantExport.self)
            await service.worker.begin(next.id, tenant: ContentCenterHarness.tenant).value
            let second = try await service.tenant(.get, "/exports/\(next.id.lowercase)").decode(TenantExport.self)
            #expect(second.counts == done.counts)
            let storage = try await service.tenant(.get, "/storage").decode(TenantStorage.self)
            #expect(storage.exports.count == 2)

            // After a week they are gone.
            let sweeper = ExportSweeper(system: service.database.system, objects: service.objects, logger: .silent)
            #expect(try await sweeper.sweep() == 0)
            try await service.database.setClock(offset: .seconds(8 * 86_400))
            #expect(try await service.tenant(.get, "/exports/\(next.id.lowercase)").status == .notFound)
            #expect(try await sweeper.sweep() == 2)
            #expect(try await service.get(#require(done.downloadUrl)).status == .notFound)
        }
    }

    @Test func exportsAreListedNewestFirst() async throws {
        try await ContentCenterHarness.run { service in
            var ids: [UUID] = []
            for _ in 0..<3 {
                let export = try await service.tenant(.post, "/exports").decode(TenantExport.self)
                await service.worker.begin(export.id, tenant: ContentCenterHarness.tenant).value
                ids.insert(export.id, at: 0)
            }
            let first = try await service.tenant(.get, "/exports?limit=2").decode(Page<TenantExport>.self)
            #expect(first.items.map(\.id) == Array(ids.prefix(2)))
            let archive = try await service.get(try #require(first.items.first?.downloadUrl))
            #expect(archive.body.count == first.items.first?.size)
            let cursor = try #require(first.nextCursor)
            let second = try await service.tenant(.get, "/exports?limit=2&cursor=\(cursor)").decode(Page<TenantExport>.self)
            #expect(second.items.map(\.id) == Array(ids.suffix(1)) && second.nextCursor == nil)
            let other = try await service.tenant(.get, "/exports?cursor=\(cursor)", tenant: UUID())
            #expect(try other.decode(Page<TenantExport>.self).items.isEmpty)
            for (query, pointer) in [("limit=0", "?limit"), ("cursor=x", "?cursor"), ("colour=1", "?colour")] {
                #expect(try await service.tenant(.get, "/exports?\(query)").problem().errors?.map(\.pointer) == [pointer])
            }
            #expect(try await service.send(.get, "/v1/tenant/exports").status == .forbidden)
        }
    }

    /// In the middle of its work, or before it begins.
    @Test(arguments: [true, false]) func aCanceledExportLeavesNothing(isUnderWay: Bool) async throws {
        try await ContentCenterHarness.run { service in
            try await service.fill(tenant: ContentCenterHarness.tenant)
            let before = service.files().sorted()
            let export = try await service.tenant(.post, "/exports").decode(TenantExport.self)
            let path = "/exports/\(export.id.lowercase)"
            if isUnderWay {
                try await service.database.superuser.transaction { transaction in
                    // What comes late in the archive: much of it is written by then.
                    _ = try await transaction.execute("LOCK TABLE content_assets IN ACCESS EXCLUSIVE MODE")
                    let work = service.worker.begin(export.id, tenant: ContentCenterHarness.tenant)
                    try await eventually { try await service.waitsFor("content_assets") }
                    #expect(service.files().contains { $0.hasPrefix("writing/export-\(export.id.lowercase)") })
                    #expect(try await service.tenant(.post, "\(path)/cancel").status == .ok)
                    await work.value
                    #expect(service.files().sorted() == before)
                }
            } else {
                #expect(try await service.tenant(.post, "\(path)/cancel").decode(TenantExport.self).state == .canceled)
                await service.worker.begin(export.id, tenant: ContentCenterHarness.tenant).value
            }
            let canceled = try await service.tenant(.get, path).decode(TenantExport.self)
            #expect(canceled.state == .canceled && canceled.downloadUrl == nil)
            #expect(service.files().sorted() == before)
            #expect(try await service.events().filter { $0.type.hasPrefix("tenant.export.") }.isEmpty)
            // Nor is it in the way of the next.
            let next = try await service.tenant(.post, "/exports").decode(TenantExport.self)
            await service.worker.begin(next.id, tenant: ContentCenterHarness.tenant).value
            #expect(try await service.tenant(.get, "/exports/\(next.id.lowercase)").decode(TenantExport.self).state == .succeeded)
        }
    }

    /// The lease goes to somebody else while the archive is written: theirs counts, and the first leaves nothing beside it.
    @Test func anExportThatIsTakenUpByAnotherIsThereOnce() async throws {
        try await ContentCenterHarness.run { service in
            try await service.fill(tenant: ContentCenterHarness.tenant)
            let before = service.files().count
            let export = try await service.tenant(.post, "/exports").decode(TenantExport.self)
            let first = try await service.database.superuser.transaction { transaction in
                _ = try await transaction.execute("LOCK TABLE content_assets IN ACCESS EXCLUSIVE MODE")
                let work = service.worker.begin(export.id, tenant: ContentCenterHarness.tenant)
                try await eventually { try await service.waitsFor("content_assets") }
                // As if it had been silent for long.
                try await service.database.superuser.query(
                    "UPDATE jobs SET lease_until = app_now() - interval '1 second' WHERE id = \(export.id)")
                try await service.database.superuser.query("UPDATE job_due SET due_at = app_now() WHERE job_id = \(export.id)")
                return work
            }
            await service.worker.begin(export.id, tenant: ContentCenterHarness.tenant).value
            await first.value
            let done = try await service.tenant(.get, "/exports/\(export.id.lowercase)").decode(TenantExport.self)
            #expect(done.state == .succeeded)
            #expect(try await service.get(try #require(done.downloadUrl)).body.count == done.size)
            #expect(service.files().count == before + 1)
            #expect(try await service.events().filter { $0.type == TenantExportCompleted.type }.count == 1)
        }
    }

    /// Killed between the archive's being there and the job's end: whoever takes the job up has nothing left to do, and nobody is told twice.
    @Test func anExportThatIsThereIsNotMadeAgain() async throws {
        try await ContentCenterHarness.run { service in
            try await service.fill(tenant: ContentCenterHarness.tenant)
            let export = try await service.tenant(.post, "/exports").decode(TenantExport.self)
            await service.worker.begin(export.id, tenant: ContentCenterHarness.tenant).value
            try await service.database.superuser.query(
                """
                UPDATE jobs SET state = 'running', lease_until = app_now() - interval '1 second', finished_at = NULL
                WHERE id = \(export.id)
                """)
            let made = try await service.tenant(.get, "/exports/\(export.id.lowercase)").decode(TenantExport.self)
            #expect(made.state == .running)
            await service.worker.begin(export.id, tenant: ContentCenterHarness.tenant).value
            let done = try await service.tenant(.get, "/exports/\(export.id.lowercase)").decode(TenantExport.self)
            #expect(done.state == .succeeded && done.sha256 == made.sha256 && done.expiresAt == made.expiresAt)
            #expect(try await service.events().filter { $0.type == TenantExportCompleted.type }.count == 1)
        }
    }

    @Test func whoWaitsForAnExportLearnsThatItFailed() async throws {
        try await ContentCenterHarness.run { service in
            try await service.fill(tenant: ContentCenterHarness.tenant)
            let export = try await service.tenant(.post, "/exports").decode(TenantExport.self)
            try await service.database.superuser.query("UPDATE jobs SET max_attempts = 2 WHERE id = \(export.id)")
            // The disk is away.
            let writing = service.directory.appending(path: "writing")
            try FileManager.default.removeItem(at: writing)
            func failures() async throws -> [UUID] {
                try await service.events().filter { $0.type == TenantExportFailed.type }.map {
                    try $0.decode(TenantExportFailed.self).exportId
                }
            }
            await service.worker.begin(export.id, tenant: ContentCenterHarness.tenant).value
            #expect(try await failures() == [])
            try await service.database.setClock(offset: .seconds(3_600))
            await service.worker.begin(export.id, tenant: ContentCenterHarness.tenant).value
            #expect(try await failures() == [export.id])
            #expect(try await service.tenant(.get, "/exports/\(export.id.lowercase)").decode(TenantExport.self).state == .failed)
            try FileManager.default.createDirectory(at: writing, withIntermediateDirectories: true)
            #expect(try await service.tenant(.post, "/exports").status == .accepted)
        }
    }

    @Test func rowsAreNamedAsInTheAPI() throws {
        let line = try ExportRow.line(Array(#"{"created_at": "x", "prompt_version": null, "body": {"a_b": 1}}"#.utf8))
        #expect(String(decoding: line, as: UTF8.self) == #"{"createdAt":"x","body":{"a_b":1}}"# + "\n")
    }

    // MARK: Storage

    @Test func theReportCountsWhatThereIs() async throws {
        try await ContentCenterHarness.run { service in
            try await service.fill(tenant: ContentCenterHarness.tenant)
            let storage = try await service.tenant(.get, "/storage").decode(TenantStorage.self)
            #expect(storage.contents.map(\.kind) == [.titleSet])
            #expect(storage.contents.map(\.contents) == [1] && storage.contents.map(\.versions) == [2])
            #expect(storage.contents.allSatisfy { $0.bytes > 0 })
            #expect(storage.bin.count == 1)
            #expect(
                storage.assets == [AssetStorage(mediaType: "image/png", origin: "upload", count: 1, bytes: SampleFiles.png.count)]
            )
            #expect(storage.pendingUploads == StorageSum(count: 1, bytes: 77))
            #expect(storage.materials.count == 1)
            #expect(storage.usage.bytes == SampleFiles.png.count)
            let empty = try await service.tenant(.get, "/storage", tenant: UUID()).decode(TenantStorage.self)
            #expect(empty.contents.isEmpty && empty.assets.isEmpty && empty.usage.bytes == 0)
        }
    }
}

extension ContentCenterHarness {
    fileprivate var confirmation: TenantErasureOrder {
        TenantErasureOrder(confirmation: Privacy.confirmation(of: Self.tenant))
    }

    fileprivate func tenant(
        _ method: HTTPMethod, _ path: String, tenant: UUID = tenant, operation: UUID? = nil, json: String = ""
    ) async throws -> TestResponse {
        try await send(
            method, "/v1/tenant\(path)", tenant: tenant, scopes: ["tenant:manage"], operation: operation, body: Array(json.utf8))
    }

    fileprivate func tenant(
        _ method: HTTPMethod, _ path: String, operation: UUID? = nil, body: some Encodable
    ) async throws -> TestResponse {
        try await tenant(method, path, operation: operation, json: String(decoding: JSON.encode(body), as: UTF8.self))
    }

    /// Whether somebody waits for a lock of the table.
    fileprivate func waitsFor(_ table: String) async throws -> Bool {
        try await !database.superuser.query(
            "SELECT FROM pg_locks WHERE relation = \(table)::regclass AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).isEmpty
    }

    /// How many rows each table has of a tenant.
    fileprivate func rows(of tenant: UUID) async throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for data in TenantData.all {
            counts[data.table] = try await database.superuser.query(
                "SELECT count(*) AS n FROM \(identifier: data.table) WHERE tenant_id = \(tenant)"
            ).only.decode("n")
        }
        return counts
    }
}
