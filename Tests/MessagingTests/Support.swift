import ConcurrencySupport
import ConfigReading
import Foundation
import Lifecycle
import Messaging
import TestSupport
import Testing

/// A proxy in front of the test broker, and the broker's URL through it.
func makeProxy() throws -> (TCPProxy, Secret) {
    var components = try #require(URLComponents(string: TestBroker.url().exposed))
    let proxy = try TCPProxy(target: UInt16(components.port ?? 5_672))
    components.host = "127.0.0.1"
    components.port = Int(proxy.port)
    return (proxy, Secret(try #require(components.string)))
}

func makeEvent(
    _ type: String = "test.thing.happened.v1", subject: String? = nil, tenantId: UUID = UUID(), version: Int64 = 1,
    data: String = "{}"
) -> CloudEvent {
    CloudEvent(
        id: UUID(), source: "messaging-tests", type: type, subject: subject, time: Date(timeIntervalSince1970: 1_800_000_000),
        tenantId: tenantId, version: version, data: Array(data.utf8))
}

/// What a handler saw, from any thread.
final class Recorder<Item: Sendable>: Sendable {
    private let state = Lock<[Item]>([])

    var items: [Item] { state.withLock { $0 } }

    func record(_ item: Item) { state.withLock { $0.append(item) } }
}

/// Runs the services, then, once the publishers among them are connected, `body`; then shuts the services down gracefully, the last
/// one first.
func withServices(_ services: [any Service], _ body: () async throws -> Void) async throws {
    var running: [(Task<Void, any Error>, GracefulShutdownTestTrigger)] = []
    for service in services {
        let trigger = OneShot<GracefulShutdownTestTrigger>()
        let task = Task {
            try await testGracefulShutdown { own in
                trigger.succeed(own)
                try await service.run()
            }
        }
        running.append((task, try await trigger.value()))
    }
    let outcome: Result<Void, any Error>
    do {
        // One that has not begun refuses messages as one that has ended does.
        for case let publisher as Publisher in services {
            try await eventually("the publisher is connected") { publisher.isConnected }
        }
        outcome = .success(try await body())
    } catch {
        outcome = .failure(error)
    }
    for (task, trigger) in running.reversed() {
        trigger.triggerGracefulShutdown()
        try await task.value
    }
    try outcome.get()
}
