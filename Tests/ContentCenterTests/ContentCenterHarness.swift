import DTO
import Foundation
import HTTPCore
import HTTPServing
import Jobs
import Messaging
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import ContentCenter

/// content-center in process, on a database of its own.
struct ContentCenterHarness {
    static let template = DatabaseTemplate(service: "content", migrations: Application.migrations)
    static let tenant = TestContext.tenant

    let client: InProcessClient
    let database: TestDatabase
    /// The object listener's routes, in process.
    let listener: InProcessClient
    let objects: LocalObjectStore
    /// Not running: a test lets it work when it wants.
    let worker: JobWorker
    /// Not running either.
    let media: MediaWorkers
    /// Where the objects are.
    let directory: URL

    /// - Parameter environment: further settings.
    static func run(
        environment: [String: String] = [:], _ body: @escaping @Sendable (ContentCenterHarness) async throws -> Void
    ) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "objects-\(UUID().lowercase)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try await TestDatabase.withClone(of: template) { database in
            try await TestApplication.run(
                Application.self, database: database.appConfiguration.url, system: database.systemConfiguration.url,
                environment: ["OBJECT_DIRECTORY": directory.path, "OBJECT_LISTENER_PORT": "0"].merging(environment) { $1 }
            ) { app in
                let service = try ContentCenterHarness(app, database: database, directory: directory)
                try await service.objects.prepare()
                try await body(service)
            }
        }
    }

    init(_ app: TestApplication, database: TestDatabase, directory: URL = FileManager.default.temporaryDirectory) throws {
        let listener = try #require(app.service.parts.background.compactMap { $0 as? ObjectListener }.first)
        client = app.client
        self.database = database
        self.listener = InProcessClient(listener.router)
        objects = listener.objects
        worker = try #require(app.service.parts.background.compactMap { $0 as? JobWorker }.first)
        media = try #require(app.service.parts.background.compactMap { $0 as? MediaWorkers }.first)
        self.directory = directory
    }

    func send(
        _ method: HTTPMethod, _ path: String, tenant: UUID = tenant, subject: String = "user-1", roles: [String] = ["operator"],
        scopes: [String] = ["contents:read", "contents:write"], operation: UUID? = nil, headers: HTTPHeaders = [:],
        body: [UInt8] = []
    ) async throws -> TestResponse {
        let principal = TestContext.principal(tenant: tenant, subject: subject, roles: roles, scopes: scopes)
        var all = try TestContext.headers(to: .contentCenter, as: principal, operation: operation)
        if !body.isEmpty { all["Content-Type"] = "application/json" }
        for (name, value) in headers { all[name] = value }
        return try await client.send(method, path, headers: all, body: body)
    }

    func create(_ draft: NewContent = .sample, tenant: UUID = tenant, operation: UUID? = nil) async throws -> Content {
        let response = try await send(.post, "/v1/contents", tenant: tenant, operation: operation, body: JSON.encode(draft))
        #expect(response.status == .created)
        return try response.decode(Content.self)
    }

    func patch(
        _ id: UUID, _ patch: ContentPatch, ifVersion version: Int, tenant: UUID = tenant, operation: UUID? = nil
    ) async throws -> TestResponse {
        try await send(
            .patch, "/v1/contents/\(id.uuidString.lowercased())", tenant: tenant, operation: operation,
            headers: ["If-Match": "\"\(version)\""], body: JSON.encode(patch))
    }

    func page(_ path: String, tenant: UUID = tenant) async throws -> Page<ContentSummary> {
        let response = try await send(.get, path, tenant: tenant)
        #expect(response.status == .ok)
        return try response.decode(Page<ContentSummary>.self)
    }

    /// What waits in the outbox, or has left it, in its order.
    func events() async throws -> [CloudEvent] {
        try await database.superuser.query("SELECT event::text AS event FROM outbox ORDER BY id").map { row in
            try CloudEvent(decoding: Array(row.decode("event", as: String.self).utf8))
        }
    }

    /// Counts rows as the superuser, past row-level security.
    func count(_ table: String) async throws -> Int {
        try await database.superuser.query("SELECT count(*) AS n FROM \(identifier: table)").only.decode("n")
    }
}

extension NewContent {
    static let sample = NewContent(
        step: "title_set", title: "猫砂盆",
        body: .titleSet(
            TitleSetBody(
                topic: "猫砂盆", platform: .douyin,
                candidates: [
                    TitleSetCandidate(title: "猫砂盆这样选，家里再没味道", score: 88, reasons: ["长度合适（13/30）"], formula: "benefit"),
                    TitleSetCandidate(title: "3 个细节看懂猫砂盆", score: 81, reasons: ["含数字"], formula: "number"),
                ])),
        source: VersionSource(kind: .model, name: "deepseek-v4-flash", promptVersion: "title.douyin@1"))

    func named(_ title: String) -> NewContent {
        var draft = self
        draft.title = title
        return draft
    }
}

extension UUID {
    var lowercase: String { uuidString.lowercased() }
}

extension Content {
    /// The titles of a title set.
    var titles: TitleSetBody? { if case .titleSet(let body) = body { body } else { nil } }
}
