import ConcurrencySupport

/// A queue as the broker sees it: a ``QueueDeclaration`` stands for several.
struct PlainQueue {
    let name: String
    let isExclusive: Bool
    let arguments: [(String, AMQPValue)]
    /// (exchange, routing key)
    let bindings: [(String, String)]
}

extension QueueDeclaration {
    /// The queue itself, and for work queues its parking queue and its rungs. With full names.
    func plainQueues(prefix: String) -> [PlainQueue] {
        let main = prefix + name
        let bound = bindings.map { (prefix + exchange.name, $0) }
        guard kind == .quorum else { return [PlainQueue(name: main, isExclusive: true, arguments: [], bindings: bound)] }
        let parking = prefix + parkingQueue
        var queues = [
            PlainQueue(name: parking, isExclusive: false, arguments: [("x-queue-type", .string("quorum"))], bindings: [])
        ]
        for delay in retry.delays {
            queues.append(
                PlainQueue(
                    name: prefix + rungQueue(delay), isExclusive: false,
                    arguments: Self.quorum(deadLetterTo: main) + [("x-message-ttl", .int(delay.milliseconds))], bindings: []))
        }
        // Last, so that a message that it hands on finds its way ready.
        queues.append(
            PlainQueue(
                name: main, isExclusive: false,
                arguments: Self.quorum(deadLetterTo: parking) + [("x-delivery-limit", .int(Int64(deliveryLimit)))],
                bindings: bound))
        return queues
    }

    /// `at-least-once` lets the broker wait for the target's confirm before it forgets the message; it asks for `reject-publish`.
    private static func quorum(deadLetterTo target: String) -> [(String, AMQPValue)] {
        [
            ("x-queue-type", .string("quorum")), ("x-dead-letter-exchange", .string("")),
            ("x-dead-letter-routing-key", .string(target)), ("x-dead-letter-strategy", .string("at-least-once")),
            ("x-overflow", .string("reject-publish")),
        ]
    }
}

extension Topology {
    mutating func merge(_ other: Topology) {
        exchanges += other.exchanges.filter { !exchanges.contains($0) }
        queues.removeAll { queue in other.queues.contains { $0.name == queue.name } }
        queues += other.queues
    }

    /// Without what belongs to one connection only.
    var shared: Topology { Topology(exchanges: exchanges, queues: queues.filter { $0.kind == .quorum }) }
}

extension AMQPConnection {
    func declare(_ topology: Topology, prefix: String, channel: UInt16) throws {
        for exchange in topology.exchanges { try declareExchange(prefix + exchange.name, channel: channel) }
        for queue in topology.queues {
            if !topology.exchanges.contains(queue.exchange) {
                try declareExchange(prefix + queue.exchange.name, channel: channel)
            }
            for plain in queue.plainQueues(prefix: prefix) { try declare(plain, channel: channel) }
        }
    }

    func declare(_ queue: PlainQueue, channel: UInt16) throws {
        try declareQueue(
            queue.name, channel: channel, isDurable: !queue.isExclusive, isExclusive: queue.isExclusive,
            arguments: queue.arguments)
        for (exchange, key) in queue.bindings {
            try bindQueue(queue.name, exchange: exchange, routingKey: key, channel: channel)
        }
    }
}
