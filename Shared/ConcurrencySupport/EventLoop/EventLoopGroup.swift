import Glibc
import Synchronization

/// A loop per core. Connections are dealt out in turn; what belongs to a request stays where the request is.
public final class EventLoopGroup: Sendable {
    /// The process's own loops, one for each core unless ``setSharedCount(_:)`` said otherwise. They start on first use and run until the
    /// process ends.
    public static let shared: EventLoopGroup = {
        let count = sharedCount.load(ordering: .acquiring)
        do { return try EventLoopGroup(count: count > 0 ? count : coreCount) } catch {
            preconditionFailure("no event loops: \(error)")
        }
    }()

    private static let sharedCount = Atomic<Int>(0)

    /// How many loops ``shared`` has, where it has not been used yet.
    public static func setSharedCount(_ count: Int) { sharedCount.store(count, ordering: .releasing) }

    /// The machine's cores.
    public static var coreCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    public let loops: [EventLoop]
    private let turn = Atomic<Int>(0)

    /// - Throws: ``SystemError`` without descriptors.
    public init(count: Int, name: String = "loop") throws(SystemError) {
        var loops: [EventLoop] = []
        for number in 0..<max(1, count) { loops.append(try EventLoop(name: "\(name)-\(number)")) }
        self.loops = loops
    }

    /// The loops in turn.
    public func next() -> EventLoop {
        loops[Int(UInt(bitPattern: turn.wrappingAdd(1, ordering: .relaxed).oldValue) % UInt(loops.count))]
    }

    /// The loop that the caller runs on, where it is one of these; the next one otherwise.
    public var preferred: EventLoop {
        if let current = EventLoop.current, loops.contains(where: { $0 === current }) { return current }
        return next()
    }

    /// Ends the loops after what is queued; see ``EventLoop/stop()``.
    public func shutdown() {
        for loop in loops { loop.stop() }
    }
}
