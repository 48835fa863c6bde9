import FoundationEssentials
import PostgresStore

struct TenantVocabularyStore: TenantVocabularies {
    let database: Database

    func vocabulary(of tenantId: UUID) async throws -> TenantVocabulary {
        let rows = try await database.query(
            """
            SELECT 'brand' AS list, word FROM brand_words
            UNION ALL
            SELECT 'banned' AS list, word FROM banned_words
            UNION ALL
            SELECT 'erased' AS list, '' AS word FROM erased_tenants
            ORDER BY list, word
            """, tenant: tenantId)
        var vocabulary = TenantVocabulary(brandWords: [], bannedWords: [])
        for row in rows {
            let word: String = try row.decode("word")
            switch try row.decode("list", as: String.self) {
            case "brand": vocabulary.brandWords.append(word)
            case "banned": vocabulary.bannedWords.append(word)
            default: throw TenantErased()
            }
        }
        return vocabulary
    }
}
