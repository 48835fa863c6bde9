import PostgresStore

extension Migration {
    static let m0003CheapClock = Migration(number: 3, name: "cheap_clock", sql: PlatformSchema.v2)
}
