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
    /// The body is read and thrown away; then this is answered.
    var refusal: (any HTTPFailure)?
    private(set) var isHeadRequest = false
    private(set) var hasHead = false

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
        return Request(
            head.method, exchange.target, headers: head.headers, body: body, peerAddress: peer?.peerAddress ?? "")
    }
}
