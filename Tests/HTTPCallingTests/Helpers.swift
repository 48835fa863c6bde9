import ConcurrencySupport
import Dispatch
import HTTPCalling
import Testing

/// The error that the operation throws, and how long it took.
func failure(
    sourceLocation: SourceLocation = #_sourceLocation, of operation: () async throws -> Void
) async throws -> (error: HTTPClientError, after: Duration) {
    let start = ContinuousClock.now
    var caught: (any Error)?
    do { try await operation() } catch { caught = error }
    return (
        try #require(caught as? HTTPClientError, "threw \(String(describing: caught))", sourceLocation: sourceLocation),
        .now - start
    )
}

/// Runs the body with a client and ends the client's thread afterwards.
func withClient<Value>(
    _ configuration: HTTPClient.Configuration = .init(), _ body: (HTTPClient) async throws -> Value
) async throws -> Value {
    let client = HTTPClient(configuration: configuration)
    do {
        let value = try await body(client)
        await client.shutdown()
        return value
    } catch {
        await client.shutdown()
        throw error
    }
}

func ok(_ body: String) -> String { "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)" }

func chunk(_ body: String) -> String { "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n" }

let chunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

/// A number that threads and tasks share.
final class Counter: Sendable {
    private let value = Lock(0)

    /// - Returns: the number before.
    func increment() -> Int {
        value.withLock { value in
            defer { value += 1 }
            return value
        }
    }
}

final class Flag: Sendable {
    private let storage: Lock<Bool>

    init(_ value: Bool) { storage = Lock(value) }

    var value: Bool {
        get { storage.withLock { $0 } }
        set { storage.withLock { $0 = newValue } }
    }
}

/// Lets a script's thread pass once per ``open()``.
final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func open() { semaphore.signal() }

    func wait() { semaphore.wait() }
}
