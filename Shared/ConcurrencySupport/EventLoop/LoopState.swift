import CEpoll
import Glibc

/// What only the loop's own thread touches: its queue, its timers and its descriptors.
///
/// Unchecked: confined to one thread; ``EventLoop`` looks which thread it is on before it touches this.
final class LoopState: @unchecked Sendable {
    private struct Entry {
        let handler: any ReadinessHandler
        let generation: UInt32
    }

    var queue = FIFO<EventLoop.Work>()
    var beforePolling = FIFO<@Sendable () -> Void>()
    var timers = TimerHeap()
    private let epoll: Int32
    /// By descriptor.
    private var entries: [Entry?] = []
    private var generation: UInt32 = 0
    private let found: UnsafeMutablePointer<cepoll_event>

    init(epoll: Int32) {
        self.epoll = epoll
        found = .allocate(capacity: Int(cepoll_batch))
    }

    deinit { found.deallocate() }

    func end() {
        entries = []
        close(epoll)
    }

    // MARK: Descriptors

    func watch(
        _ descriptor: Int32, _ interest: Readiness, _ edgeTriggered: Bool, _ handler: any ReadinessHandler
    ) throws(SystemError) {
        let index = Int(descriptor)
        guard index >= 0 else { throw SystemError(code: EBADF) }
        generation &+= 1
        try control(EPOLL_CTL_ADD, descriptor, interest, edgeTriggered, generation)
        if index >= entries.count { entries.append(contentsOf: repeatElement(nil, count: index + 64 - entries.count)) }
        entries[index] = Entry(handler: handler, generation: generation)
    }

    func rewatch(_ descriptor: Int32, _ interest: Readiness, _ edgeTriggered: Bool) throws(SystemError) {
        guard let entry = entry(descriptor) else { throw SystemError(code: ENOENT) }
        try control(EPOLL_CTL_MOD, descriptor, interest, edgeTriggered, entry.generation)
    }

    func unwatch(_ descriptor: Int32, of handler: (any ReadinessHandler)?) {
        guard let entry = entry(descriptor), handler == nil || entry.handler === handler else { return }
        entries[Int(descriptor)] = nil
        _ = cepoll_control(epoll, EPOLL_CTL_DEL, descriptor, 0, 0)
    }

    private func entry(_ descriptor: Int32) -> Entry? {
        let index = Int(descriptor)
        return entries.indices.contains(index) ? entries[index] : nil
    }

    private func control(
        _ operation: Int32, _ descriptor: Int32, _ interest: Readiness, _ edgeTriggered: Bool, _ generation: UInt32
    ) throws(SystemError) {
        let events = interest.rawValue | (edgeTriggered ? cepoll_edge_triggered() : 0)
        let token = UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
        guard cepoll_control(epoll, operation, descriptor, events, token) == 0 else { throw SystemError(code: errno) }
    }

    /// Waits at most so long (-1 = for ever) and tells the handlers.
    func poll(timeout: Int32, loop: EventLoop, wakeUp: UInt64, wasWoken: () -> Void) {
        let count = cepoll_wait(epoll, found, timeout)
        guard count > 0 else { return }
        for index in 0..<Int(count) {
            let event = found[index]
            if event.token == wakeUp {
                wasWoken()
                continue
            }
            // A handler before may have ended this one, and its number may be another descriptor's by now.
            guard let entry = entry(Int32(truncatingIfNeeded: event.token)),
                entry.generation == UInt32(truncatingIfNeeded: event.token >> 32)
            else { continue }
            entry.handler.isReady(Readiness(rawValue: event.events), on: loop)
        }
    }
}

/// A queue without shifting: what was taken is dropped when the queue is empty, or when it is most of it.
struct FIFO<Element> {
    private var elements: ContiguousArray<Element?> = []
    private var head = 0

    var isEmpty: Bool { head == elements.count }
    var count: Int { elements.count - head }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        let element = elements[head]
        elements[head] = nil
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 1_024, head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }

    mutating func popLast() -> Element? { isEmpty ? nil : elements.removeLast() }
}
