import DTO
import Foundation
import HTTPCore
import HTTPServing
import TestSupport
import Testing

@testable import ContentCenter

/// Files as clients upload and fetch them.
extension ContentCenterHarness {
    /// The files as the service has them.
    var library: Assets {
        Assets(store: AssetsStore(database: database.app), uses: AssetUsesStore(database: database.app), objects: objects)
    }

    func presign(_ request: AssetPresignRequest, tenant: UUID = tenant, operation: UUID? = nil) async throws -> AssetPresignAnswer
    {
        let answer = try await send(
            .post, "/v1/assets/presign", tenant: tenant, operation: operation, body: JSON.encode(request))
        #expect(answer.status == .created)
        return try answer.decode(AssetPresignAnswer.self)
    }

    func put(_ bytes: [UInt8], to presigned: AssetPresignAnswer) async throws -> TestResponse {
        try await listener.send(
            .put, Self.target(presigned.uploadUrl), headers: ["Content-Type": presigned.headers.contentType], body: bytes)
    }

    /// Announced, sent, completed.
    func upload(_ bytes: [UInt8], as name: String, _ type: String, tenant: UUID = tenant) async throws -> LibraryAsset {
        let presigned = try await presign(AssetPresignRequest(filename: name, contentType: type), tenant: tenant)
        #expect(try await put(bytes, to: presigned).status == .ok)
        let answer = try await send(.post, "/v1/assets/\(presigned.assetId.lowercase)/complete", tenant: tenant)
        #expect(answer.status == .ok)
        return try answer.decode(LibraryAsset.self)
    }

    func downloadURL(_ id: UUID, query: String = "") async throws -> AssetDownloadURL {
        let answer = try await send(.get, "/v1/assets/\(id.lowercase)/download-url\(query)")
        #expect(answer.status == .ok)
        return try answer.decode(AssetDownloadURL.self)
    }

    func get(_ url: String, headers: HTTPHeaders = [:]) async throws -> TestResponse {
        try await listener.send(.get, Self.target(url), headers: headers)
    }

    /// Path and query of a signed URL.
    static func target(_ url: String) -> String {
        let path = url.firstRange(of: "/objects/") ?? url.firstRange(of: "/hls/")
        return path.map { String(url[$0.lowerBound...]) } ?? url
    }

    /// Every file under the objects' folder.
    func files() -> [String] {
        let all = FileManager.default.enumerator(atPath: directory.path)?.compactMap { $0 as? String } ?? []
        return all.filter { name in
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: directory.appending(path: name).path, isDirectory: &isDirectory)
                && !isDirectory.boolValue
        }
    }
}
