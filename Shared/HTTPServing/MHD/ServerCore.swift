import CMicrohttpd
import ConcurrencySupport
import HTTPCore

/// What all callbacks of one server share: the service as a function, the limits, and who is at work.
final class ServerCore: Sendable {
    private struct State {
        var isDraining = false
        var exchanges: [ObjectIdentifier: Exchange] = [:]
        /// Handlers and stream producers that have not returned; a handler may outlive its exchange.
        var tasks = 0
        var isStopping = false
        var idleWaiter: OneShot<Void>?
        var waitsForTasks = true

        /// The waiter, where it has nothing left to wait for. From then on no work begins.
        mutating func takeIdleWaiter() -> OneShot<Void>? {
            guard idleWaiter != nil, exchanges.isEmpty, tasks == 0 || !waitsForTasks else { return nil }
            isStopping = true
            defer { idleWaiter = nil }
            return idleWaiter
        }
    }

    /// An upload that is refused is still read up to here, because most clients read the answer only after sending.
    private static let discardLimit = 16 << 20

    let hangUps: HangUpWatch
    private let handler: Handler
    private let maxBodyBytes: @Sendable (HTTPMethod, String) -> Int
    private let maxHeaderBytes: Int
    private let state = Lock(State())

    init(router: Router, maxHeaderBytes: Int) throws {
        handler = router.handler
        maxBodyBytes = router.maxBodyBytes
        self.maxHeaderBytes = maxHeaderBytes
        hangUps = try HangUpWatch()
    }

    var exchangeCount: Int { state.withLock { $0.exchanges.count } }

    // MARK: One request, on the library's thread

    /// First call: the head is there.
    func receiveHead(_ box: RequestBox, _ connection: OpaquePointer, method: UnsafePointer<CChar>) -> MHD_Result {
        let head = RequestHead(connection: connection, method: method)
        box.head = head
        if let fault = head.framingFault { return refuse(fault, box, connection, closing: true) }
        box.limit = head.hasBody ? maxBodyBytes(head.method, box.exchange.target) : 0
        var failure: (any HTTPFailure)?
        if head.headerBytes + box.exchange.target.utf8.count > maxHeaderBytes {
            failure = HeaderFieldsTooLarge()
        } else if let length = head.contentLength, length > box.limit {
            failure = ContentTooLarge(limit: box.limit)
        }
        guard let failure else {
            box.body.reserveCapacity(min(head.contentLength ?? 0, 64 * 1024))
            return .YES
        }
        // A client that waits for `100 Continue`, or that sends more than we would read, is told at once.
        if head.expectsContinue || (head.contentLength ?? 0) > Self.discardLimit {
            return refuse(failure, box, connection, closing: true)
        }
        box.refusal = failure
        return .YES
    }

    /// A piece of the body.
    func receiveBody(_ box: RequestBox, _ bytes: UnsafeRawBufferPointer) -> MHD_Result {
        box.received += bytes.count
        if box.refusal == nil, box.received > box.limit {
            box.refusal = ContentTooLarge(limit: box.limit)
            box.body = []
        }
        guard box.refusal == nil else { return box.received <= Self.discardLimit ? .YES : .NO }
        box.body.append(contentsOf: bytes)
        return .YES
    }

    /// The whole request is there: starts the handler, and queues its answer where that needed no waiting.
    func start(_ box: RequestBox, _ connection: OpaquePointer) -> MHD_Result {
        if let refusal = box.refusal { return refuse(refusal, box, connection, closing: false) }
        let exchange = box.exchange
        guard let request = box.takeRequest() else { return .NO }
        guard beginWork(exchange) else {
            return Answer.queue(.problem(Unavailable(code: "service.stopping"), for: request), on: connection, closing: true)
        }
        exchange.beginRunning()
        // Its first steps run right here: a handler that never waits needs no other thread, and no suspension.
        let work = Task.immediate { [handler] in
            let response: Response
            do { response = try await handler(request) } catch { response = .problem(InternalFailure(), for: request) }
            exchange.finish(with: response)
            self.endTask()
        }
        exchange.suspendUnlessReady(work: work)
        if case .ready = exchange.phase { return answer(box, connection) }
        box.peer?.attach(exchange)
        return .YES
    }

