import PostgresStore

/// agent-center takes words of at most 50 characters (`POST /v1/titles`): a longer one would fail every request of its tenant.
let m0002WordLength = Migration(
    number: 2, name: "word_length",
    sql: """
        ALTER TABLE brand_words DROP CONSTRAINT brand_words_word_check;
        ALTER TABLE brand_words ADD CHECK (char_length(word) BETWEEN 1 AND 50);
        ALTER TABLE banned_words DROP CONSTRAINT banned_words_word_check;
        ALTER TABLE banned_words ADD CHECK (char_length(word) BETWEEN 1 AND 50);
        """)
