import CCurl
import ConcurrencySupport
import HTTPCore
import Observability

/// One attempt on the wire: what was asked, what has come, how far it is. Lives on its loop's thread.
final class Transfer {
    private enum Phase {
        case connecting, awaitingFirstByte, receiving
    }

    let id: UInt64
    let request: ClientRequest
    let easy: EasyHandle
    /// It knows its transfers and outlives them.
    private unowned let engine: TransferEngine
    private let delivery: Delivery

    var isAdded = false
    var isPaused = false
    var due: Int64 = .max
    var heapIndex = -1

    private var phase = Phase.connecting
    /// When the phase began, or when something last moved in it.
    private var since: Int64
    private let totalDue: Int64
    /// The due time after which the socket was to be looked at once more.
    private var looked: Int64?
    /// Curl has been about to send this many times: it goes again by itself when a pooled connection turns out to be dead.
    private var sends = 0
    private var uploaded: curl_off_t = 0
    private var refusal: HTTPClientError?

    private var status = HTTPStatus(0)
    private var headers = HTTPHeaders()
    private var headBytes = 0
    private var isHeadComplete = false
    private var body: [UInt8] = []
    private var received = 0

    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var mime: OpaquePointer?

    init(id: UInt64, request: ClientRequest, delivery: Delivery, easy: EasyHandle, engine: TransferEngine) {
        self.id = id
        self.request = request
        self.delivery = delivery
        self.easy = easy
        self.engine = engine
        since = engine.now
        totalDue = engine.now + request.deadline.remaining.nanoseconds
    }

    // MARK: Time

    var nextDue: Int64 {
        switch phase {
        case .connecting: min(totalDue, since + request.timeouts.connect.nanoseconds)
        case .awaitingFirstByte: min(totalDue, since + request.timeouts.firstByte.nanoseconds)
        case .receiving: isPaused ? totalDue : min(totalDue, since + request.timeouts.idle.nanoseconds)
        }
    }

    func touch() { since = engine.now }

    /// Whether the socket is to be looked at once more before the due time counts: once for each, and not when all the time is up.
    func takesLastLook() -> Bool {
        guard engine.now < totalDue, looked != nextDue else { return false }
        looked = nextDue
        return true
    }

    var timeoutFailure: HTTPClientError {
        if engine.now >= totalDue { return failure(.timeout(.total), "the deadline has passed") }
        return switch phase {
        case .connecting: failure(.timeout(.connect), "no connection within \(request.timeouts.connect)")
        case .awaitingFirstByte: failure(.timeout(.firstByte), "no answer within \(request.timeouts.firstByte)")
        case .receiving: failure(.timeout(.idle), "nothing came for \(request.timeouts.idle)")
        }
    }

    private func enter(_ phase: Phase) {
        self.phase = phase
        since = engine.now
        engine.reschedule(self)
    }

    // MARK: Set-up and end

    func configure(_ shape: EasyHandle.Shape) {
        let unowned = Unmanaged.passUnretained(self).toOpaque()
        easy.set(CURLOPT_PRIVATE, unowned)
        ccurl_set_write(easy.pointer, bodyArrived, unowned)
        ccurl_set_header(easy.pointer, headerArrived, unowned)
        ccurl_set_prereq(easy.pointer, aboutToSend, unowned)
        headerList = easy.apply(request, shape)
        switch request.body {
        case .none: break
        case .bytes(let bytes): if bytes.count > 65_536 { watchUpload(unowned) }
        case .multipart(let parts):
            mime = easy.applyMultipart(parts)
            watchUpload(unowned)
        }
    }

    private func watchUpload(_ unowned: UnsafeMutableRawPointer) {
        ccurl_set_progress(easy.pointer, progressed, unowned)
        easy.set(CURLOPT_NOPROGRESS, false)
        easy.isReusable = false
    }

    /// Frees what curl only borrowed. After removal from the multi handle.
    func release() {
        curl_slist_free_all(headerList)
        headerList = nil
        if let mime { curl_mime_free(mime) }
        mime = nil
    }

    func deliver(_ result: Result<Void, HTTPClientError>) {
        switch (result, delivery) {
        case (.failure(let error), _): delivery.fail(error)
        case (.success, .whole(let answer)): answer.succeed(ClientResponse(status: status, headers: headers, body: body))
        case (.success, .stream(_, let buffer)): buffer.finish(.success(()))
        }
    }

    // MARK: Results

    func failure(_ kind: HTTPClientError.Kind, _ message: String) -> HTTPClientError {
        HTTPClientError(kind, requestMayHaveStarted: sends > 0, message: message)
    }

