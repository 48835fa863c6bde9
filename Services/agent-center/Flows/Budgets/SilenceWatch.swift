/// Whether those who are silent may be taken for dead.
///
/// Who cannot reach the database cannot say there that it is alive. So whoever was cut off himself gives the others, once he is back, as
/// long as silence takes.
struct SilenceWatch: Sendable {
    /// A database that takes longer to answer was away for a moment.
    static let patience = Duration.seconds(1)

    private var lastTrouble: ContinuousClock.Instant?

    /// How the database answered just now.
    mutating func note(_ answer: Answer, at now: ContinuousClock.Instant) {
        switch answer {
        case .after(let time) where time <= Self.patience: break
        case .after, .none: lastTrouble = now
        }
    }

    enum Answer: Sendable, Equatable {
        case after(Duration)
        case none
    }

    func isTelling(at now: ContinuousClock.Instant) -> Bool {
        lastTrouble.map { $0 + PostgresUsageStore.timeOfSilence < now } ?? true
    }
}
