/// A plain answer with a known length.
struct Answer: Sendable {
    var status: Int
    var headers: [(String, String)] = []
    var contentType = "application/json"
    var body: [UInt8]

    init(status: Int, headers: [(String, String)] = [], json: JSON) {
        self.status = status
        self.headers = headers
        body = json.bytes
    }

    init(status: Int, headers: [(String, String)] = [], contentType: String, body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.contentType = contentType
        self.body = body
    }

    func head(framing: String) -> [UInt8] {
        var text = "HTTP/1.1 \(status) \(Self.reason(status))\r\nContent-Type: \(contentType)\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        return Array((text + framing + "\r\n\r\n").utf8)
    }

    var bytes: [UInt8] { head(framing: "Content-Length: \(body.count)") + body }

    static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 402: "Payment Required"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 422: "Unprocessable Entity"
        case 429: "Too Many Requests"
        case 500: "Internal Server Error"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: "Status \(status)"
        }
    }
}

/// What an answer is on the wire: bytes, pauses, and how the connection ends. Faults are made by editing this list.
struct WirePlan: Sendable, Equatable {
    enum Step: Sendable, Equatable {
        case send([UInt8])
        case wait(milliseconds: Int)
        case halfClose
    }

    enum Ending: Sendable, Equatable {
        case keepAlive
        /// Closed if nothing comes for so long.
        case keepAliveFor(milliseconds: Int)
        /// The next request of this connection is read and answered with RST.
        case resetOnReuse
        case close
        case reset
        /// The socket stays open until the client leaves.
        case hold
    }

    var steps: [Step]
    var ending = Ending.keepAlive

    /// All bytes, without the pauses.
    var bytes: [UInt8] {
        steps.flatMap { step -> [UInt8] in if case .send(let bytes) = step { bytes } else { [] } }
    }
}

/// One request on its connection, and how the connection stands after the answer.
struct Exchange {
    enum Ending {
        case keepAlive, keepAliveFor(milliseconds: Int), resetOnReuse, closed
    }

    let request: IncomingRequest
    private let wire: Wire
    private(set) var ending = Ending.keepAlive

    init(request: IncomingRequest, wire: Wire) {
        self.request = request
        self.wire = wire
    }

    func send(_ answer: Answer) throws { try wire.send(answer.bytes) }

    /// Plays the plan. Throws `Wire.ClientGone` when the client leaves before its end.
    mutating func play(_ plan: WirePlan) throws(Wire.ClientGone) {
        for step in plan.steps {
            switch step {
            case .send(let bytes): try wire.send(bytes)
            case .wait(let milliseconds): try wire.wait(milliseconds: milliseconds)
            case .halfClose: wire.halfClose()
            }
        }
        switch plan.ending {
        case .keepAlive: ending = .keepAlive
        case .keepAliveFor(let milliseconds): ending = .keepAliveFor(milliseconds: milliseconds)
        case .resetOnReuse: ending = .resetOnReuse
        case .close:
            wire.close()
            ending = .closed
        case .reset:
            wire.reset()
            ending = .closed
        case .hold:
            try wire.wait(milliseconds: nil)
        }
    }
}
