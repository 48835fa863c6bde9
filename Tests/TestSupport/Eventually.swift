/// A condition that a test waited for in vain; says where.
public struct NeverHappened: Error, CustomStringConvertible {
    public let description: String
}

/// Waits for a condition, asking often, until a deadline. The answer to "sleep and hope".
///
/// - Throws: ``NeverHappened``, or what the condition throws.
public func eventually(
    _ what: String = "the condition", within limit: Duration = .seconds(60), fileID: String = #fileID, line: Int = #line,
    _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        guard .now < end else { throw NeverHappened(description: "\(fileID):\(line): waited \(limit) in vain: \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}
