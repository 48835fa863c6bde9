import ConcurrencySupport
import Glibc
import Observability

/// Finds out whether a queue that does not answer has lost its leader, and makes it anew (design §9).
///
/// Declaring such a queue succeeds, getting from it hangs, deleting it takes about 5 s: all of it on a connection and a thread of its own.
final class QueueRepair: Sendable {
    private let configuration: BrokerConfiguration
    private let logger: Logger
    private let busy = Lock<Set<String>>([])

    init(configuration: BrokerConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Whether the queue (full name) is being looked at: nobody should touch it now.
    func isBusy(_ queue: String) -> Bool { busy.withLock { $0.contains(queue) } }

    /// Looks at the queue (full name) if the topology knows it. Returns at once.
    func suspect(_ queue: String, in topology: Topology, prefix: String) {
        guard configuration.leaderlessQueues == .recreate,
            let declaration = topology.queues.first(where: { declaration in
                declaration.kind == .quorum && declaration.plainQueues(prefix: prefix).contains { $0.name == queue }
            }),
            busy.withLock({ $0.insert(queue).inserted })
        else { return }
        OwnThread.start(name: "amqp-repair") {
            self.examine(queue, declaration, prefix: prefix)
            self.busy.withLock { _ = $0.remove(queue) }
        }
    }

    private func examine(_ queue: String, _ declaration: QueueDeclaration, prefix: String) {
        guard let plain = declaration.plainQueues(prefix: prefix).first(where: { $0.name == queue }) else { return }
        do {
            let exchange = prefix + declaration.exchange.name
            guard try isLeaderless(queue, declaredOn: exchange) else { return }
            let connection = try AMQPConnection(configuration, name: "repair")
            defer { connection.close() }
            try connection.setAnswerTimeout(.seconds(30))
            try connection.openChannel(1)
            try connection.deleteQueue(queue, channel: 1)
            try connection.declareExchange(exchange, channel: 1)
            try connection.declare(plain, channel: 1)
            logger.warning("Made a queue anew that had lost its leader", ["queue": queue])
        } catch {
            logger.warning("Could not repair a queue", ["queue": queue, "reason": "\(error)"])
        }
    }

    /// How often in a row a queue must be silent, on a connection where the broker answers for everything else: a broker that is paused,
    /// or whose disk is, keeps its queues.
    static let silences = 3

    /// A queue that is just being made, or that a loaded broker is taking up again, has no leader for a moment either, and says so at once:
    /// only one that has none for as long as those silences would last has lost it. (Deleting the other would break what somebody is
    /// making, or lose what it holds.)
    ///
    /// - Throws: where the broker cannot be asked, which says nothing about the queue.
    private func isLeaderless(_ queue: String, declaredOn exchange: String) throws -> Bool {
        let end = ContinuousClock.now + configuration.answerTimeout * Self.silences
        var silences = 0
        while true {
            switch try probe(queue, declaredOn: exchange) {
            case .answers: return false
            case .silent:
                silences += 1
                if silences == Self.silences { return true }
            case .refusing:
                guard ContinuousClock.now < end else { return true }
                // On a thread of its own.
                usleep(250_000)
            }
        }
    }

    private enum Finding { case answers, silent, refusing }

    /// A message that the probe gets goes back to the queue when the connection closes.
    private func probe(_ queue: String, declaredOn exchange: String) throws -> Finding {
        let connection = try AMQPConnection(configuration, name: "repair")
        defer { connection.close() }
        try connection.openChannel(1)
        // There already: that it is confirmed shows that the broker is at work.
        try connection.declareExchange(exchange, channel: 1)
        do {
            _ = try connection.get(queue, channel: 1)
            return .answers
        } catch let error as AMQPError where error.isTimeout {
            return .silent
        } catch let error as AMQPError where error.isInternalError {
            return .refusing
        }
    }
}
