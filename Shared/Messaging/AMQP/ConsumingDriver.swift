import ConcurrencySupport
import Observability

/// What a consumer asks of the consuming link.
struct Subscription: Sendable {
    let id: UInt16
    let queue: QueueDeclaration
    let prefetch: UInt16
    /// Called on the link's thread: must only hand on.
    let deliver: @Sendable (ReceivedMessage) -> Void
}

/// A message with what is needed to settle it.
struct ReceivedMessage: Sendable {
    var message: AMQPDelivery
    /// Which opening of the channel it came by. Settling it after that channel is gone is dropped: the broker has taken it back.
    let epoch: UInt64
    /// With how many others of one batch it came, itself included. They are settled one by one; the broker hears of it with the last.
    var batchSize: Int?
}

/// Consumers of one process on one connection, a channel each, so that one that fails does not take the others along.
final class ConsumingDriver: LinkDriver {
    enum Command: Sendable {
        case subscribe(Subscription)
        case acknowledge([ReceivedMessage])
        /// No more deliveries; what was handed out can still be acknowledged.
        case pause(UInt16)
        /// Ends the subscription; what is not acknowledged goes back to the queue.
        case remove(UInt16, OneShot<Void>)
    }

    private struct Channel {
        let subscription: Subscription
        var epoch: UInt64?
        var window = AcknowledgementWindow()
        /// Settled, and not yet said to the broker.
        var settled: [UInt64] = []
        /// How many parts of a batch are not settled, where some are.
        var unsettled: [UInt64: Int] = [:]
        var isPaused = false
        var backOff = BackOff()
        var nextAttempt = ContinuousClock.now

        mutating func settle(_ received: ReceivedMessage) {
            let tag = received.message.tag
            let left = (unsettled[tag] ?? received.batchSize ?? 1) - 1
            unsettled[tag] = left > 0 ? left : nil
            if left <= 0 { settled.append(tag) }
        }
    }

    private let configuration: BrokerConfiguration
    private let logger: Logger
    private let repair: QueueRepair
    private var channels: [UInt16: Channel] = [:]
    private var commands: [Command] = []
    private var epochs: UInt64 = 0
    private(set) var nextTimer: ContinuousClock.Instant?
    let waitsForWritable = false

    init(configuration: BrokerConfiguration, repair: QueueRepair, logger: Logger) {
        self.configuration = configuration
        self.repair = repair
        self.logger = logger
    }

    func take(_ command: Command) { commands.append(command) }

    func connected(_ connection: AMQPConnection, generation: Int) throws {
        for id in channels.keys { channels[id]?.nextAttempt = .now }
    }

    func disconnected(_ reason: any Error) {
        for id in channels.keys { channels[id]?.epoch = nil }
    }

    func advance(on connection: AMQPConnection?) throws {
        while !commands.isEmpty {
            let taken = commands
            commands = []
            for (index, command) in taken.enumerated() {
                do {
                    try execute(command, on: connection)
                } catch {
                    commands = Array(taken[(index + 1)...]) + commands
                    throw error
                }
            }
        }
        nextTimer = nil
        guard let connection else { return }
        for id in channels.keys { try acknowledge(id, on: connection) }
        for (id, channel) in channels where channel.epoch == nil && !channel.isPaused {
            if channel.nextAttempt <= .now { try open(id, on: connection) }
            if let state = channels[id], state.epoch == nil { nextTimer = min(nextTimer ?? state.nextAttempt, state.nextAttempt) }
        }
    }

    private func execute(_ command: Command, on connection: AMQPConnection?) throws {
        switch command {
        case .subscribe(let subscription):
            channels[subscription.id] = Channel(subscription: subscription)
        case .acknowledge(let received):
            for received in received where channels[received.message.channel]?.epoch == received.epoch {
                channels[received.message.channel]?.settle(received)
            }
        case .pause(let id):
            guard let channel = channels[id], !channel.isPaused else { return }
            channels[id]?.isPaused = true
            guard let connection, channel.epoch != nil else { return }
            try connection.cancelConsumer(tag: Self.tag(id), channel: id)
        case .remove(let id, let done):
            defer {
                channels[id] = nil
                done.succeed()
            }
            guard let connection, channels[id]?.epoch != nil else { return }
            try acknowledge(id, on: connection)
            try connection.closeChannel(id)
        }
    }

    /// Says what was settled since the last time.
    private func acknowledge(_ id: UInt16, on connection: AMQPConnection) throws {
        // What was left of a connection that is gone is nothing to the next one.
        guard var channel = channels[id], channel.epoch != nil, !channel.settled.isEmpty else { return }
        let frames = channel.window.settle(channel.settled)
        channel.settled = []
        channels[id] = channel
        for frame in frames { try connection.acknowledge(tag: frame.tag, isMultiple: frame.isMultiple, channel: id) }
    }

    private func open(_ id: UInt16, on connection: AMQPConnection) throws {
        guard var channel = channels[id] else { return }
        let subscription = channel.subscription
        let queue = configuration.prefix + subscription.queue.name
        guard !repair.isBusy(queue) else {
            channels[id]?.nextAttempt = .now + .milliseconds(200)
            return
        }
        var isConsuming = false
        do {
            let topology = Topology(exchanges: [subscription.queue.exchange], queues: [subscription.queue])
            try connection.openChannel(id)
            try connection.declare(topology, prefix: configuration.prefix, channel: id)
            try connection.setPrefetch(subscription.prefetch, channel: id)
            isConsuming = true
            try connection.consume(queue, tag: Self.tag(id), channel: id)
            epochs += 1
            channel.epoch = epochs
            channel.window = AcknowledgementWindow()
            channel.settled = []
            channel.unsettled = [:]
            channel.backOff.reset()
            channels[id] = channel
        } catch let error as AMQPError {
            if isConsuming, error.isTimeout || error.isInternalError {
                repair.suspect(queue, in: Topology(exchanges: [], queues: [subscription.queue]), prefix: configuration.prefix)
            }
            guard error.scope == .channel else { throw error }
            postpone(id, because: error)
        }
    }

    private func postpone(_ id: UInt16, because error: any Error) {
        guard var channel = channels[id] else { return }
        channel.epoch = nil
        let delay = channel.backOff.next()
        channel.nextAttempt = .now + delay
        channels[id] = channel
        logger.warning(
            "A consumer lost its channel",
            ["queue": channel.subscription.queue.name, "reason": "\(error)", "retryInMs": Int(delay.milliseconds)])
    }

    func handle(_ event: AMQPEvent, on connection: AMQPConnection) throws {
        switch event {
        case .delivery(let message):
            guard let channel = channels[message.channel], let epoch = channel.epoch else { return }
            channel.subscription.deliver(ReceivedMessage(message: message, epoch: epoch))
        case .channelClosed(let id, let error): postpone(id, because: error)
        case .consumerCancelled(let id):
            guard channels[id]?.epoch != nil else { return }
            try connection.closeChannel(id)
            postpone(id, because: AMQPError.connection("the broker cancelled the consumer"))
        case .returned, .acknowledged, .refused, .blocked, .unblocked: break
        }
    }

    static func reject(_ command: Command) {
        if case .remove(_, let done) = command { done.succeed() }
    }

    func finish() {
        for command in commands { Self.reject(command) }
        commands = []
        channels = [:]
    }

    private static func tag(_ id: UInt16) -> String { "consumer-\(id)" }
}
