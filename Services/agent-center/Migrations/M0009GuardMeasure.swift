import PostgresStore

/// Guards of experiments that look at the numbers posted with outcomes, whose limit is no rate.
enum M0009GuardMeasure {
    static let migration = Migration(
        number: 9, name: "guards over posted numbers",
        sql: """
            ALTER TABLE prompt_experiments
                ADD COLUMN guard_measure text CHECK (guard_measure IN ('rate', 'mean')),
                DROP CONSTRAINT prompt_experiments_guard_above_check,
                ADD CONSTRAINT prompt_experiments_guard_above_check
                    CHECK (coalesce(guard_measure, 'rate') = 'mean' OR guard_above > 0 AND guard_above < 1);
            """)
}
