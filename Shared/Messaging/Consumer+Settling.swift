import ConcurrencySupport
import FoundationEssentials
import Observability

extension Consumer {
    /// - Returns: whether the message is kept elsewhere, so that the original can be acknowledged.
    func postpone(_ message: AMQPDelivery, because reason: String, isInfrastructure: Bool) async -> Bool {
        // A database that is away for an hour is no fault of the message: it keeps to the last rung instead of being parked.
        let delay = queue.retry.delay(afterAttempt: message.attempt) ?? (isInfrastructure ? queue.retry.delays.last : nil)
        guard let delay else { return await park(message, because: reason) }
        broker.logger.warning(
            "Trying a message again later",
            [
                "queue": queue.name, "messageId": message.messageId, "attempt": message.attempt,
                "delayMs": Int(delay.milliseconds),
                "reason": reason,
            ])
        return await copy(message, to: queue.rungQueue(delay), attempt: message.attempt + 1, reason: reason)
    }

    func park(_ message: AMQPDelivery, because reason: String) async -> Bool {
        broker.logger.error(
            "Parked a message",
            ["queue": queue.name, "messageId": message.messageId, "attempt": message.attempt, "reason": reason])
        return await copy(message, to: queue.parkingQueue, attempt: message.attempt, reason: reason)
    }

    /// Publishes a copy and waits for its confirm, again and again while the broker is away.
    ///
    /// - Returns: `false` when the consumer stopped first: the original is not acknowledged then and comes again.
    private func copy(_ message: AMQPDelivery, to target: String, attempt: Int, reason: String) async -> Bool {
        guard queue.kind == .quorum else { return true }
        var copy = message.copy(to: target)
        copy.headers[HeaderName.attempt] = String(attempt)
        copy.headers[HeaderName.reason] = String(reason.prefix(500))
        let publisher = Publisher(broker: broker)
        var backOff = BackOff()
        while !isStopping || backOff.count == 0 {
            do {
                try await CallContext.$current.withValue(nil) { try await publisher.publish(copy) }
                return true
            } catch PublishFailure.unroutable {
                broker.publishing.post(.declare(Topology(exchanges: [queue.exchange], queues: [queue])))
            } catch {
                broker.logger.warning("Could not copy a message", ["queue": target, "reason": "\(error)"])
            }
            try? await Task.sleep(for: backOff.next())
        }
        return false
    }
}

extension AMQPDelivery {
    var attempt: Int { headers[HeaderName.attempt].flatMap { Int($0) } ?? 1 }
    var originalRoutingKey: String { headers[HeaderName.routingKey] ?? routingKey }

    /// The same message for a queue by its name, without what the broker wrote into it.
    func copy(to queue: String) -> OutgoingMessage {
        var headers = headers
        for prefix in ["x-first-death", "x-last-death", "x-delivery-count"] {
            headers = headers.filter { !$0.key.hasPrefix(prefix) }
        }
        headers[HeaderName.routingKey] = originalRoutingKey
        return OutgoingMessage(
            exchange: .default, routingKey: queue, headers: headers, messageId: messageId, contentType: contentType, body: body)
    }
}

extension Delivery {
    init(event: CloudEvent, message: AMQPDelivery) {
        self.init(
            event: event, routingKey: message.originalRoutingKey, headers: message.headers, attempt: message.attempt,
            isRedelivered: message.isRedelivered)
    }
}
