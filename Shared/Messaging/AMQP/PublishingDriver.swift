import ConcurrencySupport
import Observability

/// A message with whoever waits for it.
struct PublishEntry: Sendable {
    let message: OutgoingMessage
    /// After this instant nobody waits any more.
    let deadline: ContinuousClock.Instant
    let result: OneShot<Void>
    fileprivate var sentAt: ContinuousClock.Instant?
    fileprivate var returnedReason: String?

    init(message: OutgoingMessage, deadline: ContinuousClock.Instant, result: OneShot<Void>) {
        self.message = message
        self.deadline = deadline
        self.result = result
    }
}

/// Publishes in order on one channel and matches the broker's confirms by sequence number.
///
/// When the connection is lost, what was sent and not confirmed is sent again, in its old order, on the next one: at least once.
final class PublishingDriver: LinkDriver {
    enum Command: Sendable {
        case publish([PublishEntry])
        /// Declared now and on every reconnect.
        case declare(Topology)
    }

    static let waitingLimit = 20_000

    private static let channel: UInt16 = 1
    private let configuration: BrokerConfiguration
    private let logger: Logger
    private let repair: QueueRepair
    private var topology = Topology(exchanges: [], queues: [])
    private var waiting = EntryQueue()
    private var inFlight: [UInt64: PublishEntry] = [:]
    private var lowest: UInt64 = 1
    private var next: UInt64 = 1
    private var isDeclared = true
    private var isBlocked = false
    private var lastError = "not connected yet"
    private(set) var waitsForWritable = false
    /// Never later than the earliest deadline of an entry; may be earlier.
    private(set) var nextTimer: ContinuousClock.Instant?

    init(configuration: BrokerConfiguration, repair: QueueRepair, logger: Logger) {
        self.configuration = configuration
        self.repair = repair
        self.logger = logger
    }

    func take(_ command: Command) {
        switch command {
        case .publish(let entries):
            for entry in entries {
                guard waiting.count < Self.waitingLimit else {
                    entry.result.fail(PublishFailure.overloaded)
                    continue
                }
                waiting.append(entry)
                schedule(entry.deadline)
            }
        case .declare(let added):
            // An exclusive queue belongs to the connection that consumes from it.
            topology.merge(added.shared)
            isDeclared = false
        }
    }

    func connected(_ connection: AMQPConnection, generation: Int) throws {
        isBlocked = false
        try connection.openChannel(Self.channel)
        isDeclared = false
        try connection.selectConfirms(channel: Self.channel)
        next = 1
        lowest = 1
    }

    func disconnected(_ reason: any Error) {
        lastError = "\(reason)"
        waitsForWritable = false
        let unconfirmed = inFlight.sorted { $0.key < $1.key }.map(\.value)
        inFlight = [:]
        waiting.putBack(
            unconfirmed.map { entry in
                var entry = entry
                entry.sentAt = nil
                entry.returnedReason = nil
                return entry
            })
    }

    func handle(_ event: AMQPEvent, on connection: AMQPConnection) throws {
        switch event {
        case .acknowledged(_, let tag, let multiple):
            settle(tag, multiple: multiple) { entry in
                if let reason = entry.returnedReason { .failure(PublishFailure.unroutable(reason)) } else { .success(()) }
            }
        case .refused(_, let tag, let multiple):
            settle(tag, multiple: multiple) { _ in .failure(PublishFailure.refused) }
        case .returned(_, let reason, let messageId):
            // The broker names the message only; returns come in the order of publishing, before their confirms.
            let match = inFlight.filter { $0.value.message.messageId == messageId && $0.value.returnedReason == nil }.keys.min()
            if let match { inFlight[match]?.returnedReason = reason }
        case .channelClosed(_, let error): throw error
        case .blocked(let reason):
            isBlocked = true
            logger.warning("The broker takes no messages", ["reason": reason])
        case .unblocked: isBlocked = false
        case .delivery, .consumerCancelled: break
        }
    }

    private func settle(_ tag: UInt64, multiple: Bool, _ outcome: (PublishEntry) -> Result<Void, any Error>) {
        if multiple {
            // Tag 0 with `multiple` means everything so far.
            let last = tag == 0 ? next - 1 : tag
            while lowest <= last {
                if let entry = inFlight.removeValue(forKey: lowest) { entry.result.complete(with: outcome(entry)) }
                lowest += 1
            }
        } else if let entry = inFlight.removeValue(forKey: tag) {
            entry.result.complete(with: outcome(entry))
        }
    }

