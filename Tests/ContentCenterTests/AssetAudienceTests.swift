import DTO
import Foundation
import HTTPCore
import HTTPServing
import ServiceDefaults
import TestSupport
import Testing

@testable import ContentCenter

/// Files of materials that are made for some roles: they are for those roles over every route.
@Suite struct AssetAudienceTests {
    @Test func isNotThereForOtherRolesOverAnyRoute() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleFiles.png, as: "价格表.png", "image/png")
            _ = try await service.edit(asset, #"{"tags": ["报价"]}"#)
            _ = try await service.material(.limited([asset.id]))
            let path = "/v1/assets/\(asset.id.lowercase)"
            for suffix in ["", "/content", "/download-url", "/uses"] {
                #expect(try await service.ask(.get, path + suffix).status == .notFound, "\(suffix)")
                #expect(try await service.ask(.get, path + suffix, roles: ["sales_lead"]).status == .ok, "\(suffix)")
            }
            #expect(try await service.ask(.get, "/v1/assets").decode(Page<LibraryAsset>.self).items.isEmpty)
            let theirs = try await service.ask(.get, "/v1/assets", roles: ["sales_lead"]).decode(Page<LibraryAsset>.self)
            #expect(theirs.items.map(\.id) == [asset.id])
            #expect(try await service.ask(.get, "/v1/assets/tags").decode(AssetTags.self).items.isEmpty)
            let tags = try await service.ask(.get, "/v1/assets/tags", roles: ["sales_lead"]).decode(AssetTags.self).items
            #expect(tags == [AssetTag(tag: "报价", assets: 1)])

            let tag: HTTPHeaders = ["If-Match": "\"\(try await service.asset(asset.id).revision)\""]
            #expect(try await service.ask(.patch, path, headers: tag, json: #"{"tags": []}"#).status == .notFound)
            #expect(try await service.ask(.delete, path).status == .notFound)
            let id = asset.id.lowercase
            let draft = String(decoding: try JSON.encode(NewContent.showing([asset.id])), as: UTF8.self)
            for (route, body, pointer) in [
                ("/v1/assets/organize", #"{"assetIds": ["\#(id)"], "addTags": ["x"]}"#, "/assetIds/0"),
                ("/v1/media/jobs", #"{"type": "thumbnail", "assetId": "\#(id)"}"#, "/assetId"),
                ("/v1/contents", draft, "/body/slots/0/assetId"),
                ("/v1/materials", #"{"kind": "file", "title": "我的", "assetIds": ["\#(id)"]}"#, "/assetIds/0"),
            ] {
                let refused = try await service.ask(.post, route, json: body)
                #expect(try refused.problem().errors?.map(\.pointer) == [pointer], "\(route)")
            }
            let renamed = try await service.ask(.post, "/v1/assets/tags/rename", json: #"{"from": ["报价"], "to": "x"}"#)
            #expect(try renamed.decode(AssetTagRenamingResult.self) == AssetTagRenamingResult(changed: 0, isComplete: true))
            #expect(try await service.asset(asset.id).tags == ["报价"])
            #expect(try await service.ask(.delete, path, roles: ["sales_lead"]).status == .conflict)
        }
    }

    @Test func isThereForWhoBroughtItAndForReviewers() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleFiles.png, as: "a.png", "image/png")
            _ = try await service.material(.limited([asset.id]))
            let path = "/v1/assets/\(asset.id.lowercase)"
            #expect(try await service.send(.get, path).status == .ok)
            let reviewer = try await service.send(.get, path, subject: "boss", scopes: ["contents:read", "materials:approve"])
            #expect(reviewer.status == .ok)
            #expect(try await service.send(.get, path, subject: "service:delivery-connector-douyin").status == .ok)
            // What orchestration takes goes to customers.
            #expect(try await service.send(.get, path, subject: "service:orchestration-service").status == .notFound)
            #expect(try await service.ask(.get, path).status == .notFound)
        }
    }

    /// The bytes of a material as the material: what no customer may be shown is not there for who speaks with customers, nor what was made
    /// of it, until a content shows it.
    @Test func isThereForOrchestrationOnlyAsCustomersMaySeeIt() async throws {
        try await ContentCenterHarness.run { service in
            func isThere(_ asset: UUID, subject: String = "service:orchestration-service") async throws -> Bool {
                var seen: Set<HTTPStatus> = []
                for suffix in ["", "/content", "/download-url"] {
                    let principal = TestContext.principal(
                        subject: subject, roles: subject == "lead" ? ["sales_lead"] : [], scopes: ["contents:read"])
                    let headers = try TestContext.headers(from: .orchestrationService, to: .contentCenter, as: principal)
                    let path = "/v1/assets/\(asset.lowercase)\(suffix)"
                    seen.insert(try await service.client.send(.get, path, headers: headers).status)
                }
                #expect(seen.count == 1)
                return seen == [.ok]
            }
            let picture = try await service.upload(SampleMedia.picture, as: "a.png", "image/png").id
            #expect(try await isThere(picture))
            var new = NewMaterial(kind: .file, title: "底价", assetIds: [picture])
            let inner = try await service.approve(service.material(new))
            let made = try #require(
                try await service.media(MediaJobRequest(type: .thumbnail, assetId: picture)).outputs.first?.assetId)
            #expect(try await !isThere(picture))
            #expect(try await !isThere(made))
            let order = try await service.send(
                .post, "/v1/media/jobs", subject: "service:orchestration-service",
                body: JSON.encode(MediaJobRequest(type: .thumbnail, assetId: picture)))
            #expect(try order.problem().errors?.map(\.pointer) == ["/assetId"])
            // For a user it is what is there for the user.
            #expect(try await isThere(picture, subject: "somebody"))

            new.customerFacing = true
            let shown = try await service.material(new)
            #expect(try await !isThere(picture))
            _ = try await service.approve(shown)
            #expect(try await isThere(picture))
            #expect(try await isThere(made))
            #expect(try await service.materials(.delete, "/\(shown.id.lowercase)").status == .noContent)
            #expect(try await !isThere(picture))

            let edit = #"{"audience": ["sales_lead"]}"#
            let limited = try await service.materials(.patch, "/\(inner.id.lowercase)", tag: "\(inner.version)", json: edit)
            #expect(limited.status == .ok)
            #expect(try await isThere(picture, subject: "lead"))
            #expect(try await !isThere(picture))
            _ = try await service.create(.showing([picture]))
            #expect(try await isThere(picture))
        }
    }

    /// Another material that has it too, a content that shows it, and the end of the limit.
    @Test func isThereForWhomeverSomethingElseShowsIt() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleFiles.png, as: "a.png", "image/png")
            let path = "/v1/assets/\(asset.id.lowercase)"
            func isThere() async throws -> Bool { try await service.ask(.get, path).status == .ok }
            #expect(try await isThere())
            let limited = try await service.material(.limited([asset.id]))
            #expect(try await !isThere())

            var open = NewMaterial.limited([asset.id])
            open.audience = []
            let other = try await service.material(open)
            #expect(try await isThere())
            // A material that lost it shows it to nobody.
            let instead = try await service.upload(SampleFiles.jpeg, as: "b.jpg", "image/jpeg").id
            let edit = #"{"assetIds": ["\#(instead.lowercase)"]}"#
            #expect(try await service.materials(.patch, "/\(other.id.lowercase)", tag: "1", json: edit).status == .ok)
            #expect(try await !isThere())

            let content = try await service.create(.showing([asset.id]))
            #expect(try await isThere())
            #expect(try await service.send(.delete, "/v1/contents/\(content.id.lowercase)").status == .noContent)
            #expect(try await !isThere())

            let freed = try await service.materials(.patch, "/\(limited.id.lowercase)", tag: "1", json: #"{"audience": []}"#)
            #expect(freed.status == .ok)
            #expect(try await isThere())
        }
    }

    /// Nor when what stood in between is deleted, or when the job read the little picture of it.
    @Test func theWayFromItIsNotForgotten() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleMedia.picture, as: "a.png", "image/png")
            _ = try await service.material(.limited([asset.id]))
            let made = try #require(
                try await service.media(MediaJobRequest(type: .thumbnail, assetId: asset.id)).outputs.first?.assetId)
            let second = try await service.media(MediaJobRequest(type: .imageVariants, assetId: made))
            let third = try #require(second.outputs.first?.assetId)
            let last = try await service.media(MediaJobRequest(type: .thumbnail, assetId: third))
            for gone in [made, third] {
                let path = "/v1/assets/\(gone.lowercase)"
                let tag: HTTPHeaders = ["If-Match": "\"\(try await service.asset(gone).revision)\""]
                #expect(try await service.send(.delete, path, headers: tag).status == .noContent)
            }

            try await service.makePreviews()
            let shown = try await service.send(.get, "/v1/assets/\(asset.id.lowercase)").decode(LibraryAsset.self)
            let address = try #require(shown.thumbnail).url
            let ofPreview = try await service.media(MediaJobRequest(type: .thumbnail, sourceUrl: address))
            for job in [second, last, ofPreview] {
                let path = "/v1/media/jobs/\(job.jobId.lowercase)"
                #expect(try await service.ask(.get, path).status == .notFound)
                #expect(try await service.ask(.get, path, roles: ["sales_lead"]).status == .ok)
            }
            #expect(try await service.ask(.get, "/v1/assets").decode(Page<LibraryAsset>.self).items.isEmpty)
        }
    }

    /// What a media job makes of it, and what another makes of that.
    @Test func whatIsMadeOfItIsThereForNobodyElse() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleMedia.picture, as: "a.png", "image/png")
            let limited = try await service.material(.limited([asset.id]))
            let address = try await service.send(.get, "/v1/assets/\(asset.id.lowercase)/download-url")
                .decode(AssetDownloadURL.self).url
            let first = try await service.media(MediaJobRequest(type: .thumbnail, assetId: asset.id))
            let made = try #require(first.outputs.first?.assetId)
            let second = try await service.media(MediaJobRequest(type: .imageVariants, assetId: made))
            let byAddress = try await service.media(MediaJobRequest(type: .thumbnail, sourceUrl: address))
            let jobs = [first, second, byAddress]
            let outputs = jobs.flatMap { $0.outputs.compactMap(\.assetId) }

            func seen(by roles: [String]) async throws -> (assets: Set<UUID>, jobs: Set<UUID>) {
                let assets = try await service.ask(.get, "/v1/assets?limit=100", roles: roles).decode(Page<LibraryAsset>.self)
                    .items
                let listed = try await service.ask(.get, "/v1/media/jobs", roles: roles).decode(Page<MediaJob>.self).items
                for asset in outputs {
                    let status = try await service.ask(.get, "/v1/assets/\(asset.lowercase)", roles: roles).status
                    #expect((status == .ok) == assets.contains { $0.id == asset })
                }
                for job in jobs {
                    let path = "/v1/media/jobs/\(job.jobId.lowercase)"
                    let status = try await service.ask(.get, path, roles: roles).status
                    #expect((status == .ok) == listed.contains { $0.jobId == job.jobId })
                    #expect(try await service.ask(.post, path + "/cancel", roles: roles).status == status)
                }
                return (Set(assets.map(\.id)), Set(listed.map(\.jobId)))
            }
            #expect(try await seen(by: ["operator"]) == ([], []))
            #expect(try await seen(by: ["sales_lead"]) == (Set(outputs + [asset.id]), Set(jobs.map(\.jobId))))
            // A content shows one of them: that is there for everybody, and what was made of it; what it was made of is not.
            let content = try await service.create(.showing([made]))
            let ofIt = second.outputs.compactMap(\.assetId)
            #expect(try await seen(by: ["operator"]) == (Set([made] + ofIt), [second.jobId]))
            #expect(try await service.send(.delete, "/v1/contents/\(content.id.lowercase)").status == .noContent)
            #expect(try await seen(by: ["operator"]) == ([], []))
            let freed = try await service.materials(.patch, "/\(limited.id.lowercase)", tag: "1", json: #"{"audience": []}"#)
            #expect(freed.status == .ok)
            #expect(try await seen(by: ["operator"]) == (Set(outputs + [asset.id]), Set(jobs.map(\.jobId))))
        }
    }
}

extension NewMaterial {
    fileprivate static func limited(_ assets: [UUID]) -> NewMaterial {
        var new = NewMaterial(kind: .file, title: "内部价格", assetIds: assets)
        new.audience = ["sales_lead"]
        return new
    }
}

extension ContentCenterHarness {
    /// As somebody who has nothing to do with it, but for the roles.
    fileprivate func ask(
        _ method: HTTPMethod, _ path: String, roles: [String] = ["operator"], headers: HTTPHeaders = [:], json: String = ""
    ) async throws -> TestResponse {
        try await send(
            method, path, subject: "somebody", roles: roles,
            scopes: ["contents:read", "contents:write", "materials:read", "materials:write"], headers: headers,
            body: Array(json.utf8))
    }
}
