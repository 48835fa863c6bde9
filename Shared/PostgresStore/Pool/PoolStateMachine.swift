/// Who has which connection, who waits, when to open and when to close: a pure value that answers events with what is to be done.
///
/// Connections are opened when somebody waits for one, kept while they are used, and closed when they were idle for long. After a failed
/// attempt the next one waits a little, longer each time; if there is no other connection, those who wait are told at once.
///
/// Connections and waiters have homes: the number of the event loop that they are on. Where there is a choice, the two meet at home.
struct PoolStateMachine {
    typealias Instant = ContinuousClock.Instant

    struct Configuration {
        var capacity: Int
        var idleTimeout: Duration
        var firstRetryDelay = Duration.milliseconds(50)
        var longestRetryDelay = Duration.seconds(1)
        /// Whoever has waited for so long goes first, wherever the connection is.
        var homePreference = Duration.milliseconds(5)
    }

    struct Waiter: Equatable {
        let id: UInt64
        let since: Instant
        let deadline: Instant
        var home: Int?
    }

    enum Acquisition: Equatable {
        case lease(Int)
        /// `tickBy`: a tick is needed then, if not earlier.
        case wait(open: Int?, tickBy: Instant)
        case refuse
    }

    enum Return: Equatable {
        case lease(waiter: UInt64)
        case keep
        case close
    }

    /// What a tick or a loss calls for.
    struct Orders: Equatable {
        var open: [Int] = []
        var close: [Int] = []
        /// Waited too long.
        var expired: [Waiter] = []
        /// There is no connection, nor hope for one.
        var failed: [UInt64] = []
    }

    private enum Holder: Equatable { case opening, leased, idle(since: Instant) }

    let configuration: Configuration
    private var holders: [Int: Holder] = [:]
    /// The last one back is the first to go: its caches are warm, and the others may time out.
    private var idle: [Int] = []
    private var homes: [Int: Int] = [:]
    private var waiters = WaiterQueue()
    private var nextConnection = 1
    private var openingCount = 0
    private var failures = 0
    private var retryAt: Instant?
    private(set) var isClosed = false

    init(configuration: Configuration) { self.configuration = configuration }

    var connectionCount: Int { holders.count }
    var idleCount: Int { idle.count }
    var waitingCount: Int { waiters.count }
    var leasedCount: Int { holders.count - idle.count - openingCount }

    /// Where the connection is to be opened, or was last used.
    func home(of id: Int) -> Int { homes[id] ?? id }

    // MARK: Events

    mutating func acquire(_ waiter: Waiter) -> Acquisition {
        guard !isClosed else { return .refuse }
        if let id = takeIdle(home: waiter.home) {
            holders[id] = .leased
            return .lease(id)
        }
        waiters.append(waiter)
        let opening = openOne(now: waiter.since)
        let retry = retryAt.flatMap { $0 > waiter.since ? $0 : nil }
        return .wait(open: opening, tickBy: min(waiter.deadline, retry ?? waiter.deadline))
    }

    /// - Returns: whether the waiter was still waiting.
    mutating func cancel(_ waiter: UInt64) -> Bool { waiters.remove(waiter) }

    mutating func release(_ id: Int, now: Instant) -> Return {
        guard holders[id] != nil, !isClosed else {
            return .close
        }
        if let waiter = waiters.popFirst(home: homes[id], unlessSince: now - configuration.homePreference) {
            holders[id] = .leased
            return .lease(waiter: waiter.id)
        }
        holders[id] = .idle(since: now)
        idle.append(id)
        return .keep
    }

    mutating func opened(_ id: Int, now: Instant) -> Return {
        guard holders[id] == .opening else { return .close }
        openingCount -= 1
        failures = 0
        retryAt = nil
        return release(id, now: now)
    }

    /// The connection could not be opened, or is gone.
    ///
    /// - Parameter jitter: 0…1, spreads the attempts of several processes.
    mutating func lost(_ id: Int, now: Instant, jitter: Double) -> Orders {
        var orders = Orders()
        guard let holder = holders.removeValue(forKey: id) else { return orders }
        homes[id] = nil
        switch holder {
        case .opening:
            openingCount -= 1
            failures += 1
            retryAt = now + retryDelay(jitter: jitter)
            if holders.isEmpty { orders.failed = waiters.removeAll().map(\.id) }
        case .idle: idle.removeAll { $0 == id }
        case .leased: break
        }
        orders.open = openWhatIsWanted(now: now)
        return orders
    }

