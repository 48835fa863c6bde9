import CMicrohttpd
import ConcurrencySupport
import HTTPCore

/// What all callbacks of one server share: the service as a function, the limits, and who is at work.
final class ServerCore: Sendable {
    /// An upload that is refused is still read up to here, because most clients read the answer only after sending.
    private static let discardLimit = 16 << 20

    let gate = WorkGate()
    private let handler: Handler
    private let maxBodyBytes: @Sendable (HTTPMethod, String) -> Int
    private let maxHeaderBytes: Int
    private let whenConnectionCloses = Lock<@Sendable () -> Void>({})

    init(router: Router, maxHeaderBytes: Int) {
        handler = router.handler
        maxBodyBytes = router.maxBodyBytes
        self.maxHeaderBytes = maxHeaderBytes
    }

    // MARK: One request, on its daemon's loop

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
        guard gate.begin() else {
            return Answer.queue(.problem(Unavailable(code: "service.stopping"), for: request), on: connection, closing: true)
        }
        exchange.beginRunning()
        // Its first steps run right here: a handler that never waits needs no suspension.
        let work = exchange.daemon.loop.startTask { [handler, gate] in
            let response: Response
            do { response = try await handler(request) } catch { response = .problem(InternalFailure(), for: request) }
            exchange.finish(with: response)
            gate.endTask()
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
        let isDraining = gate.isDraining
        guard case .stream(let produce) = response.body else {
            return Answer.queue(response, on: connection, closing: isDraining)
        }
        let pipe = BodyPipe()
        let isEventStream = response.headers["Content-Type"]?.hasPrefix("text/event-stream") == true
        let queued = Answer.queue(
            response, on: connection, closing: isDraining, stream: StreamReader(exchange: exchange, pipe: pipe))
        guard queued == .YES, !box.isHeadRequest else { return queued }
        exchange.beginStream(pipe, isEventStream: isEventStream)
        gate.beginTask()
        exchange.setStreamWork(
            exchange.daemon.loop.startTask { [gate] in
                do {
                    try await produce(BodyWriter(pipe: pipe))
                    pipe.finish(successfully: true)
                } catch {
                    // An event stream may end anywhere between two events; whatever else is cut off must look so.
                    pipe.finish(successfully: isEventStream && gate.isDraining)
                }
                gate.endTask()
            })
        box.peer?.attach(exchange)
        if gate.isDraining { exchange.endEventStream() }
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
        if box.exchange.complete() { gate.endExchange() }
    }

    // MARK: Connections

    /// Whom to tell of each connection that closes.
    func onConnectionClosed(_ body: @escaping @Sendable () -> Void) { whenConnectionCloses.withLock { $0 = body } }

    func connectionClosed() { whenConnectionCloses.withLock { $0 }() }
}
