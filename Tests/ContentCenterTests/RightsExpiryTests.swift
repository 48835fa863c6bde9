import DTO
import Foundation
import HTTPCore
import HTTPServing
import Messaging
import Observability
import PostgresStore
import TestSupport
import Testing

@testable import ContentCenter

/// Rights that end (版权到期).
@Suite struct RightsExpiryTests {
    @Test func eachStageIsToldOnceAndByWhoeverSweeps() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleFiles.png, as: "a.png", "image/png")
            _ = try await service.create(.showing([asset.id]))
            try await service.endRights(of: asset.id, days: 40)
            // Another tenant's is told apart.
            let other = UUID()
            let theirs = try await service.upload(SampleFiles.png, as: "b.png", "image/png", tenant: other)
            try await service.endRights(of: theirs.id, days: 100, tenant: other)
            var told: [String] = []
            for (day, stages) in [
                (5, []), (11, ["30"]), (12, ["30"]), (34, ["30", "7"]), (39.5, ["30", "7", "1"]), (41, ["30", "7", "1", "0"]),
            ] {
                try await service.database.setClock(offset: .seconds(day * 86_400))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<3 { group.addTask { try await service.rights.sweep() } }
                    try await group.waitForAll()
                }
                told = try await service.told(of: asset.id)
                #expect(told == stages, "day \(day)")
            }
            #expect(try await service.told(of: theirs.id).isEmpty)
            let events = try await service.events().filter { $0.type.hasPrefix("asset.rights") }
            #expect(events.map(\.type) == Array(repeating: AssetRightsExpiring.type, count: 3) + [AssetRightsExpired.type])
            #expect(Set(events.map(\.tenantId)) == [ContentCenterHarness.tenant])
            #expect(events.map(\.version) == events.map(\.version).sorted())
            let last = try JSON.decode(AssetRightsExpired.self, from: #require(events.last).data)
            #expect(last.contents == 1)
            #expect(last.holder == "青禾摄影")
        }
    }

    /// Everybody is told, also whoever is not to know what it is.
    @Test func ofWhatIsForSomeRolesOnlyNobodyIsToldTheName() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleFiles.png, as: "底价.png", "image/png")
            try await service.endRights(of: asset.id, days: 20)
            let material = NewMaterial(kind: .file, title: "底价", assetIds: [asset.id], audience: ["sales_lead"])
            _ = try await service.material(material)
            for days in [5.0, -1] { try await service.endRights(of: asset.id, days: days) }
            let told = try await service.events().filter { $0.type.hasPrefix("asset.rights") }
            let names = try told.dropLast().map { try JSON.decode(AssetRightsExpiring.self, from: $0.data) }
            #expect(names.map(\.filename) == ["底价.png", nil])
            #expect(names.map(\.holder) == ["青禾摄影", nil])
            let last = try JSON.decode(AssetRightsExpired.self, from: #require(told.last).data)
            #expect(last.filename == nil && last.holder == nil)
            #expect(last.assetId == asset.id)
        }
    }

    /// That something was told changes nothing that an editor has seen.
    @Test func whoeverIsEditingGoesOnAfterAWarning() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleFiles.png, as: "a.png", "image/png")
            try await service.endRights(of: asset.id, days: 40)
            let path = "/v1/assets/\(asset.id.lowercase)"
            let seen = try #require(try await service.send(.get, path).headers["ETag"])
            for day in [11.0, 34, 39.5, 41] {
                try await service.database.setClock(offset: .seconds(day * 86_400))
                try await service.rights.sweep()
            }
            #expect(try await service.told(of: asset.id) == ["30", "7", "1", "0"])
            let body = Array(#"{"tags": ["夏季"]}"#.utf8)
            let edited = try await service.send(.patch, path, headers: ["If-Match": seen], body: body)
            #expect(edited.status == .ok, "\(edited.text)")
            #expect(try await service.send(.patch, path, headers: ["If-Match": seen], body: body).status == .preconditionFailed)
            // Nor do events after the edit look older than those before it.
            try await service.endRights(of: asset.id, days: 50)
            try await service.database.setClock(offset: .seconds(60 * 86_400))
            try await service.rights.sweep()
            let versions = try await service.events().filter { $0.subject == asset.id.lowercase }.map(\.version)
            #expect(versions == Set(versions).sorted() && versions.count > 5)
        }
    }

    @Test func whatWasSleptThroughIsNotToldLater() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleFiles.png, as: "a.png", "image/png")
            try await service.endRights(of: asset.id, days: 100)
            try await service.database.setClock(offset: .seconds(95 * 86_400))
            try await service.rights.sweep()
            #expect(try await service.told(of: asset.id) == ["7"])
        }
    }

    @Test func aChangedEndIsToldAnew() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleFiles.png, as: "a.png", "image/png")
            // At once, where it is near.
            try await service.endRights(of: asset.id, days: 20)
            #expect(try await service.told(of: asset.id) == ["30"])
            // Another word about it changes no end.
            _ = try await service.edit(service.asset(asset.id), #"{"rights": {"note": "续约中"}}"#)
            try await service.rights.sweep()
            #expect(try await service.told(of: asset.id) == ["30"])
            try await service.endRights(of: asset.id, days: 25)
            #expect(try await service.told(of: asset.id) == ["30", "30"])
            try await service.endRights(of: asset.id, days: -1)
            #expect(try await service.told(of: asset.id) == ["30", "30", "0"])
            _ = try await service.edit(service.asset(asset.id), #"{"rights": {"expiresAt": null}}"#)
            try await service.rights.sweep()
            #expect(try await service.told(of: asset.id).count == 3)
        }
    }

    @Test func whereRightsStandFollowsTheClock() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleFiles.png, as: "a.png", "image/png")
            let content = try await service.create(.showing([asset.id]))
            #expect(asset.rightsState == .unstated)
            let (start, end) = (RFC3339Days.after(10), RFC3339Days.after(100))
            let stated = try await service.edit(
                asset,
                #"{"rights": {"holder": "青禾摄影", "license": "合同", "territories": ["CN", "SG"], "validFrom": "\#(start)", "expiresAt": "\#(end)"}}"#
            )
            #expect(stated.rights?.territories == ["CN", "SG"])
            var tags: Set<String> = []
            for (day, state) in [(0, AssetRightsState.upcoming), (20, .valid), (80, .expiring), (101, .expired)] {
                try await service.database.setClock(offset: .seconds(day * 86_400))
                let answer = try await service.send(.get, "/v1/assets/\(asset.id.lowercase)")
                #expect(try answer.decode(LibraryAsset.self).rightsState == state)
                tags.insert(try #require(answer.headers["ETag"]))
                #expect(try await service.assets("?rights=\(state.rawValue)").map(\.id) == [asset.id])
                #expect(try await service.uses(of: asset.id).map(\.rightsExpired) == [state == .expired])
            }
            // What shows otherwise has another tag.
            #expect(tags.count == 4)
            let cleared = try await service.edit(stated, #"{"rights": null}"#)
            #expect(cleared.rights == nil)
            #expect(cleared.rightsState == .unstated)
            #expect(try await service.uses(of: asset.id).map(\.contentId) == [content.id])
        }
    }
}

