import Cryptography
import DTO
import FoundationEssentials
import HTTPCore
import Messaging
import PostgresStore

/// Hears of accounts; what is no such event is parked.
struct AccountConsumer: Sendable {
    static let nicknameLength = 1...100
    static let bioLength = 1...2_000
    /// Bytes.
    static let largestAvatar = 100_000

    let accounts: AccountManagement

    func hear(_ event: CloudEvent) async throws {
        let news = try Self.news(event)
        do {
            try await accounts.learn(news)
        } catch let error as PostgresError where error.isOfErasedTenant {
            // Nothing of that tenant is kept any more.
        } catch PrivacyError.erased {
            // As above: its avatar was refused already.
        }
    }

    /// - Throws: `PermanentFailure`.
    static func news(_ event: CloudEvent) throws -> AccountNews {
        if event.type == AccountUnbound.type {
            let data = try event.decode(AccountUnbound.self)
            return try news(event, of: data.accountId, on: data.platform, nil)
        }
        let data = try event.decode(AccountProfileTold.self)
        return try news(event, of: data.accountId, on: data.platform, profile(data))
    }

    private static func news(
        _ event: CloudEvent, of account: UUID, on platform: String, _ profile: AccountProfile?
    ) throws -> AccountNews {
        guard PublishStatusConsumer.platformLength.contains(platform.count), event.version >= 0 else {
            throw PermanentFailure(reason: "platform or version is out of range")
        }
        return AccountNews(
            tenantId: event.tenantId, accountId: account, platform: platform, profile: profile, version: Int(event.version),
            eventId: event.id, time: event.time)
    }

    private static func profile(_ data: AccountProfileTold) throws -> AccountProfile {
        guard fits(data.nickname, nicknameLength), data.bio.map({ fits($0, bioLength) }) ?? true,
            data.followerCount ?? 0 >= 0
        else { throw PermanentFailure(reason: "nickname, bio or followerCount is out of range") }
        let avatar = try data.avatar.map { avatar -> AccountProfile.Avatar in
            guard let bytes = Base64.decode(avatar.data), (1...largestAvatar).contains(bytes.count),
                let type = PictureType(rawValue: avatar.mediaType), PictureType(sniffing: bytes) == type
            else { throw PermanentFailure(reason: "the avatar is no \(avatar.mediaType) of at most \(largestAvatar) bytes") }
            return AccountProfile.Avatar(mediaType: avatar.mediaType, bytes: bytes)
        }
        return AccountProfile(
            nickname: data.nickname, bio: data.bio, avatar: avatar, followerCount: data.followerCount)
    }

    /// Characters, and eight code points for each: one character can be as long as a book (design §9).
    private static func fits(_ text: String, _ length: ClosedRange<Int>) -> Bool {
        text.unicodeScalars.prefix(8 * length.upperBound + 1).count <= 8 * length.upperBound
            && length.contains(text.characterCount)
    }
}
