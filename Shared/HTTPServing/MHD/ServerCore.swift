import CMicrohttpd
import ConcurrencySupport
import HTTPCore
import Synchronization

/// What all callbacks of one server share: the service as a function, the limits, and who is at work.
final class ServerCore: Sendable {
    /// An upload that is refused is still read up to here, because most clients read the answer only after sending.
    private static let discardLimit = 16 << 20
    /// A body up to here is taken in any case: as many as there may be connections fill 64 MiB.
    private static let smallBody = 16 << 10

    let gate = WorkGate()
    private let handler: Handler
    private let options: @Sendable (HTTPMethod, String) -> RouteOptions
    private let maxHeaderBytes: Int
    private let maxBufferedBytes: Int
    let idleTimeout: Duration
    let receiveTimeout: Duration
    /// What larger bodies take together: anybody may send one, also who is refused afterwards.
    private let buffered = Atomic<Int>(0)
    private let whenConnectionCloses = Lock<@Sendable () -> Void>({})

    init(router: Router, _ configuration: HTTPServer.Configuration) {
        handler = router.handler
        options = router.options
        maxHeaderBytes = configuration.maxHeaderBytes
        maxBufferedBytes = configuration.maxBufferedBytes
        (idleTimeout, receiveTimeout) = (configuration.idleTimeout, configuration.receiveTimeout)
    }

    // MARK: One request, on its daemon's loop

    /// First call: the head is there.
    func receiveHead(_ box: RequestBox, _ connection: OpaquePointer, method: UnsafePointer<CChar>) -> MHD_Result {
        let head = RequestHead(connection: connection, method: method)
        box.head = head
        if let fault = head.framingFault {
            // Where its body ends is not known: the connection ends with the answer.
            box.answersEarly = true
            return refuseAtOnce(fault, box, connection)
        }
        let options = head.hasBody ? options(head.method, box.exchange.target) : nil
        box.limit = options?.maxBodyBytes ?? 0
        box.answersEarly = head.expectsContinue || (head.contentLength ?? 0) > Self.discardLimit
        if head.headerBytes + box.exchange.target.utf8.count > maxHeaderBytes {
            box.refusal = HeaderFieldsTooLarge()
        } else if let length = head.contentLength, length > box.limit {
            box.refusal = ContentTooLarge(limit: box.limit)
        }
        guard let failure = box.refusal else {
            if options?.streamsBody == true { return startTaking(box, connection) }
            box.body.reserveCapacity(min(head.contentLength ?? 0, 64 * 1024))
            return .YES
        }
        // A client that waits for `100 Continue`, or that sends more than we would read, is told at once.
        return box.answersEarly ? refuseAtOnce(failure, box, connection) : .YES
    }

    /// As a handler that takes its body itself refuses one.
    private func refuseAtOnce(_ failure: any HTTPFailure, _ box: RequestBox, _ connection: OpaquePointer) -> MHD_Result {
        box.refusal = failure
        return startTaking(box, connection)
    }

    /// A piece of the body.
    func receiveBody(_ box: RequestBox, _ bytes: UnsafeRawBufferPointer) -> MHD_Result {
        box.received += bytes.count
        if box.refusal == nil {
            box.refusal =
                box.received > box.limit
                ? ContentTooLarge(limit: box.limit) : reserve(box) ? nil : Unavailable(code: "service.overloaded")
            if box.refusal != nil { box.body = [] }
        }
        guard box.refusal == nil else { return box.received <= Self.discardLimit ? .YES : .NO }
        box.body.append(contentsOf: bytes)
        return .YES
    }

    /// - Returns: `false` where there is no room for what has come of the body.
    private func reserve(_ box: RequestBox) -> Bool {
        guard box.received > Self.smallBody else { return true }
        let more = box.received - box.reserved
        guard buffered.add(more, ordering: .relaxed).newValue <= maxBufferedBytes else {
            buffered.subtract(more, ordering: .relaxed)
            return false
        }
        box.reserved = box.received
        return true
    }

    /// The whole request is there: starts the handler, and queues its answer where that needed no waiting.
    func start(_ box: RequestBox, _ connection: OpaquePointer) -> MHD_Result {
        box.peer?.requestIsWhole()
        let exchange = box.exchange
        guard let request = box.takeRequest() else { return .NO }
        guard gate.begin() else {
            return Answer.queue(.problem(NotStarted(), for: request), on: connection, closing: true)
        }
        exchange.beginRunning()
        exchange.setWork(work(on: request, of: exchange))
        exchange.suspendUnlessReady()
        if case .ready = exchange.phase { return answer(box, connection) }
        box.peer?.attach(exchange)
        return .YES
    }