    func advance(on connection: AMQPConnection?) throws {
        waitsForWritable = false
        if let connection, !isDeclared {
            try connection.declare(topology, prefix: configuration.prefix, channel: Self.channel)
            isDeclared = true
        }
        if let connection, !isBlocked {
            while let entry = waiting.first {
                guard !entry.result.isCompleted else {
                    waiting.removeFirst()
                    continue
                }
                guard connection.isWritable else {
                    waitsForWritable = true
                    break
                }
                try send(entry, on: connection)
            }
        }
        if let timer = nextTimer, timer <= .now { try expire() }
    }

    private func send(_ entry: PublishEntry, on connection: AMQPConnection) throws {
        var entry = entry
        entry.sentAt = .now
        schedule(.now + configuration.answerTimeout)
        // Booked before it is written: a write that fails half-way may still have arrived.
        waiting.removeFirst()
        inFlight[next] = entry
        next += 1
        let message = entry.message
        let isQueue = message.exchange == .default
        try connection.publish(
            message, exchange: isQueue ? "" : configuration.prefix + message.exchange.name,
            routingKey: isQueue ? configuration.prefix + message.routingKey : message.routingKey, channel: Self.channel)
    }

    private func schedule(_ instant: ContinuousClock.Instant) { nextTimer = min(nextTimer ?? instant, instant) }

    private func expire() throws {
        let now = ContinuousClock.now
        nextTimer = nil
        waiting.removeAll { entry in
            guard entry.deadline <= now else { return false }
            entry.result.fail(PublishFailure.brokerUnavailable(isBlocked ? "the broker takes no messages" : lastError))
            return true
        }
        var silence: PublishEntry?
        for (tag, entry) in inFlight {
            let sentAt = entry.sentAt ?? now
            if sentAt + configuration.answerTimeout <= now {
                inFlight[tag] = nil
                entry.result.fail(PublishFailure.unconfirmed("no confirm within \(configuration.answerTimeout)"))
                silence = entry
            } else if entry.deadline <= now, !entry.result.isCompleted {
                entry.result.fail(PublishFailure.unconfirmed("no confirm before the deadline"))
            }
        }
        for entry in waiting { schedule(entry.deadline) }
        for entry in inFlight.values {
            let end = (entry.sentAt ?? now) + configuration.answerTimeout
            schedule(entry.result.isCompleted ? end : min(entry.deadline, end))
        }
        guard let silence else { return }
        if silence.message.exchange == .default {
            repair.suspect(configuration.prefix + silence.message.routingKey, in: topology, prefix: configuration.prefix)
        }
        // A queue without a leader makes the broker stop reading from the whole connection after a while: start a new one.
        throw AMQPError.connection("no confirm within \(configuration.answerTimeout)")
    }

    static func reject(_ command: Command) {
        guard case .publish(let entries) = command else { return }
        for entry in entries { entry.result.fail(PublishFailure.stopped) }
    }

    func finish() {
        for entry in inFlight.values { entry.result.fail(PublishFailure.unconfirmed("the publisher was stopped")) }
        for entry in waiting { entry.result.fail(PublishFailure.stopped) }
        inFlight = [:]
        waiting = EntryQueue()
    }
}

/// First in, first out, without moving the rest at each removal.
private struct EntryQueue: Sequence {
    private var entries: [PublishEntry] = []
    private var head = 0

    var count: Int { entries.count - head }
    var first: PublishEntry? { head < entries.count ? entries[head] : nil }

    mutating func append(_ entry: PublishEntry) { entries.append(entry) }

    mutating func removeFirst() {
        head += 1
        guard head == entries.count || head > 512 else { return }
        entries.removeFirst(head)
        head = 0
    }

    mutating func putBack(_ earlier: [PublishEntry]) {
        entries = earlier + entries[head...]
        head = 0
    }

    mutating func removeAll(where isGone: (PublishEntry) -> Bool) {
        entries = entries[head...].filter { !isGone($0) }
        head = 0
    }

    func makeIterator() -> ArraySlice<PublishEntry>.Iterator { entries[head...].makeIterator() }
}
