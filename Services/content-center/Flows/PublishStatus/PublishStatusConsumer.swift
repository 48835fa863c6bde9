import DTO
import Messaging

/// Writes down what `publish.status.changed.v1` says.
struct PublishStatusConsumer: Sendable {
    static let platformLength = 1...64

    let store: PublishStatusStore

    func record(_ event: CloudEvent) async throws {
        let change = try event.decode(PublishStatusChanged.self)
        guard PublishStanding.order.contains(change.status) else {
            throw PermanentFailure(reason: "\(change.status.rawValue) is no status of a publish task")
        }
        guard Self.platformLength.contains(change.platform.count), change.contentVersion >= 1, event.version >= 0 else {
            throw PermanentFailure(reason: "platform, contentVersion or version is out of range")
        }
        try await store.apply(change, from: event)
    }
}
