import PostgresStore

let m0009CheapClock = Migration(number: 9, name: "cheap_clock", sql: PlatformSchema.v2)
