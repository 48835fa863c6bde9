import DTO
import FoundationEssentials

/// The words that a tenant set for all its texts.
struct TenantVocabulary: Sendable, Equatable {
    var brandWords: [String]
    var bannedWords: [String]

    /// Everybody's words that a text for this platform may not hold: the caller's, the tenant's and the platform's.
    func bannedWords(besides own: [String], on platform: ContentPlatform) -> [String] {
        Self.unique(own + bannedWords + PlatformRules.of(platform).bannedWords)
    }

    static func unique(_ words: [String]) -> [String] {
        var seen: Set<String> = []
        return words.filter { seen.insert($0).inserted }
    }
}

protocol TenantVocabularies: Sendable {
    func vocabulary(of tenantId: UUID) async throws -> TenantVocabulary
}
