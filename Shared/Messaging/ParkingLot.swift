import ConcurrencySupport
import FoundationEssentials

/// Looks at what could not be handled, and sends it through the queue again. Behind `<service> parking list|replay <queue>`.
public struct ParkingLot: Sendable {
    private let broker: Broker

    public init(broker: Broker) { self.broker = broker }

    /// Up to `limit` messages of the queue's parking queue, oldest first. They stay there.
    public func list(queue: String, limit: Int = 100) async throws -> [ParkedMessage] {
        let parking = broker.configuration.prefix + QueueDeclaration(queue, bindings: []).parkingQueue
        return try await broker.withConnection { connection in
            try connection.openChannel(1)
            var messages: [ParkedMessage] = []
            // Unacknowledged: all of them go back in their old order when the connection closes.
            while messages.count < limit, let message = try connection.next(of: parking) {
                messages.append(
                    ParkedMessage(
                        messageId: message.messageId, routingKey: message.originalRoutingKey,
                        reason: message.headers[HeaderName.reason] ?? message.headers[HeaderName.firstDeathReason] ?? "unknown",
                        attempts: message.attempt, body: String(decoding: message.body, as: UTF8.self)))
            }
            return messages
        }
    }

    /// Moves parked messages back to their queue, as first attempts: each is acknowledged after the copy was confirmed.
    ///
    /// - Parameter messageIds: only these; all that are there now when `nil`.
    /// - Returns: how many were moved.
    public func replay(queue: String, messageIds: Set<String>? = nil) async throws -> Int {
        let prefix = broker.configuration.prefix
        let parking = prefix + QueueDeclaration(queue, bindings: []).parkingQueue
        let patience = broker.configuration.answerTimeout
        return try await broker.withConnection { connection in
            try connection.openChannel(1)
            try connection.selectConfirms(channel: 1)
            // First everything that is there now: what fails and is parked again meanwhile is not moved twice.
            var parked: [AMQPDelivery] = []
            while parked.count < 10_000, let message = try connection.next(of: parking) { parked.append(message) }
            var moved = 0
            for message in parked where messageIds?.contains(message.messageId) ?? true {
                var copy = message.copy(to: queue)
                copy.headers[HeaderName.attempt] = nil
                copy.headers[HeaderName.reason] = nil
                try connection.publish(copy, exchange: "", routingKey: prefix + queue, channel: 1)
                try connection.waitForConfirm(until: .after(patience))
                try connection.acknowledge(tag: message.tag, channel: 1)
                moved += 1
            }
            return moved
        }
    }
}

extension AMQPConnection {
    /// The next message of a queue, `nil` when it is empty. Channel 1.
    func next(of queue: String) throws -> AMQPDelivery? {
        guard try get(queue, channel: 1) else { return nil }
        let deadline = Deadline.after(.seconds(5))
        while let event = try waitForEvent(until: deadline) {
            if case .delivery(let message) = event { return message }
            if case .channelClosed(_, let error) = event { throw error }
        }
        throw AMQPError.connection("a message did not come whole")
    }

    func waitForConfirm(until deadline: Deadline) throws {
        var returned: String?
        while let event = try waitForEvent(until: deadline) {
            switch event {
            case .acknowledged:
                if let returned { throw AMQPError.connection("unroutable: \(returned)") }
                return
            case .returned(_, let reason, _): returned = reason
            case .refused: throw AMQPError.connection("refused by the broker")
            case .channelClosed(_, let error): throw error
            case .delivery, .consumerCancelled, .blocked, .unblocked: continue
            }
        }
        throw AMQPError.connection("no confirm in time")
    }
}
