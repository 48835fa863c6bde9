/// Waits for a condition, asking often, until a deadline. The answer to "sleep and hope".
public struct NeverHappened: Error, CustomStringConvertible {
    public let description: String
}

public func eventually(
    within limit: Duration = .seconds(20), _ what: String = "the condition", _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    throw NeverHappened(description: "\(what) did not come true within \(limit)")
}
