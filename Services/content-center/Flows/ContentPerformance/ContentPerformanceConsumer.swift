import DTO
import Messaging

/// How well a content has done where it was published: what the search prefers among equals.
struct ContentPerformanceConsumer: Sendable {
    let store: ContentPerformanceStore

    /// Takes in `content.performance.measured.v1`.
    func record(_ event: CloudEvent) async throws {
        let measured = try event.decode(ContentPerformanceMeasured.self)
        guard PublishStatusConsumer.platformLength.contains(measured.platform.count), event.version >= 0,
            [measured.plays, measured.likes, measured.comments, measured.shares].allSatisfy({ (0...1 << 50).contains($0) })
        else { throw PermanentFailure(reason: "platform, version or a count is out of range") }
        try await store.apply(measured, from: event)
    }
}
