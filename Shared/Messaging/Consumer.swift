import ConcurrencySupport
import FoundationEssentials
public import Lifecycle
public import Observability

/// Handles the messages of one queue.
///
/// Returning from the handler acknowledges the message. An error sends a copy to the next rung of the queue's retry ladder and then
/// acknowledges; ``PermanentFailure``, a body that is no event, or a used-up ladder sends it to the parking queue, with the reason. What
/// is neither acknowledged nor copied when the process dies is handed out again, so a handler sees events at least once: see ``Inbox``.
///
/// Messages with the same subject are handled one after the other, in order; others in parallel.
public final class Consumer: Service {
    public typealias Handler = @Sendable (Delivery) async throws -> Void

    private let broker: Broker
    private let queue: QueueDeclaration
    private let prefetch: Int
    private let concurrency: Int
    private let flow: String?
    private let handlerTimeout: Duration
    private let tracer: Tracer
    private let handler: Handler
    private let isDraining = Lock(false)

    /// - Parameters:
    ///   - prefetch: how many messages the broker hands out before the first is acknowledged.
    ///   - concurrency: how many are handled at the same time.
    ///   - flow: name of the flow (design §2), for log lines and spans.
    ///   - handlerTimeout: after this the handler's task is cancelled and the message is tried again later.
    public init(
        broker: Broker, queue: QueueDeclaration, prefetch: Int = 32, concurrency: Int = 8, flow: String? = nil,
        handlerTimeout: Duration = .seconds(30), tracer: Tracer? = nil, handler: @escaping Handler
    ) {
        self.broker = broker
        self.queue = queue
        self.prefetch = max(1, prefetch)
        self.concurrency = max(1, min(concurrency, prefetch))
        self.flow = flow
        self.handlerTimeout = handlerTimeout
        self.tracer = tracer ?? Tracer(service: "consumer")
        self.handler = handler
    }

    /// Consumes until graceful shutdown: then running handlers finish and are acknowledged, and the rest goes back to the queue.
    public func run() async throws {
        broker.publishing.acquire()
        broker.consuming.acquire()
        if queue.kind == .quorum {
            // The copies for rungs and parking go through the publishing connection.
            broker.publishing.post(.declare(Topology(exchanges: [queue.exchange], queues: [queue])))
        }
        let id = broker.makeSubscriptionId()
        let lanes = (0..<concurrency).map { _ in AsyncStream<ReceivedMessage>.makeStream() }
        let deliver: @Sendable (ReceivedMessage) -> Void = { received in
            let key = received.message.headers[HeaderName.subject] ?? received.message.messageId
            lanes[Int(UInt(bitPattern: key.hashValue) % UInt(lanes.count))].continuation.yield(received)
        }
        broker.consuming.post(
            .subscribe(Subscription(id: id, queue: queue, prefetch: UInt16(clamping: prefetch), deliver: deliver)))
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                for lane in lanes {
                    group.addTask(executorPreference: EventLoopGroup.shared.next()) { await self.work(through: lane.stream) }
                }
            }
        } onGracefulShutdown: {
            self.isDraining.withLock { $0 = true }
            self.broker.consuming.post(.pause(id))
            for lane in lanes { lane.continuation.finish() }
        }
        let removed = OneShot<Void>()
        broker.consuming.post(.remove(id, removed))
        // Also when cancelled: the link answers, or ends by its own time-outs.
        try? await removed.value(onCancel: {})
        await broker.consuming.release()
        await broker.publishing.release()
    }

    private var isStopping: Bool { Task.isCancelled || isDraining.withLock { $0 } }

    private func work(through lane: AsyncStream<ReceivedMessage>) async {
        for await received in lane where !isStopping { await handle(received) }
    }

    // MARK: One message

    private enum Outcome {
        case done
        case retry(reason: String, isInfrastructure: Bool)
        case park(reason: String)
        /// The process is stopping: the message goes back to the queue as it is.
        case leave

        var label: String {
            switch self {
            case .done: "handled"
            case .retry: "retried"
            case .park: "parked"
            case .leave: "returned"
            }
        }
    }

    private func handle(_ received: ReceivedMessage) async {
        let outcome: Outcome
        do {
            outcome = await attempt(Delivery(event: try CloudEvent(decoding: received.message.body), message: received.message))
        } catch {
            outcome = .park(reason: "\(error)")
        }
        let isSettled: Bool
        switch outcome {
        case .done: isSettled = true
        case .leave: isSettled = false
        case .retry(let reason, let isInfrastructure):
            isSettled = await postpone(received.message, because: reason, isInfrastructure: isInfrastructure)
        case .park(let reason):
            isSettled = await park(received.message, because: reason)
        }
        if isSettled { broker.consuming.post(.acknowledge(received)) }
        broker.metrics.consumed.increment([queue.name, outcome.label])
    }

    private func attempt(_ delivery: Delivery) async -> Outcome {
        let event = delivery.event
        let deadline = Deadline.after(handlerTimeout)
        let context = CallContext(
            trace: event.traceparent.flatMap(TraceContext.init(traceparent:)) ?? .makeRoot(),
            requestId: delivery.headers[HeaderName.requestId] ?? event.correlationId ?? event.id.text,
            operationId: event.operationId, tenantId: event.tenantId, flow: flow, deadline: deadline.instant)
        return await CallContext.$current.withValue(context) {
            do {
                try await withDeadline(deadline) { [tracer, handler, queue, flow] in
                    try await tracer.withSpan(flow ?? queue.name, kind: .consumer, attributes: ["queue": queue.name]) { _ in
                        try await handler(delivery)
                    }
                }
                return .done
            } catch let failure as PermanentFailure {
                return .park(reason: failure.reason)
            } catch let error as MalformedEvent {
                return .park(reason: "\(error)")
            } catch {
                if Task.isCancelled { return .leave }
                let reason = error is DeadlineExceeded ? "no result within \(handlerTimeout)" : "\(error)"
                return .retry(reason: reason, isInfrastructure: isInfrastructureFailure(error))
            }
        }
    }

    private func postpone(_ message: AMQPDelivery, because reason: String, isInfrastructure: Bool) async -> Bool {
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

    private func park(_ message: AMQPDelivery, because reason: String) async -> Bool {
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
