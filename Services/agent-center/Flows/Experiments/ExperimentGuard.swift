/// Stops an arm that does harm: when the rate of an outcome is above a limit beyond doubt.
struct GuardRule: Sendable, Equatable {
    let kind: OutcomeKind
    /// The rate that must not be exceeded, 0–1.
    let above: Double
    /// With fewer exposures nothing is said.
    let minimumExposures: Int

    /// So many exposures that a rate of `count` in them is not above the limit: whoever counts may stop there.
    func enough(for count: Int) -> Int { max(minimumExposures, Int((Double(count) / above).rounded(.up)) + 1) }

    /// Whether even the low end of the interval is above the limit.
    func isBroken(by outcomes: Proportion) -> Bool {
        guard outcomes.total >= minimumExposures, let estimate = outcomes.estimate else { return false }
        return estimate.low > above
    }

    func reason(_ outcomes: Proportion) -> String {
        "\(kind.rawValue) \(outcomes.count)/\(outcomes.total)，95% 下限 \(Self.percent(outcomes.estimate?.low ?? 0)) 高于 \(Self.percent(above))"
    }

    private static func percent(_ rate: Double) -> String { "\((rate * 1_000).rounded() / 10)%" }
}

/// What became of a text.
enum OutcomeKind: String, Sendable, CaseIterable {
    case accepted
    case edited
    case rejected
    case published
}

/// What outcomes are counted per.
enum ExperimentUnit: String, Sendable, CaseIterable {
    case operation
    case subject
}
