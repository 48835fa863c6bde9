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
    /// Is given messages of one tenant, in order. The same event may be among them twice.
    public typealias BatchHandler = @Sendable ([Delivery]) async throws -> Void

    let broker: Broker
    let queue: QueueDeclaration
    private let prefetch: Int
    private let lanes: [Lane]
    private let batch: Int
    private let pace: Duration
    private let flow: String?
    private let handlerTimeout: Duration
    private let tracer: Tracer
    private let handler: BatchHandler
    private let isDraining = Lock(false)

    /// - Parameters:
    ///   - prefetch: how many messages the broker hands out before the first is acknowledged.
    ///   - concurrency: how many are handled at the same time.
    ///   - flow: name of the flow (design §2), for log lines and spans.
    ///   - handlerTimeout: after this the handler's task is cancelled and the message is tried again later.
    public convenience init(
        broker: Broker, queue: QueueDeclaration, prefetch: Int = 32, concurrency: Int = 8, flow: String? = nil,
        handlerTimeout: Duration = .seconds(30), tracer: Tracer? = nil, handler: @escaping Handler
    ) {
        self.init(
            broker, queue, prefetch: prefetch, lanes: max(1, min(concurrency, prefetch)), batch: 1, pace: .zero, flow: flow,
            handlerTimeout: handlerTimeout, tracer: tracer
        ) {
            for delivery in $0 { try await handler(delivery) }
        }
    }

    /// Handles what waits together, where that is cheaper than one by one: a transaction for all of them instead of one for each.
    ///
    /// When the handler fails for several, it is called again for each alone, so that each has its own outcome; except where the
    /// infrastructure failed, which fails them all.
    ///
    /// - Parameters:
    ///   - batch: how many messages the handler is given at most.
    ///   - pace: a batch begins no sooner than this after the one before, so that under load there is something to handle together. The
    ///     first message after a quiet time does not wait, nor does what comes after a full batch.
    public convenience init(
        broker: Broker, queue: QueueDeclaration, batch: Int, pace: Duration = .milliseconds(20), flow: String? = nil,
        handlerTimeout: Duration = .seconds(30), tracer: Tracer? = nil, handlingTogether handler: @escaping BatchHandler
    ) {
        self.init(
            broker, queue, prefetch: 2 * batch, lanes: 1, batch: batch, pace: pace, flow: flow, handlerTimeout: handlerTimeout,
            tracer: tracer, handler: handler)
    }

    private init(
        _ broker: Broker, _ queue: QueueDeclaration, prefetch: Int, lanes: Int, batch: Int, pace: Duration, flow: String?,
        handlerTimeout: Duration, tracer: Tracer?, handler: @escaping BatchHandler
    ) {
        self.broker = broker
        self.queue = queue
        self.prefetch = max(1, prefetch)
        self.lanes = (0..<lanes).map { _ in Lane() }
        self.batch = batch
        self.pace = pace
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
        let deliver: @Sendable (ReceivedMessage) -> Void = { [lanes] received in
            guard lanes.count > 1 else { return lanes[0].put(received.events) }
            let events = Dictionary(grouping: received.events) { UInt(bitPattern: $0.laneKey.hashValue) % UInt(lanes.count) }
            for (lane, events) in events { lanes[Int(lane)].put(events) }
        }
        broker.consuming.post(
            .subscribe(Subscription(id: id, queue: queue, prefetch: UInt16(clamping: prefetch), deliver: deliver)))
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                for lane in lanes {
                    group.addTask(executorPreference: EventLoopGroup.shared.next()) { await self.work(through: lane) }
                }
            }
        } onGracefulShutdown: {
            self.isDraining.withLock { $0 = true }
            self.broker.consuming.post(.pause(id))
            for lane in self.lanes { lane.close() }
        }
        let removed = OneShot<Void>()
        broker.consuming.post(.remove(id, removed))
        // Also when cancelled: the link answers, or ends by its own time-outs.
        try? await removed.value(onCancel: {})
        await broker.consuming.release()
        await broker.publishing.release()
    }

    var isStopping: Bool { Task.isCancelled || isDraining.withLock { $0 } }

    private func work(through lane: Lane) async {
        while true {
            let received = await lane.take(atMost: batch)
            guard !received.isEmpty, !isStopping else { return }
            let next = ContinuousClock.now + pace
            await handle(received)
            if received.count == batch { continue }
            if next > .now { try? await Task.sleep(until: next) }
        }
    }

    // MARK: Some messages

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

    /// A message that is an event.
    private struct Work {
        let received: ReceivedMessage
        let delivery: Delivery
    }

    private func handle(_ received: [ReceivedMessage]) async {
        var tenants: [UUID] = []
        var works: [UUID: [Work]] = [:]
        for received in received {
            do {
                let event = try CloudEvent(decoding: received.message.body)
                let received = received.named(by: event)
                let delivery = Delivery(event: event, message: received.message)
                if works[delivery.event.tenantId] == nil { tenants.append(delivery.event.tenantId) }
                works[delivery.event.tenantId, default: []].append(Work(received: received, delivery: delivery))
            } catch {
                await settle([received], as: .park(reason: "\(error)"))
            }
        }
        for tenant in tenants { await handle(works[tenant] ?? []) }
    }

    /// All of one tenant.
    private func handle(_ works: [Work]) async {
        let outcome = await attempt(works.map(\.delivery))
        switch outcome {
        case .done, .leave, .retry(_, isInfrastructure: true):
            await settle(works.map(\.received), as: outcome)
        case .retry, .park:
            guard works.count > 1 else { return await settle(works.map(\.received), as: outcome) }
            await handleAlone(works)
        }
    }

    /// Where one alone finds what it needs away, or waits for it all its time, the others would do no better: they come again later.
    private func handleAlone(_ works: [Work]) async {
        for (index, work) in works.enumerated() {
            guard !isStopping else { return }
            let began = ContinuousClock.now
            let outcome = await attempt([work.delivery])
            await settle([work.received], as: outcome)
            guard case .retry(let reason, let isInfrastructure) = outcome,
                isInfrastructure || began.duration(to: .now) >= handlerTimeout
            else { continue }
            return await settle(works[(index + 1)...].map(\.received), as: .retry(reason: reason, isInfrastructure: true))
        }
    }

    private func settle(_ messages: [ReceivedMessage], as outcome: Outcome) async {
        switch outcome {
        case .done: broker.consuming.post(.acknowledge(messages))
        case .leave: break
        case .retry(let reason, let isInfrastructure):
            for received in messages
            where await postpone(received.message, because: reason, isInfrastructure: isInfrastructure) {
                broker.consuming.post(.acknowledge([received]))
            }
        case .park(let reason):
            for received in messages where await park(received.message, because: reason) {
                broker.consuming.post(.acknowledge([received]))
            }
        }
        broker.metrics.consumed.increment(by: Double(messages.count), [queue.name, outcome.label])
    }

    /// Each message has a span in its own trace. The handler of several works in the first one's.
    private func attempt(_ deliveries: [Delivery]) async -> Outcome {
        guard let first = deliveries.first else { return .done }
        let deadline = Deadline.after(handlerTimeout)
        let spans = deliveries.map { delivery in
            CallContext.$current.withValue(makeContext(for: delivery, deadline)) {
                tracer.start(flow ?? queue.name, kind: .consumer, attributes: ["queue": queue.name])
            }
        }
        defer { for span in spans { span.end() } }
        var context = makeContext(for: first, deadline)
        if let span = spans.first { context.trace = span.trace }
        if deliveries.count > 1 { context.operationId = nil }
        do {
            try await CallContext.$current.withValue(context) {
                try await withDeadline(deadline) { [handler] in try await handler(deliveries) }
            }
            return .done
        } catch {
            for span in spans { span.fail(error) }
            if let failure = error as? PermanentFailure { return .park(reason: failure.reason) }
            if error is MalformedEvent { return .park(reason: "\(error)") }
            if Task.isCancelled { return .leave }
            let reason = error is DeadlineExceeded ? "no result within \(handlerTimeout)" : "\(error)"
            return .retry(reason: reason, isInfrastructure: isInfrastructureFailure(error))
        }
    }

    private func makeContext(for delivery: Delivery, _ deadline: Deadline) -> CallContext {
        let event = delivery.event
        return CallContext(
            trace: event.traceparent.flatMap(TraceContext.init(traceparent:)) ?? .makeRoot(),
            requestId: delivery.headers[HeaderName.requestId] ?? event.correlationId ?? event.id.text,
            operationId: event.operationId, tenantId: event.tenantId, flow: flow, deadline: deadline.instant)
    }
}