    mutating func tick(now: Instant) -> Orders {
        var orders = Orders()
        orders.expired = waiters.removeAll { $0.deadline <= now }
        // The longest idle ones are at the front.
        while let id = idle.first, case .idle(let since) = holders[id], since + configuration.idleTimeout <= now {
            idle.removeFirst()
            holders[id] = nil
            homes[id] = nil
            orders.close.append(id)
        }
        orders.open = openWhatIsWanted(now: now)
        return orders
    }

    /// When the next tick has something to do; `nil` if only an event can bring something.
    func nextTick(now: Instant) -> Instant? {
        var next = waiters.earliestDeadline
        if let retryAt, retryAt > now, !waiters.isEmpty { next = min(next ?? retryAt, retryAt) }
        if let id = idle.first, case .idle(let since) = holders[id] {
            let expiry = since + configuration.idleTimeout
            next = min(next ?? expiry, expiry)
        }
        return next
    }

    /// Closes what is idle; what is leased is closed when it comes back.
    mutating func close() -> Orders {
        isClosed = true
        let orders = Orders(
            close: idle + holders.compactMap { $0.value == .opening ? $0.key : nil }, failed: waiters.removeAll().map(\.id))
        for id in orders.close { holders[id] = nil }
        idle = []
        openingCount = 0
        return orders
    }

    private mutating func takeIdle(home: Int?) -> Int? {
        guard let home else { return idle.popLast() }
        guard let index = idle.lastIndex(where: { homes[$0] == home }) ?? idle.indices.last else { return nil }
        let id = idle.remove(at: index)
        homes[id] = home
        return id
    }

    // MARK: Opening

    private mutating func openWhatIsWanted(now: Instant) -> [Int] {
        var ids: [Int] = []
        while let id = openOne(now: now) { ids.append(id) }
        return ids
    }

    private mutating func openOne(now: Instant) -> Int? {
        guard !isClosed, waiters.count > openingCount, holders.count < configuration.capacity else { return nil }
        if let retryAt {
            // One attempt at a time until one succeeds.
            guard now >= retryAt, openingCount == 0 else { return nil }
        }
        let id = nextConnection
        nextConnection += 1
        holders[id] = .opening
        homes[id] = waiters.homeOfLast
        openingCount += 1
        return id
    }

    private func retryDelay(jitter: Double) -> Duration {
        let doubled = configuration.firstRetryDelay * (1 << min(failures - 1, 10))
        return min(doubled, configuration.longestRetryDelay) * (0.75 + 0.5 * jitter)
    }
}

/// First come, first served; taking from the front does not move the rest.
private struct WaiterQueue {
    private var slots: [PoolStateMachine.Waiter?] = []
    private var head = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    var earliestDeadline: ContinuousClock.Instant? { count == 0 ? nil : slots[head...].lazy.compactMap { $0?.deadline }.min() }

    mutating func append(_ waiter: PoolStateMachine.Waiter) {
        slots.append(waiter)
        count += 1
    }

    mutating func popFirst() -> PoolStateMachine.Waiter? {
        while head < slots.count {
            let waiter = slots[head]
            slots[head] = nil
            head += 1
            if head > 64, head * 2 > slots.count {
                slots.removeFirst(head)
                head = 0
            }
            if let waiter {
                count -= 1
                return waiter
            }
        }
        slots.removeAll(keepingCapacity: true)
        head = 0
        return nil
    }

    /// The first, or the first few's first whose home it is, if nobody has waited since `limit`.
    mutating func popFirst(home: Int?, unlessSince limit: PoolStateMachine.Instant) -> PoolStateMachine.Waiter? {
        guard let home, count > 1 else { return popFirst() }
        let candidates = slots[head...].prefix(32)
        guard let first = candidates.lazy.compactMap({ $0 }).first, first.since > limit, first.home != home,
            let index = candidates.firstIndex(where: { $0?.home == home })
        else { return popFirst() }
        let waiter = slots[index]
        slots[index] = nil
        count -= 1
        return waiter
    }

    var homeOfLast: Int? { slots.last.flatMap { $0 }?.home }

    mutating func remove(_ id: UInt64) -> Bool {
        guard let index = slots[head...].firstIndex(where: { $0?.id == id }) else { return false }
        slots[index] = nil
        count -= 1
        return true
    }

    mutating func removeAll(where isLeaving: (PoolStateMachine.Waiter) -> Bool = { _ in true }) -> [PoolStateMachine.Waiter] {
        var leaving: [PoolStateMachine.Waiter] = []
        guard count > 0 else { return leaving }
        for index in head..<slots.count {
            if let waiter = slots[index], isLeaving(waiter) {
                leaving.append(waiter)
                slots[index] = nil
            }
        }
        count -= leaving.count
        return leaving
    }
}
