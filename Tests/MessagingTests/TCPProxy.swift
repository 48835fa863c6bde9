import ConcurrencySupport
import Glibc

import struct Synchronization.Atomic

/// Stands between a client and the broker, and can cut, stall or refuse: what a network does.
final class TCPProxy: Sendable {
    private struct State {
        var listener: Int32 = -1
        var pairs: [Int: (client: Int32, server: Int32)] = [:]
        var nextPair = 0
        var isStalled = false
        var isRefusing = false
        var isEnded = false
        var counts: [Count] = []
    }

    enum Side { case client, server }

    /// How often something was said, all connections together. What comes in two reads is found too.
    final class Count: Sendable {
        fileprivate let pattern: [UInt8]
        fileprivate let side: Side
        private let found = Atomic<Int>(0)

        fileprivate init(_ pattern: [UInt8], _ side: Side) {
            self.pattern = pattern
            self.side = side
        }

        var value: Int { found.load(ordering: .relaxed) }

        /// - Parameter text: new bytes with those before them, of which `known` were searched already.
        fileprivate func search(_ text: [UInt8], known: Int) {
            let first = max(0, known - pattern.count + 1)
            guard text.count - first >= pattern.count else { return }
            for start in first...(text.count - pattern.count) where text[start...].starts(with: pattern) {
                found.add(1, ordering: .relaxed)
            }
        }
    }

    let port: UInt16
    private let target: UInt16
    private let state = Lock(State())
    private let accepted = Atomic<Int>(0)

    /// How many connections came through so far.
    var connections: Int { accepted.load(ordering: .relaxed) }

    init(target: UInt16) throws {
        self.target = target
        let (listener, port) = try Self.listen()
        self.port = port
        state.withLock { $0.listener = listener }
        startAccepting(listener)
    }

    /// Cuts every connection that is open now.
    func cut() {
        state.withLock { state in
            for pair in state.pairs.values {
                shutdown(pair.client, Int32(SHUT_RDWR))
                shutdown(pair.server, Int32(SHUT_RDWR))
            }
        }
    }

    /// Hangs up on whoever connects from now on, and cuts what is open. The port stays this proxy's own.
    func stop() {
        state.withLock { $0.isRefusing = true }
        cut()
    }

    /// Lets connections through again.
    func start() { state.withLock { $0.isRefusing = false } }

    /// Stops for good. The accepting thread closes the listener itself: closed from here, its number could be another proxy's
    /// listener by the time that thread accepts again.
    func end() {
        state.withLock { state in
            guard !state.isEnded else { return }
            state.isEnded = true
            shutdown(state.listener, Int32(SHUT_RDWR))
        }
        stop()
    }

    /// Holds back everything that the broker says, without closing anything.
    func stall(_ isStalled: Bool) { state.withLock { $0.isStalled = isStalled } }

    /// Counts from now on how often one side says this, once it has been passed on.
    func count(_ pattern: [UInt8], from side: Side) -> Count {
        let count = Count(pattern, side)
        state.withLock { $0.counts.append(count) }
        return count
    }

    func count(_ text: String, from side: Side) -> Count { count(Array(text.utf8), from: side) }

    private struct Failure: Error { let number = errno }

    private static func address(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func listen() throws -> (Int32, UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
        var address = address(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                Glibc.bind(descriptor, pointer, length) == 0 && Glibc.listen(descriptor, 64) == 0
                    && getsockname(descriptor, pointer, &length) == 0
            }
        }
        guard isBound else {
            close(descriptor)
            throw Failure()
        }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    private func startAccepting(_ listener: Int32) {
        OwnThread.start(name: "proxy-accept") {
            while true {
                let client = accept(listener, nil, nil)
                if client >= 0, !self.state.withLock({ $0.isRefusing }) {
                    self.accepted.add(1, ordering: .relaxed)
                    self.connect(client)
                } else if client >= 0 {
                    close(client)
                } else if self.state.withLock({ $0.isEnded }) {
                    close(listener)
                    return
                }
            }
        }
    }

    private func connect(_ client: Int32) {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(port: target)
        let isOpen = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isOpen else {
            close(client)
            close(server)
            return
        }
        let id = state.withLock { state -> Int in
            state.nextPair += 1
            state.pairs[state.nextPair] = (client, server)
            if state.isRefusing { shutdown(client, Int32(SHUT_RDWR)) }
            return state.nextPair
        }
        let open = Counter(2)
        OwnThread.start(name: "proxy-up") { self.pump(client, server, from: .client, id, open) }
        OwnThread.start(name: "proxy-down") { self.pump(server, client, from: .server, id, open) }
    }

    private final class Counter: Sendable {
        let value: Atomic<Int>
        init(_ start: Int) { value = Atomic(start) }
    }

    private func pump(_ source: Int32, _ sink: Int32, from side: Side, _ id: Int, _ open: Counter) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var past: [UInt8] = []
        pumping: while true {
            let count = read(source, &buffer, buffer.count)
            guard count > 0 else { break }
            while side == .server, state.withLock({ $0.isStalled && !$0.isRefusing && $0.pairs[id] != nil }) { usleep(10_000) }
            var sent = 0
            while sent < count {
                let written = buffer.withUnsafeBytes { send(sink, $0.baseAddress! + sent, count - sent, Int32(MSG_NOSIGNAL)) }
                guard written > 0 else { break pumping }
                sent += written
            }
            let text = past + buffer[..<count]
            for each in state.withLock({ $0.counts }) where each.side == side { each.search(text, known: past.count) }
            past = Array(text.suffix(64))
        }
        shutdown(source, Int32(SHUT_RDWR))
        shutdown(sink, Int32(SHUT_RDWR))
        guard open.value.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
        state.withLock { state in
            state.pairs[id] = nil
            close(source)
            close(sink)
        }
    }
}
