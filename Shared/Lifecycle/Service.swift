/// Something that runs as long as the process does: a server, a consumer, a relay, a pool.
///
/// `run()` returns when graceful shutdown was asked for and the open work is finished, or when its task is cancelled.
public protocol Service: Sendable {
    func run() async throws
}
