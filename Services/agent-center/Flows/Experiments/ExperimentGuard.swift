/// Stops an arm that does harm: when the rate of an outcome, or the mean of the numbers posted with it, is above a limit beyond doubt.
struct GuardRule: Sendable, Equatable {
    enum Measure: String, Sendable, CaseIterable {
        /// Outcomes per exposure.
        case rate
        /// Of the numbers that came with the outcomes, e.g. complaints per work.
        case mean
    }

    let kind: OutcomeKind
    var measure = Measure.rate
    /// What must not be exceeded; a rate is 0–1.
    let above: Double
    /// With fewer exposures, or numbers where their mean is looked at, nothing is said.
    let minimumExposures: Int

    /// So many exposures that a rate of `count` in them is not above the limit: whoever counts may stop there.
    func enough(for count: Int) -> Int { max(minimumExposures, Int((Double(count) / above).rounded(.up)) + 1) }

    /// Whether even the low end of the interval is above the limit.
    func isBroken(by outcomes: Proportion) -> Bool {
        guard outcomes.total >= minimumExposures, let estimate = outcomes.estimate else { return false }
        return estimate.low > above
    }

    func isBroken(by numbers: Sample) -> Bool {
        guard numbers.count >= minimumExposures, let estimate = numbers.estimate else { return false }
        return estimate.low > above
    }

    func reason(_ numbers: Sample) -> String {
        func short(_ number: Double) -> String { "\((number * 1_000).rounded() / 1_000)" }
        return
            "\(kind.rawValue) 的数值 \(numbers.count) 个，平均 \(short(numbers.mean))，95% 下限 \(short(numbers.estimate?.low ?? 0)) 高于 \(short(above))"
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
