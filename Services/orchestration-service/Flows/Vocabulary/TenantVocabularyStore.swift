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
            ORDER BY list, word
            """, tenant: tenantId)
        var vocabulary = TenantVocabulary(brandWords: [], bannedWords: [])
        for row in rows {
            let word: String = try row.decode("word")
            if try row.decode("list", as: String.self) == "brand" {
                vocabulary.brandWords.append(word)
            } else {
                vocabulary.bannedWords.append(word)
            }
        }
        return vocabulary
    }
}
