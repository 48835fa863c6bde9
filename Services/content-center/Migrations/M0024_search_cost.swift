import PostgresStore

/// A search reads less to find the same.
let m0024SearchCost = Migration(number: 24, name: "search_cost", sql: SearchFunctions.v4)
