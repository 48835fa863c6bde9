import ConcurrencySupport
import Foundation
import Glibc
import HTTPCore
import HTTPServing
import Testing

/// Where the routes of a test run: the test's code is the same.
enum Place: String, CaseIterable, Sendable {
    case inProcess
    case live

    func serving(_ router: Router, _ body: @escaping @Sendable (any TestClient) async throws -> Void) async throws {
        switch self {
        case .inProcess: try await body(InProcessClient(router))
        case .live: try await LiveServer.serving(router) { try await body(LiveClient(port: $0.port)) }
        }
    }
}

final class Counter: Sendable {
    private let count = Lock(0)

    var value: Int { count.withLock { $0 } }

    func increment() { count.withLock { $0 += 1 } }
}

/// Waits until the task is cancelled, and says so.
func waitForCancellation(_ cancelled: Counter) async throws -> Never {
    do {
        while true { try await Task.sleep(for: .seconds(60)) }
    } catch {
        cancelled.increment()
        throw error
    }
}

enum LiveProbe {
    /// Whether the port takes connections.
    static func connects(to port: Int) -> Bool { withConnection(to: port) { _ in } != nil }

    /// Sends the bytes and leaves at once, so that the end is there before the last of them is read.
    static func send(_ bytes: [UInt8], andLeave port: Int) {
        withConnection(to: port) { descriptor in
            bytes.withUnsafeBytes { _ = Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        }
    }

    @discardableResult
    private static func withConnection<Value>(to port: Int, _ body: (Int32) -> Value) -> Value? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        return isConnected ? body(descriptor) : nil
    }
}

/// Lets any number of tasks wait, cancelled or not, until it is opened.
final class Gate: Sendable {
    private let waiters = Lock<[CheckedContinuation<Void, Never>]?>([])

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = waiters.withLock { waiters in
                waiters?.append(continuation)
                return waiters == nil
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = waiters.withLock { waiters in
            defer { waiters = nil }
            return waiters ?? []
        }
        for continuation in waiting { continuation.resume() }
    }
}
