import ConcurrencySupport
public import HTTPCore

/// Calls a handler directly, with a task per request that is cancelled when the client hangs up, as the server does it.
public struct InProcessClient: TestClient {
    private let handler: Handler

    public init(_ handler: @escaping Handler) { self.handler = handler }

    public init(_ router: Router) { self.init(router.handler) }

    public func open(
        _ method: HTTPMethod, _ target: String, headers: HTTPHeaders, body: [UInt8]
    ) async throws -> TestStream {
        let request = Request(method, target, headers: headers, body: body)
        let work = Task { try await handler(request) }
        let response = try await withTaskCancellationHandler {
            try await work.value
        } onCancel: {
            work.cancel()
        }
        var answerHeaders = response.headers
        switch response.body {
        case .none, .bytes, .file:
            let bytes: [UInt8] =
                switch response.body {
                case .bytes(let bytes): bytes
                case .file(let slice): slice.readAll()
                default: []
                }
            if response.status != .noContent { answerHeaders["Content-Length"] = String(bytes.count) }
            let rest = Lock<[UInt8]?>(method == .head || bytes.isEmpty ? nil : bytes)
            return TestStream(
                status: response.status, headers: answerHeaders,
                next: {
                    rest.withLock { bytes in
                        defer { bytes = nil }
                        return bytes
                    }
                }, hangUp: {})
        case .stream(let produce):
            let pipe = BodyPipe()
            let producer = Task {
                do {
                    if method != .head { try await produce(BodyWriter(pipe: pipe)) }
                    pipe.finish(successfully: true)
                } catch {
                    pipe.finish(successfully: false)
                }
            }
            return TestStream(
                status: response.status, headers: answerHeaders, next: { try await pipe.next() },
                hangUp: {
                    pipe.abandon()
                    producer.cancel()
                })
        }
    }
}

extension BodyPipe {
    /// The next piece, waiting for it; `nil` at the end.
    fileprivate func next() async throws -> [UInt8]? {
        while true {
            let readable = OneShot<Void>()
            var reading = Reading.wait
            let bytes = [UInt8](unsafeUninitializedCapacity: 16 * 1024) { buffer, count in
                reading = read(into: UnsafeMutableRawBufferPointer(buffer)) { readable.succeed() }
                if case .bytes(let read) = reading { count = read }
            }
            switch reading {
            case .bytes: return bytes
            case .wait: try await readable.value()
            case .end: return nil
            case .failed: throw TruncatedAnswer()
            }
        }
    }
}
