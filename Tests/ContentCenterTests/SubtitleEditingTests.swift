import DTO
import Foundation
import HTTPCore
import HTTPServing
import PostgresStore
import TestSupport
import Testing

@testable import ContentCenter

/// Subtitle files cue by cue, over both routes.
@Suite(.timeLimit(.minutes(2))) struct SubtitleEditingTests {
    private static let raw =
        "1\r\n00:00:00,000 --> 00:00:01,500\r\n<i>大家好</i>\r\n\r\n2\r\n00:00:01,500 --> 00:00:03,000\r\n今天\r\n聊聊\r\n\r\n"
    private static let cues = [
        AssetCue(startMs: 0, endMs: 1_500, lines: ["大家好"]), AssetCue(startMs: 1_500, endMs: 3_000, lines: ["今天", "聊聊"]),
    ]
    private static let edited = [AssetCue(startMs: 0, endMs: 1_500, lines: ["各位好"]), cues[1]]

    @Test func readsCuesAndKeepsEditedOnesAsAnotherAsset() async throws {
        try await ContentCenterHarness.run { service in
            let folder = try await service.send(.post, "/v1/asset-folders", body: Array(#"{"name": "字幕"}"#.utf8))
                .decode(AssetFolder.self)
            let uploaded = try await service.upload(Array(Self.raw.utf8), as: "讲座.srt", "application/x-subrip")
            let source = try await service.edit(
                uploaded, #"{"tags": ["口播"], "folderId": "\#(folder.id.lowercase)", "rights": {"holder": "我们"}}"#)
            let read = try await service.cues(source.id)
            #expect(try read.decode(AssetCues.self) == AssetCues(assetId: source.id, form: .srt, cues: Self.cues))
            let tag = try #require(read.headers["ETag"])
            #expect(tag == "\"\(source.sha256 ?? "")\"")
            #expect(try await service.cues(source.id, headers: ["If-None-Match": tag]).status == .notModified)
            #expect(try await service.cues(source.id, headers: ["If-None-Match": "\"0\""]).status == .ok)

            let answer = try await service.editCues(source.id, AssetCuesEdit(cues: Self.edited))
            #expect(answer.status == .created, "\(answer.text)")
            let asset = try answer.decode(LibraryAsset.self)
            #expect(answer.headers["Location"] == "/v1/assets/\(asset.id.lowercase)")
            #expect(asset.filename == "讲座-edited.srt" && asset.mediaType == "application/x-subrip" && asset.state == .ready)
            #expect(asset.tags == ["口播"] && asset.folderId == folder.id && asset.rights?.holder == "我们")
            #expect(try await service.asset(asset.id) == asset)
            #expect(try await service.cues(asset.id).decode(AssetCues.self).cues == Self.edited)
            #expect(try await service.cues(source.id).decode(AssetCues.self).cues == Self.cues)
            #expect(try await service.count("asset_garbage") == 0)

            let vtt = try await service.editCues(asset.id, AssetCuesEdit(form: .vtt, cues: Self.edited)).decode(LibraryAsset.self)
            #expect(vtt.filename == "讲座-edited.vtt" && vtt.mediaType == "text/vtt")
            let text = try await service.get(service.downloadURL(vtt.id).url).text
            #expect(text.hasPrefix("WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n各位好\n"))
        }
    }

    @Test func refusesWhatIsNoSubtitleFileAndKeepsNothing() async throws {
        try await ContentCenterHarness.run { service in
            let picture = try await service.upload(SampleFiles.png, as: "a.png", "image/png").id
            let pending = try await service.presign(
                AssetPresignRequest(filename: "a.srt", contentType: "application/x-subrip")
            ).assetId
            let good = try await service.upload(Array(Self.raw.utf8), as: "a.srt", "application/x-subrip").id
            let broken = try await service.upload(
                Array("1\n00:00:05,000 --> 00:00:04,000\n好\n".utf8), as: "b.srt", "application/x-subrip"
            ).id
            let before = (try await service.count("content_assets"), service.files().count)
            let edit = AssetCuesEdit(cues: Self.edited)
            for (id, code) in [(picture, "asset.not_subtitles"), (pending, "asset.not_ready")] {
                for answer in [try await service.cues(id), try await service.editCues(id, edit)] {
                    #expect(answer.status == .conflict)
                    #expect(try answer.problem().code == code)
                }
            }
            let unreadable = try await service.cues(broken, headers: ["Accept-Language": "en"])
            #expect(unreadable.status == .unprocessableContent)
            let problem = try unreadable.problem()
            #expect(problem.code == "asset.subtitles_unreadable" && problem.detail == "line 2: a cue that ends before it begins")
            #expect(problem.errors?.map(\.code) == ["ends_before_it_begins"])

            for id in [good, UUID()] {
                #expect(try await service.cues(id, tenant: UUID()).status == .notFound)
                #expect(try await service.editCues(id, edit, tenant: UUID()).status == .notFound)
            }
            #expect(try await service.cues(UUID()).status == .notFound)
            let path = "/v1/assets/\(good.lowercase)/cues"
            #expect(try await service.send(.get, path, scopes: ["contents:write"]).status == .forbidden)
            let body = try JSON.encode(edit)
            #expect(try await service.send(.post, path, scopes: ["contents:read"], body: body).status == .forbidden)
            var wrong = edit
            wrong.cues[1].lines = ["<b>粗</b>"]
            #expect(try await service.editCues(good, wrong).problem().errors?.map(\.pointer) == ["/cues/1/lines/0"])
            wrong.cues[1].endMs = 0
            #expect(try await service.editCues(good, wrong).problem().errors?.map(\.pointer) == ["/cues/1/endMs"])
            #expect(try await service.count("content_assets") == before.0)
            #expect(service.files().count == before.1)
            // What cannot be read can be written anew.
            #expect(try await service.editCues(broken, edit).status == .created)
        }
    }

    /// A repeat, and many at once, make one asset; the same bytes are kept once however many have them.
    @Test func anOperationMakesOneAsset() async throws {
        try await ContentCenterHarness.run { service in
            let source = try await service.upload(Array(Self.raw.utf8), as: "a.srt", "application/x-subrip").id
            let operation = UUID.version7()
            let edit = AssetCuesEdit(cues: Self.edited)
            let made = try await withThrowingTaskGroup(of: UUID.self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        let answer = try await service.editCues(source, edit, operation: operation)
                        #expect(answer.status == .created, "\(answer.text)")
                        return try answer.decode(LibraryAsset.self).id
                    }
                }
                return try await group.reduce(into: Set<UUID>()) { $0.insert($1) }
            }
            #expect(made.count == 1)
            let again = try await service.editCues(source, edit, operation: operation).decode(LibraryAsset.self)
            #expect(made.contains(again.id))
            let another = try await service.editCues(source, edit, operation: .version7()).decode(LibraryAsset.self)
            #expect(!made.contains(another.id) && another.sha256 == again.sha256)
            #expect(try await service.count("content_assets") == 3)
            #expect(try await service.count("asset_objects") == 2)
            #expect(try await service.count("asset_garbage") == 0)
            // The repeat finds it when its source is gone.
            #expect(try await service.send(.delete, "/v1/assets/\(source.lowercase)").status == .noContent)
            #expect(try await service.editCues(source, edit, operation: operation).decode(LibraryAsset.self).id == again.id)
            #expect(try await service.editCues(source, edit, operation: .version7()).status == .notFound)
        }
    }

    @Test func countsAgainstTheQuota() async throws {
        let size = Self.raw.utf8.count
        try await ContentCenterHarness.run(environment: ["ASSET_QUOTA_BYTES": "\(size + 10)"]) { service in
            let source = try await service.upload(Array(Self.raw.utf8), as: "a.srt", "application/x-subrip").id
            let files = service.files().count
            let refused = try await service.editCues(source, AssetCuesEdit(cues: Self.edited))
            #expect(refused.status == .conflict)
            #expect(try refused.problem().code == "asset.quota_exceeded")
            #expect(try await service.count("content_assets") == 1)
            #expect(try await service.count("asset_garbage") == 0)
            #expect(service.files().count == files)
        }
    }

    /// An edit is there for no more people than what it was made from, also when that is gone.
    @Test func isForNoMorePeopleThanItsSource() async throws {
        try await ContentCenterHarness.run { service in
            func status(_ id: UUID, _ roles: [String], _ edit: AssetCuesEdit? = nil) async throws -> HTTPStatus {
                let path = "/v1/assets/\(id.lowercase)/cues"
                let body = try edit.map { try JSON.encode($0) } ?? []
                return try await service.send(edit == nil ? .get : .post, path, subject: "somebody", roles: roles, body: body)
                    .status
            }
            let source = try await service.upload(Array(Self.raw.utf8), as: "a.srt", "application/x-subrip").id
            var limited = NewMaterial(kind: .file, title: "内部", assetIds: [source])
            limited.audience = ["sales_lead"]
            _ = try await service.material(limited)
            let edit = AssetCuesEdit(cues: Self.edited)
            #expect(try await status(source, ["operator"]) == .notFound)
            #expect(try await status(source, ["operator"], edit) == .notFound)
            #expect(try await status(source, ["sales_lead"]) == .ok)
            let first = try await service.editCues(source, edit).decode(LibraryAsset.self).id
            let second = try await service.editCues(first, AssetCuesEdit(form: .vtt, cues: Self.edited)).decode(LibraryAsset.self)
                .id
            for id in [first, second] {
                #expect(try await status(id, ["operator"]) == .notFound)
                #expect(try await status(id, ["operator"], edit) == .notFound)
                #expect(try await status(id, ["sales_lead"]) == .ok)
            }
            #expect(try await service.send(.delete, "/v1/assets/\(first.lowercase)").status == .noContent)
            #expect(try await status(second, ["operator"]) == .notFound)
            #expect(try await status(second, ["sales_lead"], edit) == .created)
        }
    }
}

extension ContentCenterHarness {
    func cues(_ id: UUID, tenant: UUID = tenant, headers: HTTPHeaders = [:]) async throws -> TestResponse {
        try await send(.get, "/v1/assets/\(id.lowercase)/cues", tenant: tenant, headers: headers)
    }

    func editCues(
        _ id: UUID, _ edit: AssetCuesEdit, tenant: UUID = tenant, operation: UUID? = nil
    ) async throws -> TestResponse {
        try await send(
            .post, "/v1/assets/\(id.lowercase)/cues", tenant: tenant, operation: operation, body: JSON.encode(edit))
    }
}
