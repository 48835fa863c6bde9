import DTO
import FoundationEssentials
import HTTPCore

/// Who the bound accounts are: profile and avatar, as the connector tells (seed 000 flow 7, step 4).
///
/// Events come late, twice and in any order: of two about one account the one with the greater version counts. Unbinding leaves nothing of
/// the profile, and a late event does not bring it back.
struct AccountManagement: Sendable {
    let store: AccountStore
    let assets: Assets

    func material(of account: UUID, _ tenantId: UUID) async throws -> AccountMaterial {
        guard let material = try await store.material(of: account, tenantId) else { throw NotFound() }
        return material
    }

    func learn(_ news: AccountNews) async throws {
        // An avatar that comes too late is not kept for nothing.
        guard try await store.isNews(news) else { return try await store.passOver(news) }
        let author = Author(tenantId: news.tenantId, subject: Self.keeper, operationId: nil)
        var avatar: UUID?
        if let picture = news.profile?.avatar {
            avatar = try await assets.keep(picture.bytes, declared: picture.mediaType, by: author).id
        }
        let former = try await store.apply(news, avatar: avatar)
        if let former, former != avatar { try await forget(former, of: news.tenantId) }
    }

    /// Whoever makes avatars' assets; only those go with their avatar.
    static let keeper = "service:content-center"

    /// Nobody shows the former avatar any more, unless somebody uses it elsewhere.
    private func forget(_ avatar: UUID, of tenantId: UUID) async throws {
        do {
            guard try await assets.asset(avatar, of: tenantId).createdBy == Self.keeper else { return }
            try await assets.delete(avatar, of: tenantId)
        } catch let error as AssetError where error.isAboutItsUse {
            // Then it stays; or it went before.
        }
    }
}

/// What an event says of an account.
struct AccountNews: Sendable, Equatable {
    var tenantId: UUID
    var accountId: UUID
    var platform: String
    /// `nil`: it is bound no more.
    var profile: AccountProfile?
    var version: Int
    var eventId: UUID
    var time: Date
}

struct AccountProfile: Sendable, Equatable {
    struct Avatar: Sendable, Equatable {
        var mediaType: String
        var bytes: [UInt8]
    }

    var nickname: String
    var bio: String?
    var avatar: Avatar?
    var followerCount: Int?
}
