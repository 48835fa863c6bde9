import PostgresStore

/// Paid work costs the database its own rows only, however many there are.
enum M0008SpendingCost {
    static let migration = Migration(
        number: 8, name: "spending at the cost of its own rows", sql: PlatformSchema.v2 + BudgetFunctions.v2 + BudgetAdmission.v3)
}