    func result(of code: CURLcode) -> Result<Void, HTTPClientError> {
        if let refusal { return .failure(refusal) }
        let message = easy.message(for: code)
        switch code {
        case CURLE_OK:
            return isHeadComplete ? .success(()) : .failure(failure(.malformed, "the answer has no head"))
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_PROXY:
            return .failure(failure(.connect, message))
        case CURLE_OPERATION_TIMEDOUT:
            return .failure(failure(.timeout(sends > 0 ? .total : .connect), message))
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_USE_SSL_FAILED:
            return .failure(failure(.tls, message))
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING,
            CURLE_BAD_FUNCTION_ARGUMENT:
            return .failure(failure(.malformed, message))
        default:
            return .failure(failure(sends > 0 ? .reset : .connect, message))
        }
    }

    // MARK: Called by curl

    /// The connection stands and the request goes out now.
    fileprivate func willSend() -> Bool {
        if sends > 0, !request.isIdempotent {
            refusal = failure(.reset, "the pooled connection died after the request was sent; not idempotent, so not sent again")
            return false
        }
        sends += 1
        enter(.awaitingFirstByte)
        return true
    }

    fileprivate func didUpload(_ total: curl_off_t) {
        guard total > uploaded else { return }
        uploaded = total
        if phase == .awaitingFirstByte { touch() }
    }

    fileprivate func receiveHeaderLine(_ bytes: UnsafeRawBufferPointer) -> Bool {
        if phase == .receiving { touch() } else { enter(.receiving) }
        guard !isHeadComplete else { return true }
        headBytes += bytes.count
        guard headBytes <= 256 * 1_024 else { return refuse("the head of the answer is too large") }
        switch AnswerLine(bytes) {
        case .end: return endHead()
        case .status(let code):
            status = HTTPStatus(code)
            headers = [:]
            headers.reserveCapacity(16)
        case .field(let name, let value): headers.add(name, value)
        case .other: break
        }
        return true
    }

    private func endHead() -> Bool {
        // An interim answer (1xx) is followed by the real one.
        guard status.code >= 200 || status.code == 101 else { return true }
        isHeadComplete = true
        if headers["Content-Encoding"] != nil {
            headers["Content-Encoding"] = nil
            headers["Content-Length"] = nil
        } else if request.method != .head, let length = headers["Content-Length"].flatMap({ Int($0) }) {
            guard length <= request.maxResponseBytes else { return refuse("the answer has \(length) bytes") }
            if case .whole = delivery { body.reserveCapacity(length) }
        }
        if case .stream(let head, _) = delivery { head.succeed(ResponseHead(status: status, headers: headers)) }
        return true
    }

    private func refuse(_ message: String) -> Bool {
        refusal = failure(.responseTooLarge, message)
        return false
    }

    /// - Returns: what curl expects: the count, another number to abort, or the pause sign.
    fileprivate func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        touch()
        guard received + bytes.count <= request.maxResponseBytes else {
            _ = refuse("the answer has more than \(request.maxResponseBytes) bytes")
            return bytes.isEmpty ? 1 : 0
        }
        switch delivery {
        case .whole:
            body.append(contentsOf: bytes)
        case .stream(_, let buffer):
            guard buffer.offer(bytes) else {
                isPaused = true
                return ccurl_write_pause
            }
        }
        received += bytes.count
        return bytes.count
    }
}

private func bodyArrived(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ transfer: UnsafeMutableRawPointer?
) -> Int {
    guard let transfer else { return 0 }
    let buffer = UnsafeRawBufferPointer(start: bytes, count: size * count)
    return Unmanaged<Transfer>.fromOpaque(transfer).takeUnretainedValue().receiveBody(buffer)
}

private func headerArrived(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ transfer: UnsafeMutableRawPointer?
) -> Int {
    guard let transfer else { return 0 }
    let buffer = UnsafeRawBufferPointer(start: bytes, count: size * count)
    return Unmanaged<Transfer>.fromOpaque(transfer).takeUnretainedValue().receiveHeaderLine(buffer) ? size * count : 0
}

private func aboutToSend(
    _ transfer: UnsafeMutableRawPointer?, _ primaryAddress: UnsafeMutablePointer<CChar>?,
    _ localAddress: UnsafeMutablePointer<CChar>?, _ primaryPort: Int32, _ localPort: Int32
) -> Int32 {
    guard let transfer else { return ccurl_prereq_abort }
    let mayGo = Unmanaged<Transfer>.fromOpaque(transfer).takeUnretainedValue().willSend()
    return mayGo ? ccurl_prereq_ok : ccurl_prereq_abort
}

private func progressed(
    _ transfer: UnsafeMutableRawPointer?, _ toDownload: curl_off_t, _ downloaded: curl_off_t, _ toUpload: curl_off_t,
    _ uploaded: curl_off_t
) -> Int32 {
    guard let transfer else { return 0 }
    Unmanaged<Transfer>.fromOpaque(transfer).takeUnretainedValue().didUpload(uploaded)
    return 0
}

extension Duration {
    /// Whole nanoseconds; at most about 29 years, so that sums of two stay in range.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return min(max(seconds, 0), 900_000_000) * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
