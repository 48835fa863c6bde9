import ConcurrencySupport
import DTO
import FoundationEssentials
import HTTPCore
import Jobs
import Lifecycle
import Messaging
import Observability
import ServiceDefaults

/// The tickets of media jobs: one for each order, in the queue of its class, so that whoever has a place free hears of it at once and the
/// length of each queue shows how much waits. A ticket is acknowledged when its job is claimed. It is no more than a hint: the job's row
/// is the truth, and a worker finds jobs whose tickets got lost.
struct MediaTickets: Sendable {
    static let type = "media.ticket.v1"
    /// Not the exchange of events: nobody is told anything by a ticket.
    static let exchange = Exchange("media.tickets")

    static func queue(of priority: MediaPriority) -> QueueDeclaration {
        QueueDeclaration("content-center.media-\(priority.rawValue)", exchange: exchange, bindings: [priority.rawValue])
    }

    static let queues = MediaPriority.allCases.map(queue)

    let publisher: Publisher
    let logger: Logger

    /// Hands the ticket to the broker, soon; nobody waits for that.
    func send(_ job: UUID, of tenantId: UUID, _ priority: MediaPriority) {
        let ticket = CloudEvent(
            id: UUID(), source: "content-center", type: Self.type, subject: job.text, time: Date(),
            tenantId: tenantId, version: 0, data: Array("{}".utf8))
        var message = OutgoingMessage(ticket, exchange: Self.exchange)
        message.routingKey = priority.rawValue
        Task { [message] in
            do {
                try await CallContext.$current.withValue(nil) { try await publisher.publish(message) }
            } catch {
                logger.warning("a media ticket got lost", ["job": job.uuidString, "reason": "\(error)"])
            }
        }
    }
}

/// Redeems tickets: claims a job each as soon as the worker has a place.
struct MediaTicketsConsumer: Sendable {
    /// For a place. Then the ticket has had its use: the job's row stays due, and is found by whoever looks for due jobs.
    static let patience = Duration.seconds(10 * 60)
    /// The broker takes a ticket back that nobody has acknowledged within half an hour.
    static let longestWait = Duration.seconds(25 * 60)

    let worker: JobWorker

    /// One consumer for each class. While all places are taken each holds one ticket; the rest stays in the queues, for others to take.
    func consumers(_ runtime: ServiceRuntime) -> [any Service] {
        MediaPriority.allCases.map { priority in
            Consumer(
                broker: runtime.broker, queue: MediaTickets.queue(of: priority), prefetch: 1, concurrency: 1, flow: "MediaJobs",
                handlerTimeout: Self.longestWait, tracer: runtime.tracer
            ) { try await redeem($0.event, priority) }
        }
    }

    func redeem(_ ticket: CloudEvent, _ priority: MediaPriority) async throws {
        guard ticket.type == MediaTickets.type, let job = ticket.subject.flatMap({ UUID(text: $0) }) else {
            throw PermanentFailure(reason: "no ticket of a media job")
        }
        // Where its tenant has all that it may have, the ticket goes too: it must not keep those behind it waiting.
        _ = await worker.take(job, tenant: ticket.tenantId, rank: priority.rank, patience: Self.patience)
    }
}

/// Those who do the jobs in this process, until it stops: what they have not done by then goes back for others.
struct MediaWorkers: Service {
    let worker: JobWorker
    let workspace: MediaWorkspace
    let objects: LocalObjectStore
    let logger: Logger
    /// Between two looks at what others left behind.
    var sweepInterval = Duration.seconds(3_600)

    func run() async throws {
        do { try await objects.prepare() } catch {
            logger.warning("the folders of media jobs cannot be used", ["error": "\(error)"])
        }
        // Ends with the work.
        async let _: Void = repeating(
            every: sweepInterval, logger: logger, failure: "the folders of media jobs could not be swept", workspace.sweep)
        try await worker.run()
    }
}
