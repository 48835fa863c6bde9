import CMicrohttpd
import HTTPCore

/// What the library keeps for one request (`con_cls`): the part that only its loop touches.
final class RequestBox {
    let exchange: Exchange
    let peer: Connection?
    var head: RequestHead? { didSet { hasHead = true } }
    var body: [UInt8] = []
    var received = 0
    var limit = 0
    /// What is answered in place of the route: at once, or after the body has been read and thrown away.
    var refusal: (any HTTPFailure)?
    private(set) var isHeadRequest = false
    private(set) var hasHead = false
    /// Where the handler takes the body while it comes.
    var intake: BodyIntake?
    /// The handler has not said yet whether it wants the body; the client may wait for `100 Continue`.
    var isHeadOpen = false
    var isBodyOver = false
    /// Whether an answer before the body's end must go out at once instead of after the rest.
    var answersEarly = false
    var discarded = 0
    /// How much of ``ServerCore``'s room for bodies this one takes.
    var reserved = 0

    init(target: String, connection: OpaquePointer, daemon: Daemon) {
        exchange = Exchange(target: target, connection: connection, daemon: daemon)
        peer = cmhd_socket_context(connection).map { Unmanaged<Connection>.fromOpaque($0).takeUnretainedValue() }
    }

    /// The request, which owns head and body from here on.
    func takeRequest() -> Request? {
        guard let head else { return nil }
        defer {
            self.head = nil
            body = []
        }
        isHeadRequest = head.method == .head
        var request = Request(
            head.method, exchange.target, headers: head.headers, body: body, peerAddress: peer?.peerAddress ?? "")
        request.intake = intake
        request.refusal = refusal
        return request
    }
}
