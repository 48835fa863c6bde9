import FoundationEssentials

/// When an asset's rights are said to end (版权到期): 30, 7 and 1 days before, and when they have.
enum RightsRule {
    /// Days before the end on which somebody is warned.
    static let days = [30, 7, 1]

    /// The narrowest of the stages that have begun: days before the end, 0 = it is over; `nil` while it is far away.
    static func stage(at now: Date, expiresAt: Date) -> Int? {
        let seconds = expiresAt.timeIntervalSince(now)
        if seconds <= 0 { return 0 }
        return days.filter { seconds <= Double($0) * 86_400 }.min()
    }

    /// What is to be told now; each stage once, and none that a narrower one has overtaken.
    ///
    /// - Parameter told: the last stage that was.
    static func due(at now: Date, expiresAt: Date, told: Int?) -> Int? {
        guard let stage = stage(at: now, expiresAt: expiresAt) else { return nil }
        if let told, told <= stage { return nil }
        return stage
    }
}