    /// Queues the answer that the handler has left.
    func answer(_ box: RequestBox, _ connection: OpaquePointer) -> MHD_Result {
        let exchange = box.exchange
        guard let response = exchange.takeAnswer() else { return .NO }
        let isDraining = state.withLock { $0.isDraining }
        guard case .stream(let produce) = response.body else {
            return Answer.queue(response, on: connection, closing: isDraining)
        }
        let pipe = BodyPipe()
        let isEventStream = response.headers["Content-Type"]?.hasPrefix("text/event-stream") == true
        let queued = Answer.queue(
            response, on: connection, closing: isDraining, stream: StreamReader(exchange: exchange, pipe: pipe))
        guard queued == .YES, !box.isHeadRequest else { return queued }
        exchange.beginStream(pipe, isEventStream: isEventStream)
        state.withLock { $0.tasks += 1 }
        exchange.setStreamWork(
            Task {
                do {
                    try await produce(BodyWriter(pipe: pipe))
                    pipe.finish(successfully: true)
                } catch {
                    // An event stream may end anywhere between two events; whatever else is cut off must look so.
                    pipe.finish(successfully: isEventStream && self.state.withLock { $0.isDraining })
                }
                self.endTask()
            })
        box.peer?.attach(exchange)
        if state.withLock({ $0.isDraining }) { exchange.endEventStream() }
        return queued
    }

    private func refuse(
        _ failure: any HTTPFailure, _ box: RequestBox, _ connection: OpaquePointer, closing: Bool
    ) -> MHD_Result {
        let request = Request(box.head?.method ?? .get, box.exchange.target, headers: box.head?.headers ?? [:])
        return Answer.queue(.problem(failure, for: request), on: connection, closing: closing)
    }

    /// The library is done with the request.
    func complete(_ box: RequestBox) {
        box.peer?.detach()
        box.exchange.complete()
        let waiter = state.withLock { state in
            state.exchanges[ObjectIdentifier(box.exchange)] = nil
            return state.takeIdleWaiter()
        }
        waiter?.succeed()
    }

    // MARK: Counting and draining

    private func beginWork(_ exchange: Exchange) -> Bool {
        state.withLock { state in
            guard !state.isStopping else { return false }
            state.exchanges[ObjectIdentifier(exchange)] = exchange
            state.tasks += 1
            return true
        }
    }

    private func endTask() {
        let waiter = state.withLock { state in
            state.tasks -= 1
            return state.takeIdleWaiter()
        }
        waiter?.succeed()
    }

    /// From now on answers close their connection and event streams end.
    func beginDraining() {
        let exchanges = state.withLock { state in
            state.isDraining = true
            return Array(state.exchanges.values)
        }
        for exchange in exchanges { exchange.endEventStream() }
    }

    /// Waits until nothing is in work; from then on every request is refused.
    ///
    /// - Throws: `CancellationError`.
    func waitUntilIdle() async throws {
        let idle = OneShot<Void>()
        register(idle, waitsForTasks: true)
        try await idle.value()
    }

    /// Answers what is in work with 503, cancels it, and waits for at most `patience` until the library has let go of it. Handlers that
    /// ignore their cancellation are left behind.
    func abortAll(patience: Duration) async {
        let exchanges = state.withLock { state in
            state.isDraining = true
            state.isStopping = true
            return Array(state.exchanges.values)
        }
        let response = Response.problem(Unavailable(code: "service.stopping"), for: Request(.get, "/"))
        for exchange in exchanges { exchange.abort(with: response) }
        let idle = OneShot<Void>()
        register(idle, waitsForTasks: false)
        let alarm = DeadlineWatch.shared.add(.after(patience)) { idle.succeed() }
        // This runs in a cancelled task as a rule; the wait must happen all the same.
        try? await idle.value(onCancel: {})
        DeadlineWatch.shared.remove(alarm)
    }

    private func register(_ idle: OneShot<Void>, waitsForTasks: Bool) {
        let waiter = state.withLock { state in
            state.idleWaiter = idle
            state.waitsForTasks = waitsForTasks
            return state.takeIdleWaiter()
        }
        waiter?.succeed()
    }
}