@Suite struct RightsRuleTests {
    private static let end = Date(timeIntervalSince1970: 1_800_000_000)

    @Test(
        arguments: [
            (30.01, nil, nil), (30, nil, 30), (29, 30, nil), (7, 30, 7), (7, nil, 7), (6, 7, nil), (1, 7, 1), (0.5, 1, nil),
            (0, 1, 0),
            (-5, 0, nil), (-5, nil, 0), (-5, 30, 0),
        ] as [(Double, Int?, Int?)])
    func tellsTheNarrowestStageOnce(daysBefore: Double, told: Int?, due: Int?) {
        let now = Self.end.addingTimeInterval(-daysBefore * 86_400)
        #expect(RightsRule.due(at: now, expiresAt: Self.end, told: told) == due)
    }
}

enum RFC3339Days {
    /// So many days from now.
    static func after(_ days: Double) -> String { Date(timeIntervalSinceNow: days * 86_400).formatted(.iso8601) }
}

extension ContentCenterHarness {
    var rights: RightsExpiry {
        RightsExpiry(store: RightsExpiryStore(system: database.system, database: database.app) {}, logger: .silent)
    }

    func endRights(of id: UUID, days: Double, tenant: UUID = tenant) async throws {
        let path = "/v1/assets/\(id.lowercase)"
        let revision = try await send(.get, path, tenant: tenant).decode(LibraryAsset.self).revision
        let body = #"{"rights": {"holder": "青禾摄影", "expiresAt": "\#(RFC3339Days.after(days))"}}"#
        let answer = try await send(
            .patch, path, tenant: tenant, headers: ["If-Match": "\"\(revision)\""], body: Array(body.utf8))
        #expect(answer.status == .ok)
    }

    /// The stages that were told of an asset, as days before the end.
    func told(of id: UUID) async throws -> [String] {
        try await events().filter { $0.subject == id.lowercase }.compactMap { event in
            switch event.type {
            case AssetRightsExpiring.type: "\(try JSON.decode(AssetRightsExpiring.self, from: event.data).days)"
            case AssetRightsExpired.type: "0"
            default: nil
            }
        }
    }
}
