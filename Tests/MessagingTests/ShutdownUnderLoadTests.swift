import Foundation
import Lifecycle
import Messaging
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct ShutdownUnderLoadTests {
    static let loops = ProcessInfo.processInfo.environment["STRESS_LOOPS"].flatMap { Int($0) } ?? 10

    /// Publishers and consumers are stopped in the middle of their work, and cut off, again and again: every message whose publishing
    /// was confirmed is handled, and every call returns.
    @Test func losesNothingThatWasConfirmed() async throws {
        // A consumer that is stopped before it handles anything gives back what it was handed, again and again: not what the limit is for.
        let queue = QueueDeclaration("load", bindings: ["test.#"], retry: RetryLadder([]), deliveryLimit: 100_000)
        let (proxy, url) = try makeProxy()
        defer { proxy.end() }
        try await TestBroker.withBroker(queues: [queue], configure: { $0.url = url }) { broker in
            let confirmed = Recorder<UUID>()
            let handled = Recorder<UUID>()
            for loop in 0..<Self.loops {
                let publisher = Publisher(broker: broker)
                let consumer = Consumer(broker: broker, queue: queue) { handled.record($0.event.id) }
                let load = try await withThrowingTaskGroup(of: Void.self) { group in
                    try await withServices([publisher, consumer]) {
                        for _ in 0..<4 {
                            group.addTask {
                                for _ in 0..<25 where !Task.isCancelled {
                                    let events = (0..<4).map { _ in makeEvent(subject: "s") }
                                    let results = await publisher.publish(events.map { OutgoingMessage($0) })
                                    for (event, result) in zip(events, results) where (try? result.get()) != nil {
                                        confirmed.record(event.id)
                                    }
                                }
                            }
                        }
                        try await eventually("the loop does something") { confirmed.items.count > loop * 8 }
                        if loop % 3 == 1 { proxy.cut() }
                        if loop % 3 == 2 { group.cancelAll() }
                    }
                    try await group.waitForAll()
                    return confirmed.items.count
                }
                #expect(load > 0)
            }
            let last = Consumer(broker: broker, queue: queue, prefetch: 200) { handled.record($0.event.id) }
            try await withServices([last]) {
                // However many wait: each step has the time.
                var (missing, seen) = (Set(confirmed.items), 0)
                while !missing.isEmpty {
                    let before = seen
                    try await eventually("\(missing.count) more that were confirmed are handled") { handled.items.count > before }
                    let items = handled.items
                    missing.subtract(items[seen...])
                    seen = items.count
                }
            }
        }
    }
}
