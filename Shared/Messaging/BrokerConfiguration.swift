public import ConfigReading

/// Where the broker is and how long to wait for it.
public struct BrokerConfiguration: Sendable {
    /// What to do about a quorum queue that has no leader.
    public enum LeaderlessQueues: String, Sendable, Hashable, CaseIterable {
        /// Delete and declare again; the relays replay what they published last. Right for a broker of one node: RabbitMQ 3.10 leaves a
        /// queue that was younger than about a second at a kill without a leader for ever.
        case recreate
        /// Wait. Right for a cluster, where a missing majority comes back with its nodes.
        case wait
    }

    /// `amqp://user:password@host:port/vhost`, or `amqps:`; an empty virtual host means `/`.
    public var url: Secret
    /// Put before the name of every exchange and queue, so that test suites can share a broker.
    public var prefix: String
    /// Whole seconds, 2 or more. Two missed ones end the connection.
    public var heartbeat: Duration
    /// How long to wait for a TCP connection and for the broker's greeting.
    public var connectTimeout: Duration
    /// How long the broker may take to answer a declaration, and to confirm a message, before the connection is given up.
    public var answerTimeout: Duration
    public var leaderlessQueues: LeaderlessQueues
    /// How many events go out in one message at most, see ``EventBatch``. A server of before, which parks what it cannot read, takes 1.
    public var eventsTogether: Int
    /// A PEM file of the authorities that may have signed the certificate of a broker behind `amqps`.
    public var authorities: String

    /// Where Debian keeps the public ones.
    public static let publicAuthorities = "/etc/ssl/certs/ca-certificates.crt"

    public static let mostEventsTogether = EventBatch.mostEvents

    public init(
        url: Secret, prefix: String = "", heartbeat: Duration = .seconds(20), connectTimeout: Duration = .seconds(3),
        answerTimeout: Duration = .seconds(5), leaderlessQueues: LeaderlessQueues = .recreate,
        eventsTogether: Int = Self.mostEventsTogether, authorities: String = Self.publicAuthorities
    ) {
        self.url = url
        self.prefix = prefix
        self.heartbeat = heartbeat
        self.connectTimeout = connectTimeout
        self.answerTimeout = answerTimeout
        self.leaderlessQueues = leaderlessQueues
        self.eventsTogether = eventsTogether
        self.authorities = authorities
    }

    /// What is wrong with a broker's URL, if anything.
    public static func complaint(about url: Secret) -> String? {
        do {
            _ = try AMQPAddress(url.exposed)
            return nil
        } catch {
            return (error as? AMQPError)?.text ?? "cannot be read"
        }
    }
}
