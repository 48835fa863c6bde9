import Cryptography
import DTO
import Foundation
import HTTPCore
import HTTPServing
import Messaging
import PostgresStore
import TestSupport
import Testing

@testable import ContentCenter

/// Who the bound accounts are: told by events that come late, twice and in any order.
@Suite(.timeLimit(.minutes(3))) struct AccountManagementTests {
    @Test func everyOrderEndsInTheSameState() async throws {
        try await ContentCenterHarness.run { service in
            let expected = AccountMaterial(
                accountId: UUID(), platform: "douyin", nickname: "第三", bio: nil, avatarAssetId: nil, followerCount: 30,
                version: 5,
                changedAt: Date(timeIntervalSince1970: 1_800_000_005))
            for (number, order) in permutations(Array(0..<5)).enumerated() {
                let tale = AccountTale()
                let events = tale.events
                let twice = number.isMultiple(of: 2) ? order.flatMap { [$0, $0] } : order + order.reversed()
                for index in twice { try await service.hearOfAccount(events[index]) }
                let end = try await service.material(of: tale.account)
                var known = expected
                known.accountId = tale.account
                known.avatarAssetId = end.avatarAssetId
                #expect(end == known, "\(twice)")
                let shown = try await service.send(.get, "/v1/assets/\(try #require(end.avatarAssetId).lowercase)/content")
                #expect(shown.body == AccountTale.newAvatar)
            }
            // Former avatars are gone; the last one is kept once.
            #expect(try await service.count("content_assets") == 1)
        }
    }

    @Test func anUnboundAccountLeavesNothingAndALateEventDoesNotBringItBack() async throws {
        try await ContentCenterHarness.run { service in
            for order in permutations([0, 1, 2]) {
                let tale = AccountTale()
                for index in order { try await service.hearOfAccount(tale.events[index]) }
                let answer = try await service.send(.get, "/v1/accounts/\(tale.account.lowercase)/material")
                #expect(answer.status == .notFound, "\(order)")
            }
            let left = try await service.database.superuser.query(
                "SELECT 1 FROM account_profiles WHERE coalesce(nickname, bio, avatar_asset_id::text, follower_count::text) IS NOT NULL"
            )
            #expect(left.isEmpty)
            #expect(try await service.count("content_assets") == 0)
            #expect(service.files() == [])
        }
    }

    @Test func manyAtOnceEndAsOneAfterTheOther() async throws {
        try await ContentCenterHarness.run { service in
            for _ in 0..<5 {
                let tale = AccountTale()
                let events = tale.events
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for event in events + events { group.addTask { try await service.hearAgainAndAgain(event) } }
                    try await group.waitForAll()
                }
                let end = try await service.material(of: tale.account)
                #expect(end.nickname == "第三")
                #expect(end.avatarAssetId != nil)
            }
        }
    }

    @Test func anAvatarThatSomebodyUsesStaysWithoutItsAccount() async throws {
        try await ContentCenterHarness.run { service in
            let tale = AccountTale()
            try await service.hearOfAccount(tale.events[0])
            let avatar = try #require(try await service.material(of: tale.account).avatarAssetId)
            let refused = try await service.send(.delete, "/v1/assets/\(avatar.lowercase)")
            #expect(try refused.problem().code == "asset.in_use")
            let uses = "/v1/assets/\(avatar.lowercase)/uses"
            let account = AssetHolder(kind: .accountProfile, id: tale.account, title: "第一", inBin: false)
            #expect(try await service.send(.get, uses).decode(AssetUses.self).holders == [account])
            _ = try await service.material(NewMaterial(kind: .file, title: "头像", assetIds: [avatar]))
            let both = try await service.send(.get, uses).decode(AssetUses.self).holders
            #expect(both.map(\.kind) == [.accountProfile, .material])
            try await service.hearOfAccount(tale.events[2])
            #expect(try await service.send(.get, "/v1/assets/\(avatar.lowercase)").status == .ok)
        }
    }

    @Test func whatIsNoSuchEventIsParked() async throws {
        try await ContentCenterHarness.run { service in
            let tale = AccountTale()
            let data = AccountProfileTold(accountId: tale.account, platform: "douyin", nickname: "名")
            var wrong: [AccountProfileTold] = Array(repeating: data, count: 6)
            // One character, and a book.
            wrong[5].nickname = "e" + String(repeating: "\u{301}", count: 1_000)
            wrong[0].nickname = ""
            wrong[1].followerCount = -1
            wrong[2].avatar = AccountAvatar(mediaType: "image/png", data: Base64.encode(SampleFiles.jpeg))
            wrong[3].avatar = AccountAvatar(mediaType: "image/png", data: "no base64")
            wrong[4].avatar = AccountAvatar(
                mediaType: "image/png", data: Base64.encode(SampleFiles.png + [UInt8](repeating: 0, count: 100_000)))
            for data in wrong {
                let event = tale.event(AccountProfileTold.boundType, 1, data)
                await #expect(throws: PermanentFailure.self) { try await service.hearOfAccount(event) }
            }
            var unreadable = tale.events[2]
            unreadable.data = Array("{}".utf8)
            let broken = unreadable
            await #expect(throws: PermanentFailure.self) { try await service.hearOfAccount(broken) }
            let (profiles, claims) = (try await service.count("account_profiles"), try await service.count("inbox"))
            #expect(profiles == 0 && claims == 0)
        }
    }

    @Test func anotherTenantsEventSaysNothingOfThisOne() async throws {
        try await ContentCenterHarness.run { service in
            let tale = AccountTale()
            try await service.hearOfAccount(tale.events[0])
            var foreign = tale.events[4]
            foreign.tenantId = UUID()
            try await service.hearOfAccount(foreign)
            #expect(try await service.material(of: tale.account).nickname == "第一")
            let path = "/v1/accounts/\(tale.account.lowercase)/material"
            #expect(try await service.send(.get, path, tenant: UUID()).status == .notFound)
            #expect(try await service.send(.get, path, scopes: []).status == .forbidden)
        }
    }
}

