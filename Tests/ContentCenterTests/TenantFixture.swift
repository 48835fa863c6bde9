import DTO
import Foundation
import HTTPCore
import HTTPServing
import PostgresStore
import TestSupport
import Testing

@testable import ContentCenter

extension ContentCenterHarness {
    /// Something of everything: two contents (three versions), one of them in the bin, a comment, a space, an asset, an upload under way, a
    /// material with an outcome, a job; and a row in every other table, but for exports and erasures.
    func fill(tenant: UUID) async throws {
        let all = ["contents:read", "contents:write", "materials:read", "materials:write", "materials:approve"]
        func post(_ path: String, _ body: some Encodable, headers: HTTPHeaders = [:]) async throws -> TestResponse {
            let answer = try await send(.post, path, tenant: tenant, scopes: all, headers: headers, body: JSON.encode(body))
            #expect(answer.status.isSuccess, "\(path) \(answer.status)")
            return answer
        }
        let (content, binned) = (try await create(tenant: tenant), try await create(tenant: tenant))
        #expect(try await patch(content.id, ContentPatch(title: "二"), ifVersion: 1, tenant: tenant).status == .ok)
        _ = try await post("/v1/contents/\(content.id.lowercase)/comments", NewContentComment(text: "短一点"))
        _ = try await post("/v1/contents/\(content.id.lowercase)/submit", ReviewNote(), headers: ["If-Match": "\"2\""])
        #expect(try await send(.delete, "/v1/contents/\(binned.id.lowercase)", tenant: tenant).status == .noContent)
        _ = try await send(.get, "/v1/contents/\(content.id.lowercase)/similar", tenant: tenant)
        _ = try await post("/v1/spaces", NewContentSpace(name: "项目"))
        let asset = try await upload(SampleFiles.png, as: "图.png", "image/png", tenant: tenant)
        let pending = try await presign(
            AssetPresignRequest(filename: "b.png", contentType: "image/png", size: 77), tenant: tenant)
        _ = try await put([UInt8](repeating: 1, count: 77), to: pending)
        let material = try await post(
            "/v1/materials", NewMaterial(kind: .file, title: "资料", assetIds: [asset.id])
        ).decode(Material.self)
        _ = try await post("/v1/materials/\(material.id.lowercase)/approve", ReviewNote(), headers: ["If-Match": "\"1\""])
        _ = try await post("/v1/materials/\(material.id.lowercase)/outcomes", NewMaterialOutcome(outcome: .sent))
        _ = try await post("/v1/contents/bulk", ContentBulkRequest(action: .restore, ids: [content.id]))
        try await indexer.takeInAll()
        try await fillTheRest(of: tenant, content: content.id, asset: asset.id)
    }

    /// What does not come by the service's own routes.
    private func fillTheRest(of tenant: UUID, content: UUID, asset: UUID) async throws {
        let (account, task, job) = (UUID(), UUID(), UUID.version7())
        let rows: [SQL] = [
            "search_changes (tenant_id, content_id) VALUES (\(tenant), \(content))",
            "search_words (tenant_id, word) VALUES (\(tenant), 'cat')",
            "search_segments (tenant_id, segment) VALUES (\(tenant), 1)",
            "search_asset_segments (tenant_id, segment) VALUES (\(tenant), 1)",
            "search_asset_changes (tenant_id, asset_id) VALUES (\(tenant), \(asset))",
            """
            search_vectors (tenant_id, content_id, version, model, signature, vector)
                VALUES (\(tenant), \(content), 2, 'm', B'10101010', decode(repeat('00', 32), 'hex'))
            """,
            """
            content_publish_status
                (tenant_id, content_id, account_id, platform, task_id, task_version, event_id, content_version, status, changed_at)
                VALUES (\(tenant), \(content), \(account), 'douyin', \(task), 1, \(task), 2, 'published', app_now())
            """,
            """
            content_publish_changes
                (tenant_id, content_id, account_id, platform, task_id, task_version, event_id, content_version, status, changed_at)
                VALUES (\(tenant), \(content), \(account), 'douyin', \(task), 1, \(task), 2, 'published', app_now())
            """,
            """
            content_performance
                (tenant_id, content_id, account_id, platform, version, event_id, plays, likes, comments, shares, measured_at)
                VALUES (\(tenant), \(content), \(account), 'douyin', 1, \(task), 1, 1, 1, 1, app_now())
            """,
            "content_points (tenant_id, content_id, points) VALUES (\(tenant), \(content), 1)",
            """
            account_profiles (tenant_id, account_id, platform, nickname, avatar_asset_id, version, event_id, changed_at)
                VALUES (\(tenant), \(account), 'douyin', '名', \(asset), 1, \(task), app_now())
            """,
            "inbox (tenant_id, consumer, event_id) VALUES (\(tenant), 'x', \(task))",
            "content_asset_bytes (tenant_id, asset_id, bytes) VALUES (\(tenant), \(asset), 'x')",
            "asset_folders (tenant_id, id, name, created_by) VALUES (\(tenant), \(UUID.version7()), '夹', 'x')",
            """
            asset_previews (tenant_id, asset_id, kind, object_id, media_type, width, height)
                VALUES (\(tenant), \(asset), 'thumbnail', \(UUID()), 'image/jpeg', 1, 1)
            """,
            "asset_garbage (tenant_id, object_id) VALUES (\(tenant), \(UUID()))",
            "asset_quotas (tenant_id, bytes) VALUES (\(tenant), 1000000)",
            """
            asset_uses (tenant_id, asset_id, content_id, version, pointer)
                VALUES (\(tenant), \(asset), \(content), 1, '/body/video/coverAssetId')
            """,
            "subtitle_texts (tenant_id, asset_id, sha256, text) VALUES (\(tenant), \(asset), 'x', '话')",
            "jobs (tenant_id, id, kind, payload, max_attempts) VALUES (\(tenant), \(job), 'media.batch', '{}', 1)",
            "asset_edits (tenant_id, asset_id, source_id) VALUES (\(tenant), \(asset), \(UUID()))",
            "asset_ancestors (tenant_id, asset_id, source_id) VALUES (\(tenant), \(UUID()), \(asset))",
            "job_steps (tenant_id, job_id, name, result) VALUES (\(tenant), \(job), 'outputs', '[]')",
            "media_jobs (tenant_id, id, type, asset_id) VALUES (\(tenant), \(job), 'subtitle', \(asset))",
            """
            media_outputs (tenant_id, job_id, kind, name, position, asset_id, details)
                VALUES (\(tenant), \(job), 'srt', 'srt', 0, \(asset), '{}')
            """,
        ]
        for row in rows { try await database.superuser.query("INSERT INTO \(row)") }
    }
}
