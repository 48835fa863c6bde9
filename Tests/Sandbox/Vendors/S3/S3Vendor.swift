import ConcurrencySupport
import Cryptography
import Glibc

/// An S3 that keeps a little in memory and believes nobody: each request must be signed, presigned or in its headers.
///
/// Path style below `/s3`: `/s3/<bucket>/<key>`. Every bucket exists. `AKIASANDBOX` with the secret `sandbox-secret`, region `us-east-1`.
final class S3Vendor: Vendor {
    static let accessKeyId = "AKIASANDBOX"
    static let secret = "sandbox-secret"

    struct Object: Sendable {
        let bytes: [UInt8]
        let contentType: String
        /// With its quotes.
        let tag: String

        init(bytes: [UInt8], contentType: String, tag: String? = nil) {
            self.bytes = bytes
            self.contentType = contentType
            self.tag = tag ?? Self.tag(of: bytes)
        }

        static func tag(of bytes: [UInt8]) -> String { "\"\(Hex.encode(Array(SHA256.hash(bytes).prefix(16))))\"" }
    }

    private let control: ControlPlane
    private let objects = Lock<[String: Object]>([:])
    private let uploads = S3Uploads()

    init(control: ControlPlane) { self.control = control }

    func localPath(of path: String) -> String? { path.hasPrefix("/s3/") ? String(path.dropFirst("/s3/".count)) : nil }

    func answer(_ exchange: inout Exchange, path: String) throws {
        let request = exchange.request
        let answer: Answer
        do {
            let signature = S3Signature(
                accessKeyId: Self.accessKeyId, secret: Self.secret, region: "us-east-1", now: Int(time(nil)))
            try signature.check(request)
            answer = handle(request, path)
        } catch {
            answer = Self.error(error.status, error.code, error.message)
        }
        if request.method == "HEAD" {
            try exchange.play(WirePlan(steps: [.send(answer.head(framing: "Content-Length: \(answer.body.count)"))]))
        } else {
            try exchange.send(answer)
        }
    }

    private func handle(_ request: IncomingRequest, _ key: String) -> Answer {
        if S3Uploads.concerns(request) { return multipart(request, key) }
        let object = objects.withLock { $0[key] }
        switch request.method {
        case "PUT":
            if let source = request.header("x-amz-copy-source") { return copy(source, to: key, request) }
            let new = Object(bytes: request.body, contentType: request.header("content-type") ?? "binary/octet-stream")
            objects.withLock { $0[key] = new }
            return Answer(status: 200, headers: [("ETag", new.tag)], contentType: "application/xml", body: [])
        case "GET", "HEAD":
            guard let object else { return Self.error(404, "NoSuchKey", "The specified key does not exist.") }
            return Self.show(object, request)
        case "DELETE":
            objects.withLock { $0[key] = nil }
            return Answer(status: 204, contentType: "application/xml", body: [])
        default: return Self.error(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
        }
    }

    private func multipart(_ request: IncomingRequest, _ key: String) -> Answer {
        if request.method == "POST", request.query["uploadId"] != nil,
            control.rule(for: request, profile: "s3", model: nil)?.rule.fault == .s3ErrorInside200
        {
            // As S3 does: the status went out before the end was known.
            var answer = Self.error(200, "InternalError", "We encountered an internal error. Please try again.")
            answer.headers.append(("x-amz-request-id", "sandbox"))
            return answer
        }
        do {
            return try uploads.answer(request, key) { object in objects.withLock { $0[key] = object } }
        } catch {
            return Self.error(error.status, error.code, error.message)
        }
    }

    private func copy(_ source: String, to key: String, _ request: IncomingRequest) -> Answer {
        let name = source.hasPrefix("/") ? String(source.dropFirst()) : source
        guard let object = objects.withLock({ $0[name] }) else {
            return Self.error(404, "NoSuchKey", "The specified key does not exist.")
        }
        if let tag = request.header("x-amz-copy-source-if-match"), tag != object.tag {
            return Self.error(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        }
        objects.withLock { $0[key] = object }
        let body = "<CopyObjectResult><ETag>\(object.tag)</ETag></CopyObjectResult>"
        return Answer(status: 200, contentType: "application/xml", body: Array(body.utf8))
    }

    private static func show(_ object: Object, _ request: IncomingRequest) -> Answer {
        var headers = [("ETag", object.tag), ("Accept-Ranges", "bytes")]
        if let disposition = request.query["response-content-disposition"] {
            headers.append(("Content-Disposition", disposition))
        }
        let type = request.query["response-content-type"] ?? object.contentType
        guard let range = request.header("range"), range.hasPrefix("bytes=") else {
            return Answer(status: 200, headers: headers, contentType: type, body: object.bytes)
        }
        let ends = range.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = Int(ends[0]), first < object.bytes.count else {
            return error(416, "InvalidRange", "The requested range is not satisfiable")
        }
        let last = min(Int(ends[1]) ?? .max, object.bytes.count - 1)
        headers.append(("Content-Range", "bytes \(first)-\(last)/\(object.bytes.count)"))
        return Answer(status: 206, headers: headers, contentType: type, body: Array(object.bytes[first...max(first, last)]))
    }

    static func error(_ status: Int, _ code: String, _ message: String) -> Answer {
        let text = message.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
        let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>\(code)</Code><Message>\(text)</Message></Error>"
        return Answer(status: status, contentType: "application/xml", body: Array(body.utf8))
    }
}