/// What happens to one account: bound, changed, unbound, bound again, changed.
struct AccountTale {
    static let avatar = SampleFiles.png(marked: 41)
    static let newAvatar = SampleFiles.png(marked: 42)

    let account = UUID.version7()
    private let ids = (0..<5).map { _ in UUID.version7() }

    var events: [CloudEvent] {
        [
            event(AccountProfileTold.boundType, 1, told("第一", bio: "简介", Self.avatar, 10)),
            event(AccountProfileTold.changedType, 2, told("第二", bio: "简介", Self.avatar, 20)),
            event(AccountUnbound.type, 3, AccountUnbound(accountId: account, platform: "douyin")),
            event(AccountProfileTold.boundType, 4, told("第二", bio: "又来", Self.newAvatar, 25)),
            event(AccountProfileTold.changedType, 5, told("第三", bio: nil, Self.newAvatar, 30)),
        ]
    }

    private func told(_ nickname: String, bio: String?, _ avatar: [UInt8], _ followers: Int) -> AccountProfileTold {
        AccountProfileTold(
            accountId: account, platform: "douyin", nickname: nickname, bio: bio,
            avatar: AccountAvatar(mediaType: "image/png", data: Base64.encode(avatar)), followerCount: followers)
    }

    func event(_ type: String, _ version: Int, _ data: some Encodable) -> CloudEvent {
        CloudEvent(
            id: ids[version - 1], source: "delivery-connector-douyin", type: type, subject: account.lowercase,
            time: Date(timeIntervalSince1970: 1_800_000_000 + TimeInterval(version)), tenantId: ContentCenterHarness.tenant,
            version: Int64(version), data: (try? JSON.encode(data)) ?? [])
    }
}

extension ContentCenterHarness {
    func hearOfAccount(_ event: CloudEvent) async throws {
        try await AccountConsumer(accounts: AccountManagement(store: AccountStore(database: database.app), assets: library))
            .hear(event)
    }

    /// As the queue does where an avatar went at the very moment in which it came again.
    fileprivate func hearAgainAndAgain(_ event: CloudEvent) async throws {
        for _ in 0..<5 {
            do { return try await hearOfAccount(event) } catch is PermanentFailure { break } catch { continue }
        }
        try await hearOfAccount(event)
    }

    fileprivate func material(of account: UUID) async throws -> AccountMaterial {
        let answer = try await send(.get, "/v1/accounts/\(account.lowercase)/material")
        #expect(answer.status == .ok)
        return try answer.decode(AccountMaterial.self)
    }
}
