import DTO
import Foundation
import HTTPCore
import HTTPServing
import Messaging
import Observability
import ServiceDefaults
import TestSupport
import Testing

@testable import ContentCenter

@Suite struct MaterialLibraryTests {
    @Test func whatIsMadeIsReadAndTold() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleFiles.png, as: "报价.png", "image/png")
            let operation = UUID()
            let new = NewMaterial(
                kind: .priceList, title: "报价单", text: "三档", assetIds: [asset.id], stages: ["报价"], industries: ["餐饮"],
                products: ["会员通"], objections: ["太贵"], customerFacing: true, expiresAt: Date(timeIntervalSince1970: 1_900_000_000)
            )
            let material = try await service.material(new, operation: operation)
            #expect(material.status == .draft)
            #expect(material.version == 1)
            #expect(material.assetIds == [asset.id])
            #expect(material.expiresAt == new.expiresAt)
            #expect(try await service.material(new, operation: operation) == material)
            let read = try await service.materials(.get, "/\(material.id.lowercase)")
            #expect(try read.decode(Material.self) == material)
            #expect(read.headers["ETag"] == "\"1\"")
            let event = try #require(try await service.events().last)
            #expect(event.type == MaterialChanged.type)
            #expect(event.version == 1)
            #expect(try event.decode(MaterialChanged.self).action == .created)
            #expect(try await service.count("materials") == 1)
        }
    }

    @Test func anEditNamesWhatItHasSeenAndTakesTheApprovalBack() async throws {
        try await ContentCenterHarness.run { service in
            let material = try await service.material(.script)
            let path = "/\(material.id.lowercase)"
            #expect(try await service.materials(.patch, path, body: MaterialPatch(title: "新")).status == .preconditionRequired)
            #expect(
                try await service.materials(.patch, path, tag: "9", body: MaterialPatch(title: "新")).status == .preconditionFailed
            )
            let approved = try await service.approve(material)
            #expect(approved.status == .approved)
            #expect(approved.version == 2)
            #expect(approved.reviewedBy == "boss")
            let unchanged = try await service.materials(.patch, path, tag: "2", body: MaterialPatch(title: material.title))
            #expect(try unchanged.decode(Material.self) == approved)
            let edited = try await service.materials(
                .patch, path, tag: "2", body: MaterialPatch(stages: ["成交"], expiresAt: .value("2030-01-01T00:00:00+08:00"))
            ).decode(Material.self)
            #expect(edited.status == .draft)
            #expect(edited.reviewedBy == nil)
            #expect(edited.stages == ["成交"])
            #expect(edited.expiresAt == Date(timeIntervalSince1970: 1_893_427_200))
            let emptied = try await service.materials(.patch, path, tag: "3", body: MaterialPatch(text: .some(.none)))
            #expect(try emptied.problem().errors?.map(\.pointer) == ["/text"])
            let again = try await service.materials(.post, "\(path)/approve", subject: "boss", tag: "2")
            #expect(try again.problem().code == "material.version_conflict")
            #expect(
                try await service.events().map { try $0.decode(MaterialChanged.self).action } == [.created, .approved, .edited])
        }
    }

    @Test func onlyAReviewerApprovesAndWhoRejectsSaysWhy() async throws {
        try await ContentCenterHarness.run { service in
            let material = try await service.material(.script)
            let path = "/\(material.id.lowercase)"
            let writer = try await service.materials(.post, "\(path)/approve", scopes: ["materials:write"], tag: "1")
            #expect(writer.status == .forbidden)
            let silent = try await service.materials(.post, "\(path)/reject", tag: "1")
            #expect(try silent.problem().errors?.map(\.pointer) == ["/note"])
            let rejected = try await service.materials(.post, "\(path)/reject", tag: "1", body: ReviewNote(note: "数据过时"))
            #expect(try rejected.decode(Material.self).reviewNote == "数据过时")
            let twice = try await service.materials(.post, "\(path)/reject", tag: "2", body: ReviewNote(note: "又一次"))
            #expect(try twice.problem().code == "material.wrong_status")
            let operation = UUID()
            for _ in 0..<2 {
                let approved = try await service.materials(.post, "\(path)/approve", operation: operation, tag: "2")
                #expect(try approved.decode(Material.self).version == 3)
            }
        }
    }

    @Test func ofFiftyEditsOneWins() async throws {
        try await ContentCenterHarness.run { service in
            let material = try await service.material(.script)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        try await service.materials(
                            .patch, "/\(material.id.lowercase)", tag: "1", body: MaterialPatch(title: "第 \(number) 个")
                        ).status.code
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == 200 }.count == 1)
            #expect(statuses.filter { $0 == 412 }.count == 49)
        }
    }

    // MARK: Who sees what

    @Test func whatIsMadeForSomeRolesIsNotThereForOthers() async throws {
        try await ContentCenterHarness.run { service in
            var new = NewMaterial.script
            new.audience = ["sales_lead"]
            let material = try await service.material(new)
            // Everybody hears of events.
            let told = try await service.events().filter { $0.type == MaterialChanged.type }
            #expect(try told.map { try $0.decode(MaterialChanged.self).title } == [nil])
            let path = "/\(material.id.lowercase)"
            let plain = ["materials:read", "materials:write"]
            func answers(_ roles: [String], subject: String, scopes: [String] = plain) async throws -> [Int] {
                let read = try await service.materials(.get, path, subject: subject, roles: roles, scopes: scopes)
                let list = try await service.materials(.get, "", subject: subject, roles: roles, scopes: scopes)
                return [read.status.code, try list.decode(Page<MaterialEntry>.self).items.count]
            }
            #expect(try await answers(["operator"], subject: "user-2") == [404, 0])
            #expect(try await answers(["operator", "sales_lead"], subject: "user-2") == [200, 1])
            #expect(try await answers(["operator"], subject: "user-1") == [200, 1])
            #expect(try await answers([], subject: "user-2", scopes: plain + ["materials:approve"]) == [200, 1])
            for (method, suffix) in [(HTTPMethod.patch, ""), (.delete, ""), (.post, "/restore"), (.post, "/outcomes")] {
                let answer = try await service.materials(
                    method, path + suffix, subject: "user-2", scopes: plain, tag: "1",
                    json: suffix == "/outcomes" ? #"{"outcome": "sent"}"# : "{}")
                #expect(answer.status == .notFound, "\(method) \(suffix)")
            }
        }
    }

    /// Orchestration speaks with customers: it gets what is approved, has not ended and may be shown, over every route.
    @Test func orchestrationGetsOnlyWhatCustomersMaySee() async throws {
        try await ContentCenterHarness.run { service in
            var new = NewMaterial.script
            let inner = try await service.approve(service.material(new))
            new.customerFacing = true
            let draft = try await service.material(new)
            let shown = try await service.approve(service.material(new))
            // For some roles only: whoever asks in the name of none of them does not get it.
            new.audience = ["sales_lead"]
            let limited = try await service.approve(service.material(new))
            new.audience = []
            new.expiresAt = Date(timeIntervalSinceNow: 3_600)
            let ended = try await service.approve(service.material(new))
            let soon = try await service.materials(.get, "/recommended", from: .orchestrationService)
            #expect(try Set(soon.decode(MaterialRecommendations.self).items.map(\.material.id)) == [shown.id, ended.id])
            try await service.database.setClock(offset: .seconds(7_200))
            for material in [inner, draft, limited, ended] {
                let path = "/\(material.id.lowercase)"
                #expect(try await service.materials(.get, path, from: .orchestrationService).status == .notFound)
                #expect(try await service.materials(.get, path + "/outcomes", from: .orchestrationService).status == .notFound)
            }
            let list = try await service.materials(.get, "", from: .orchestrationService).decode(Page<MaterialEntry>.self)
            #expect(list.items.map(\.material.id) == [shown.id])
            let fits = try await service.materials(.get, "/recommended", from: .orchestrationService)
            #expect(try fits.decode(MaterialRecommendations.self).items.map(\.material.id) == [shown.id])
            // Those of the house see what is for the house.
            let house = try await service.materials(.get, "/recommended").decode(MaterialRecommendations.self)
            #expect(Set(house.items.map(\.material.id)) == [inner.id, shown.id, limited.id])
            // A deal may be won after the end of what was sent for it.
            let won = try await service.materials(
                .post, "/\(ended.id.lowercase)/outcomes", from: .orchestrationService, json: #"{"outcome": "won"}"#)
            #expect(try won.decode(MaterialOutcomes.self).won == 1)
        }
    }

    @Test func anotherTenantSeesNothing() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleFiles.png, as: "a.png", "image/png")
            let material = try await service.material(.script)
            let (path, other) = ("/\(material.id.lowercase)", UUID())
            for (method, suffix, body) in [
                (HTTPMethod.get, "", ""), (.patch, "", #"{"title": "x"}"#), (.delete, "", ""), (.post, "/approve", ""),
                (.post, "/reject", #"{"note": "x"}"#), (.post, "/restore", ""), (.get, "/outcomes", ""),
                (.post, "/outcomes", #"{"outcome": "won"}"#),
            ] {
                let answer = try await service.materials(method, path + suffix, tenant: other, tag: "1", json: body)
                #expect(answer.status == .notFound, "\(method) \(suffix)")
            }
            #expect(try await service.materials(.get, "", tenant: other).decode(Page<MaterialEntry>.self).items.isEmpty)
            let stolen = try await service.materials(
                .post, "", tenant: other, body: NewMaterial(kind: .file, title: "x", assetIds: [asset.id]))
            #expect(try stolen.problem().errors?.map(\.pointer) == ["/assetIds/0"])
            #expect(try await service.count("materials") == 1)
        }
    }

    // MARK: Assets and the bin

    @Test func anAssetThatAMaterialHasStaysAlsoWhileItLiesInTheBin() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleFiles.png, as: "a.png", "image/png")
            let material = try await service.material(NewMaterial(kind: .file, title: "资料", assetIds: [asset.id]))
            let (path, file) = ("/\(material.id.lowercase)", "/v1/assets/\(asset.id.lowercase)")
            let refused = try await service.send(.delete, file).problem()
            #expect(refused.code == "asset.in_use")
            #expect(refused.detail?.contains("1 个成交素材") == true, "\(refused)")
            var holder = AssetHolder(kind: .material, id: material.id, title: "资料", inBin: false)
            #expect(try await service.send(.get, file + "/uses").decode(AssetUses.self).holders == [holder])
            #expect(try await service.materials(.delete, path).status == .noContent)
            holder.inBin = true
            #expect(try await service.send(.get, file + "/uses").decode(AssetUses.self).holders == [holder])
            #expect(try await service.materials(.delete, path).status == .notFound)
            #expect(try await service.materials(.get, path).status == .notFound)
            #expect(try await service.send(.delete, file).status == .conflict)
            let binned = try await service.materials(.get, "?deleted=true").decode(Page<MaterialEntry>.self)
            #expect(binned.items.map(\.material.id) == [material.id])
            let restored = try await service.materials(.post, "\(path)/restore").decode(Material.self)
            #expect(restored.deletedAt == nil)
            #expect(try await service.materials(.post, "\(path)/restore").decode(Material.self) == restored)
            let pending = try await service.presign(AssetPresignRequest(filename: "b.png", contentType: "image/png")).assetId
            let unready = try await service.materials(.patch, path, tag: "3", body: MaterialPatch(assetIds: [asset.id, pending]))
            #expect(try unready.problem().errors?.map(\.pointer) == ["/assetIds/1"])
            #expect(try await service.materials(.delete, path).status == .noContent)
            try await service.database.setClock(offset: .seconds(31 * 86_400))
            #expect(try await service.sweeper().emptyBins() == 1)
            #expect(try await service.send(.delete, file).status == .noContent)
        }
    }

    @Test func anEndThatComesNearIsToldOnce() async throws {
        try await ContentCenterHarness.run { service in
            var new = NewMaterial.script
            new.expiresAt = Date(timeIntervalSinceNow: 10 * 86_400)
            let material = try await service.approve(service.material(new))
            _ = try await service.material(new)
            let sweeper = service.sweeper()
            #expect(try await sweeper.warn() == 0)
            try await service.database.setClock(offset: .seconds(4 * 86_400))
            let both = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<2 { group.addTask { try await sweeper.warn() } }
                return try await group.reduce(0, +)
            }
            #expect(both == 1)
            let warnings = try await service.events().filter { $0.type == MaterialExpiring.type }
            #expect(try warnings.map { try $0.decode(MaterialExpiring.self).materialId } == [material.id])
            // Another end is another warning.
            let later = RFC3339.format(Date(timeIntervalSinceNow: 9 * 86_400))
            let edited = try await service.materials(
                .patch, "/\(material.id.lowercase)", tag: "2", body: MaterialPatch(expiresAt: .value(later))
            ).decode(Material.self)
            #expect(try await sweeper.warn() == 0)
            _ = try await service.approve(edited)
            #expect(try await sweeper.warn() == 1)
        }
    }

    // MARK: What became of them

    @Test func anEventCountsOnceForEachOutcome() async throws {
        try await ContentCenterHarness.run { service in
            let material = try await service.approve(service.material(.script))
            let (path, event) = ("/\(material.id.lowercase)/outcomes", UUID())
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        let outcome: NewMaterialOutcome.Outcome = number.isMultiple(of: 2) ? .sent : .opened
                        let answer = try await service.materials(
                            .post, path, body: NewMaterialOutcome(outcome: outcome, eventId: event))
                        #expect(answer.status == .ok)
                    }
                }
                try await group.waitForAll()
            }
            let operation = UUID()
            for _ in 0..<2 {
                _ = try await service.materials(.post, path, operation: operation, body: NewMaterialOutcome(outcome: .won))
            }
            let outcomes = try await service.materials(.get, path).decode(MaterialOutcomes.self)
            #expect(outcomes.sent == 1 && outcomes.opened == 1 && outcomes.won == 1)
            #expect(outcomes.lastWonAt != nil)
            // They are no edit: what was read is what there is.
            #expect(try await service.materials(.get, "/\(material.id.lowercase)").headers["ETag"] == "\"2\"")
        }
    }

    @Test func nothingBecomesOfWhatWasNeverApproved() async throws {
        try await ContentCenterHarness.run { service in
            let draft = try await service.material(.script)
            let path = "/\(draft.id.lowercase)"
            for outcome in NewMaterialOutcome.Outcome.allCases {
                let answer = try await service.materials(.post, path + "/outcomes", body: NewMaterialOutcome(outcome: outcome))
                #expect(answer.status == .conflict)
                #expect(try answer.problem().code == "material.wrong_status")
            }
            #expect(try await service.count("material_outcomes") == 0)
            _ = try await service.approve(draft)
            try await service.tell(.sent, of: draft.id)
            // It is a draft again, but what was sent may be opened yet.
            let edited = try await service.materials(.patch, path, tag: "2", body: MaterialPatch(title: "新"))
            #expect(try edited.decode(Material.self).status == .draft)
            try await service.tell(.opened, of: draft.id)
        }
    }

    @Test func theRankingPutsWhatWinsFirstAndPagesThroughAll() async throws {
        try await ContentCenterHarness.run { service in
            var ids: [UUID] = []
            for number in 0..<7 {
                var new = NewMaterial.script
                new.title = "话术 \(number)"
                let material = try await service.approve(service.material(new))
                ids.append(material.id)
                for _ in 0..<6 { try await service.tell(.sent, of: material.id) }
                for _ in 0..<number { try await service.tell(.won, of: material.id) }
            }
            var (seen, next) = ([UUID](), String?.some("?sort=ranking&limit=3"))
            while let query = next {
                let page = try await service.materials(.get, query).decode(Page<MaterialEntry>.self)
                seen += page.items.map(\.material.id)
                next = page.nextCursor.map { "?sort=ranking&limit=3&cursor=\($0)" }
            }
            #expect(seen == ids.reversed())
            let newest = try await service.materials(.get, "?limit=3").decode(Page<MaterialEntry>.self)
            #expect(newest.items.map(\.material.id) == Array(ids.reversed().prefix(3)))
            let mixed = try await service.materials(.get, "?sort=ranking&cursor=\(try #require(newest.nextCursor))")
            #expect(try mixed.problem().errors?.map(\.pointer) == ["?cursor"])
        }
    }

    @Test func recommendsWhatFitsBestAndNotTwiceInOneConversation() async throws {
        try await ContentCenterHarness.run { service in
            func approved(_ title: String, stages: [String] = [], objections: [String] = []) async throws -> Material {
                try await service.approve(
                    service.material(
                        NewMaterial(
                            kind: .script, title: title, text: "x", stages: stages, objections: objections, customerFacing: true))
                )
            }
            let (general, other) = (try await approved("通用"), try await approved("方案", stages: ["方案"]))
            let (stage, both) = (
                try await approved("报价", stages: ["报价"]), try await approved("报价嫌贵", stages: ["报价"], objections: ["太贵"])
            )
            for _ in 0..<5 { try await service.tell(.won, of: general.id) }
            let wish = "/recommended?stage=%E6%8A%A5%E4%BB%B7&objection=%E5%A4%AA%E8%B4%B5"
            let all = try await service.materials(.get, wish).decode(MaterialRecommendations.self)
            #expect(all.items.map(\.material.id) == [both.id, stage.id, general.id])
            #expect(all.items[0].reasons == ["适合阶段「报价」", "回应异议「太贵」", "尚无使用记录"])
            #expect(!all.items.contains { $0.material.id == other.id })
            try await service.tell(.sent, of: both.id, conversation: "v-1")
            let rest = try await service.materials(.get, wish + "&conversationRef=v-1").decode(MaterialRecommendations.self)
            #expect(rest.items.map(\.material.id) == [stage.id, general.id])
            let one = try await service.materials(.get, wish + "&conversationRef=v-2&limit=1").decode(
                MaterialRecommendations.self)
            #expect(one.items.map(\.material.id) == [both.id])
        }
    }

    @Test func whatHasAFileWhoseRightsHaveEndedIsRecommendedLastAndNotToCustomers() async throws {
        try await ContentCenterHarness.run { service in
            let (file, plain) = (
                try await service.upload(SampleFiles.png, as: "a.png", "image/png"),
                try await service.upload(SampleFiles.gif, as: "b.gif", "image/gif")
            )
            var new = NewMaterial.script
            new.customerFacing = true
            let other = try await service.approve(service.material(new))
            new.assetIds = [plain.id, file.id]
            let material = try await service.approve(service.material(new))
            #expect((other.rightsState, material.rightsState) == (nil, .unstated))
            try await service.tell(.won, of: material.id)
            try await service.endRights(of: file.id, days: 20)
            func recommended(from caller: ServiceName = .gatewayBFF) async throws -> [MaterialRecommendation] {
                try await service.materials(.get, "/recommended", from: caller).decode(MaterialRecommendations.self).items
            }
            let before = try await recommended()
            #expect(before.map(\.material.id) == [material.id, other.id])
            #expect(before.first?.material.rightsState == .expiring)
            #expect(try await recommended(from: .orchestrationService).count == 2)
            try await service.endRights(of: file.id, days: -1)
            let after = try await recommended()
            #expect(after.map(\.material.id) == [other.id, material.id])
            #expect(after.last?.material.rightsState == .expired)
            #expect(after.last?.reasons.first == "附件版权已到期，请勿使用")
            #expect(try await recommended(from: .orchestrationService).map(\.material.id) == [other.id])
            let path = "/\(material.id.lowercase)"
            #expect(try await service.materials(.get, path, from: .orchestrationService).status == .notFound)
        }
    }

    @Test func listsFilter() async throws {
        try await ContentCenterHarness.run { service in
            let script = try await service.material(.script)
            let ended = try await service.material(
                NewMaterial(
                    kind: .caseStudy, title: "案例", text: "x", industries: ["餐饮"], products: ["会员通"], customerFacing: true,
                    expiresAt: Date(timeIntervalSinceNow: 86_400)))
            try await service.database.setClock(offset: .seconds(2 * 86_400))
            for (query, expected) in [
                ("?kind=case", [ended.id]), ("?status=approved", []), ("?stage=%E6%8A%A5%E4%BB%B7", [script.id]),
                ("?industry=%E9%A4%90%E9%A5%AE", [ended.id]), ("?product=%E4%BC%9A%E5%91%98%E9%80%9A", [ended.id]),
                ("?customerFacing=true", [ended.id]), ("?customerFacing=false", [script.id]), ("?expired=true", [ended.id]),
                ("?expired=false", [script.id]), ("", [ended.id, script.id]),
                // By words in the title, the text and the labels, all of them.
                ("?q=%E6%A1%88%E4%BE%8B", [ended.id]), ("?q=X%20%E9%A4%90%E9%A5%AE", [ended.id]), ("?q=%EF%BC%B8", [ended.id]),
                ("?q=%E6%A1%88%E4%BE%8B%20%E6%8A%A5%E4%BB%B7", []), ("?q=%25", []),
            ] as [(String, [UUID])] {
                let page = try await service.materials(.get, query).decode(Page<MaterialEntry>.self)
                #expect(page.items.map(\.material.id) == expected, "\(query)")
            }
        }
    }

    @Test(arguments: [
        (#"{}"#, ["/kind", "/title"]), (#"{"kind": "poem", "title": "", "colour": 1}"#, ["/kind", "/title", "/colour"]),
        (#"{"kind": "file", "title": "a"}"#, ["/assetIds"]), (#"{"kind": "case", "title": "a"}"#, ["/text"]),
        (
            #"{"kind": "case", "title": "a", "text": "x", "stages": ["报价", "报价"], "assetIds": ["x"]}"#,
            ["/assetIds/0", "/stages/1"]
        ),
        (#"{"kind": "case", "title": "a", "text": "x", "expiresAt": "tomorrow"}"#, ["/expiresAt"]),
        (#"{"kind": "case", "title": "a ", "text": "x", "expiresAt": "2026-01-01T00:00:00Z"}"#, ["/title", "/expiresAt"]),
        (
            #"{"kind": "case", "title": "a", "assetIds": ["0199a3c2-5b1e-7c3d-9f21-3a5c7e9b1d20"]}"#, ["/assetIds/0"]
        ),
    ]) func aBadMaterialIsRefused(body: String, pointers: [String]) async throws {
        try await ContentCenterHarness.run { service in
            let answer = try await service.materials(.post, "", json: body)
            #expect(answer.status == .unprocessableContent)
            #expect(try Set(answer.problem().errors?.map(\.pointer) ?? []) == Set(pointers))
            #expect(try await service.count("materials") == 0)
            #expect(try await service.events().isEmpty)
        }
    }
}

extension NewMaterial {
    static let script = NewMaterial(
        kind: .script, title: "嫌贵怎么答", text: "先问对比的是哪一项。", stages: ["报价"], objections: ["太贵"])
}

extension ContentCenterHarness {
    /// A request about materials, by default as somebody who may do everything.
    func materials(
        _ method: HTTPMethod, _ path: String, from caller: ServiceName = .gatewayBFF, tenant: UUID = tenant,
        subject: String = "user-1", roles: [String] = ["operator"],
        scopes: [String] = ["materials:read", "materials:write", "materials:approve"], operation: UUID? = nil, tag: String? = nil,
        json: String = ""
    ) async throws -> TestResponse {
        let principal = TestContext.principal(tenant: tenant, subject: subject, roles: roles, scopes: scopes)
        var headers = try TestContext.headers(from: caller, to: .contentCenter, as: principal, operation: operation)
        if let tag { headers["If-Match"] = "\"\(tag)\"" }
        if !json.isEmpty { headers["Content-Type"] = "application/json" }
        return try await client.send(method, "/v1/materials\(path)", headers: headers, body: Array(json.utf8))
    }

    func materials(
        _ method: HTTPMethod, _ path: String, tenant: UUID = tenant, subject: String = "user-1", operation: UUID? = nil,
        tag: String? = nil, body: some Encodable
    ) async throws -> TestResponse {
        try await materials(
            method, path, tenant: tenant, subject: subject, operation: operation, tag: tag,
            json: String(decoding: JSON.encode(body), as: UTF8.self))
    }

    func material(_ new: NewMaterial, operation: UUID? = nil) async throws -> Material {
        let answer = try await materials(.post, "", operation: operation, body: new)
        #expect(answer.status == .created)
        return try answer.decode(Material.self)
    }

    func approve(_ material: Material) async throws -> Material {
        let answer = try await materials(
            .post, "/\(material.id.lowercase)/approve", subject: "boss", tag: "\(material.version)")
        return try answer.decode(Material.self)
    }

    func tell(_ outcome: NewMaterialOutcome.Outcome, of id: UUID, conversation: String? = nil) async throws {
        let answer = try await materials(
            .post, "/\(id.lowercase)/outcomes", body: NewMaterialOutcome(outcome: outcome, conversationRef: conversation))
        #expect(answer.status == .ok)
    }

    func sweeper() -> MaterialSweeper {
        MaterialSweeper(
            system: database.system, database: database.app, warningDays: 7, onCommit: {}, logger: .silent)
    }
}