    /// Its first steps run right here: a handler that never waits needs no suspension.
    private func work(on request: Request, of exchange: Exchange) -> Task<Void, Never> {
        exchange.daemon.loop.startTask { [handler, gate] in
            let response: Response
            do { response = try await handler(request) } catch { response = .problem(InternalFailure(), for: request) }
            exchange.finish(with: response)
            gate.endTask()
        }
    }

    // MARK: A request whose body is taken as it comes

    /// The head is there, and the handler begins with it.
    private func startTaking(_ box: RequestBox, _ connection: OpaquePointer) -> MHD_Result {
        // From here on it has the handler's time.
        box.peer?.requestIsWhole()
        let (exchange, intake) = (box.exchange, BodyIntake())
        box.intake = intake
        guard let request = box.takeRequest() else { return .NO }
        guard gate.begin() else {
            return Answer.queue(.problem(NotStarted(), for: request), on: connection, closing: true)
        }
        exchange.beginTaking(intake)
        exchange.setWork(work(on: request, of: exchange))
        box.isHeadOpen = true
        box.peer?.attach(exchange)
        return continueHead(box, connection)
    }

    /// Goes on to the body as soon as the handler wants it: only then is a client that waits told to send.
    func continueHead(_ box: RequestBox, _ connection: OpaquePointer) -> MHD_Result {
        guard let intake = box.intake else { return .NO }
        switch box.exchange.phase {
        case .taking: break
        case .ready:
            box.isHeadOpen = false
            return box.answersEarly ? answer(box, connection, closing: true) : .YES
        default: return .NO
        }
        box.exchange.streamWillRead()
        if intake.isWanted(wake: box.exchange.streamIsReadable) {
            box.exchange.streamMoves()
            box.isHeadOpen = false
        } else {
            box.exchange.suspendStream()
        }
        return .YES
    }

    /// A piece of a body that the handler takes.
    func takeBody(_ box: RequestBox, _ bytes: UnsafeRawBufferPointer) -> MHD_Result {
        guard let intake = box.intake else { return .NO }
        box.received += bytes.count
        guard box.received <= box.limit else {
            intake.fail(ContentTooLarge(limit: box.limit))
            return discardBody(box, bytes.count)
        }
        guard box.exchange.streamWillTake() else {
            _ = intake.append(bytes, wake: box.exchange.streamIsReadable)
            return .YES
        }
        if intake.append(bytes, wake: box.exchange.streamIsReadable) {
            box.exchange.streamMoves()
        } else {
            box.exchange.suspendStream()
        }
        return .YES
    }

    /// The handler has answered before the body's end: the rest is thrown away, so that the client comes to read the answer.
    func discardBody(_ box: RequestBox, _ count: Int) -> MHD_Result {
        box.discarded += count
        return box.discarded <= Self.discardLimit ? .YES : .NO
    }

    /// The whole body is there.
    func endBody(_ box: RequestBox, _ connection: OpaquePointer) -> MHD_Result {
        box.isBodyOver = true
        box.intake?.finish()
        box.exchange.endTaking()
        box.exchange.suspendUnlessReady()
        if case .ready = box.exchange.phase { return answer(box, connection) }
        return .YES
    }

    // MARK: Answers

    /// Queues the answer that the handler has left.
    func answer(_ box: RequestBox, _ connection: OpaquePointer, closing: Bool = false) -> MHD_Result {
        let exchange = box.exchange
        guard let response = exchange.takeAnswer() else { return .NO }
        let isDraining = gate.isDraining || closing
        guard case .stream(let produce) = response.body else {
            return Answer.queue(response, on: connection, closing: isDraining)
        }
        let pipe = BodyPipe()
        let isEventStream = response.headers["Content-Type"]?.hasPrefix("text/event-stream") == true
        // The library ends a stream that it does not send, to HEAD, with a last chunk all the same: nothing may follow that.
        let queued = Answer.queue(
            response, on: connection, closing: isDraining || box.isHeadRequest,
            stream: StreamReader(exchange: exchange, pipe: pipe))
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

    /// The library is done with the request.
    func complete(_ box: RequestBox) {
        box.peer?.detach()
        box.peer?.awaitRequest()
        if box.reserved > 0 { buffered.subtract(box.reserved, ordering: .relaxed) }
        if box.exchange.complete() { gate.endExchange() }
    }

    // MARK: Connections

    /// Whom to tell of each connection that closes.
    func onConnectionClosed(_ body: @escaping @Sendable () -> Void) { whenConnectionCloses.withLock { $0 = body } }

    func connectionClosed() { whenConnectionCloses.withLock { $0 }() }
}
