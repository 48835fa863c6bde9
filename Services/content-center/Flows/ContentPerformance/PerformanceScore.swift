/// What a content's counts are worth, all accounts together.
struct PerformanceScore: Equatable {
    var plays: Int
    var likes: Int
    var comments: Int
    var shares: Int

    /// 0 to 100. Reach counts by its magnitude, a million plays being all of it; how many of those who saw it did something counts for two
    /// fifths, a comment twice and a share three times a like. A hundred plays are added to those there were, so that the first friends'
    /// likes are no triumph. Platforms report no plays of pictures now and then: those who acted have seen it.
    var points: Int {
        let acts = Double(likes) + 2 * Double(comments) + 3 * Double(shares)
        let seen = max(Double(plays), Double(likes), Double(comments), Double(shares))
        let reach = min(1, Self.magnitude(seen) / Self.magnitude(1e6))
        let engagement = min(1, acts / (seen + 100) / 0.1)
        return Int((100 * reach * (0.6 + 0.4 * engagement)).rounded())
    }

    /// The logarithm to the base of two of one more, linear between the powers: monotonous is all that is wanted.
    private static func magnitude(_ value: Double) -> Double {
        let more = value + 1
        return Double(more.exponent) + more.significand - 1
    }
}
