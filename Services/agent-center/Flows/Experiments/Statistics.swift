import FoundationEssentials

/// A figure with the range in which the true one lies with 95 % confidence.
struct IntervalEstimate: Sendable, Equatable {
    let value: Double
    let low: Double
    let high: Double

    /// The 97.5 % point of the normal distribution.
    static let z = 1.959963984540054
}

/// So many of so many.
struct Proportion: Sendable, Equatable {
    let count: Int
    let total: Int

    /// With Wilson's score interval, which is right for few and for extreme rates too (E. B. Wilson, JASA 22, 1927).
    ///
    /// - Returns: `nil` of nothing.
    var estimate: IntervalEstimate? {
        guard total > 0 else { return nil }
        let (n, z) = (Double(total), IntervalEstimate.z)
        let rate = Double(count) / n
        let scale = 1 + z * z / n
        let middle = (rate + z * z / (2 * n)) / scale
        let half = z * (rate * (1 - rate) / n + z * z / (4 * n * n)).squareRoot() / scale
        return IntervalEstimate(
            value: rate, low: count == 0 ? 0 : middle - half, high: count == total ? 1 : middle + half)
    }

    /// This rate minus the other, with the interval made of both Wilson intervals (R. G. Newcombe, Stat. Med. 17, 1998, method 10).
    func difference(to other: Proportion) -> IntervalEstimate? {
        guard let mine = estimate, let theirs = other.estimate else { return nil }
        func length(_ a: Double, _ b: Double) -> Double { (a * a + b * b).squareRoot() }
        let value = mine.value - theirs.value
        return IntervalEstimate(
            value: value, low: value - length(mine.value - mine.low, theirs.high - theirs.value),
            high: value + length(mine.high - mine.value, theirs.value - theirs.low))
    }
}

/// Numbers, summed up so that more can be added without losing digits (B. P. Welford, Technometrics 4, 1962).
struct Sample: Sendable, Equatable {
    let count: Int
    let mean: Double
    /// Of the squares of the distances to the mean.
    let squares: Double

    private var variance: Double { count > 1 ? squares / Double(count - 1) : 0 }

    /// With Student's interval.
    ///
    /// - Returns: `nil` of fewer than two numbers: one says nothing about how they spread.
    var estimate: IntervalEstimate? {
        guard count > 1 else { return nil }
        let half = StudentT.quantile(Double(count - 1)) * (variance / Double(count)).squareRoot()
        return IntervalEstimate(value: mean, low: mean - half, high: mean + half)
    }

    /// This mean minus the other, with Welch's interval: the two may spread differently (B. L. Welch, Biometrika 34, 1947).
    func difference(to other: Sample) -> IntervalEstimate? {
        guard count > 1, other.count > 1 else { return nil }
        let (a, b) = (variance / Double(count), other.variance / Double(other.count))
        let value = mean - other.mean
        guard a + b > 0 else { return IntervalEstimate(value: value, low: value, high: value) }
        let freedom = (a + b) * (a + b) / (a * a / Double(count - 1) + b * b / Double(other.count - 1))
        let half = StudentT.quantile(freedom) * (a + b).squareRoot()
        return IntervalEstimate(value: value, low: value - half, high: value + half)
    }
}

/// The 97.5 % points of Student's distribution.
enum StudentT {
    /// For 1–30 degrees of freedom.
    private static let table = [
        12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157, 2.228139, 2.200985, 2.178813,
        2.160369, 2.144787, 2.131450, 2.119905, 2.109816, 2.100922, 2.093024, 2.085963, 2.079614, 2.073873, 2.068658, 2.063899,
        2.059539, 2.055529, 2.051831, 2.048407, 2.045230, 2.042272,
    ]

    /// - Parameter freedom: from 1; a fraction is rounded down, to the wider interval.
    static func quantile(_ freedom: Double) -> Double {
        if freedom < 31 { return table[max(0, Int(freedom) - 1)] }
        // Cornish and Fisher's expansion; exact to six digits from here on (Abramowitz and Stegun 26.7.5).
        let (z, n) = (IntervalEstimate.z, freedom.rounded(.down))
        let (z3, z5, z7) = (z * z * z, z * z * z * z * z, z * z * z * z * z * z * z)
        return z + (z3 + z) / (4 * n) + (5 * z5 + 16 * z3 + 3 * z) / (96 * n * n)
            + (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * n * n * n)
    }
}
