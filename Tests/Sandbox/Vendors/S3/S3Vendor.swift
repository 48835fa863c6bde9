import ConcurrencySupport
import Cryptography
import Glibc

/// An S3 that keeps everything sparsely on the disk and believes nobody: each request must be signed, presigned or in its headers.
///
/// Path style below `/s3`: `/s3/<bucket>/<key>`. Every bucket exists. `AKIASANDBOX` with the secret `sandbox-secret`, region `us-east-1`.
final class S3Vendor: Vendor {
    static let accessKeyId = "AKIASANDBOX"
    static let secret = "sandbox-secret"

    struct Object: Sendable {
        /// One after the other.
        let extents: [S3Extent]
        let contentType: String
        /// With its quotes.
        let tag: String

        var size: Int { extents.reduce(0) { $0 + $1.size } }

        static func tag(of bytes: [UInt8]) -> String { "\"\(Hex.encode(Array(SHA256.hash(bytes).prefix(16))))\"" }
    }

    private let control: ControlPlane
    /// What may be copied in one request.
    private static let largestCopy = 5 << 30
    /// Of a body on its way out.
    private static let pieceSize = 256 << 10

    private let disk: S3Disk
    private let objects = Lock<[String: Object]>([:])
    private let uploads: S3Uploads

    init(control: ControlPlane) throws {
        self.control = control
        disk = try S3Disk()
        uploads = S3Uploads(disk: disk, control: control)
    }

    func localPath(of path: String) -> String? { path.hasPrefix("/s3/") ? String(path.dropFirst("/s3/".count)) : nil }

    func answer(_ exchange: inout Exchange, path: String) throws {
        let request = exchange.request
        var answer: Answer
        var shown: (object: Object, range: Range<Int>)?
        do {
            let signature = S3Signature(
                accessKeyId: Self.accessKeyId, secret: Self.secret, region: "us-east-1", now: Int(time(nil)))
            try signature.check(request)
            if !S3Uploads.concerns(request), ["GET", "HEAD"].contains(request.method) {
                (answer, shown) = show(path, request)
            } else {
                answer = try handle(request, path)
            }
        } catch let error as S3Signature.Refusal {
            answer = Self.error(error.status, error.code, error.message)
        }
        if shown == nil, request.method != "HEAD" { return try exchange.send(answer) }
        let length = shown?.range.count ?? answer.body.count
        try exchange.play(WirePlan(steps: [.send(answer.head(framing: "Content-Length: \(length)"))]))
        guard let shown else { return }
        if request.method == "GET" {
            try shown.object.read(shown.range, by: Self.pieceSize) { try exchange.play(WirePlan(steps: [.send($0)])) }
        }
    }

    private func handle(_ request: IncomingRequest, _ key: String) throws -> Answer {
        if S3Uploads.concerns(request) { return try multipart(request, key) }
        switch request.method {
        case "PUT":
            if let source = request.header("x-amz-copy-source") { return copy(source, to: key, request) }
            let new = Object(
                extents: [try disk.keep(request.body)], contentType: request.header("content-type") ?? "binary/octet-stream",
                tag: Object.tag(of: request.body))
            objects.withLock { $0[key] = new }
            return Answer(status: 200, headers: [("ETag", new.tag)], contentType: "application/xml", body: [])
        case "DELETE":
            objects.withLock { $0[key] = nil }
            return Answer(status: 204, contentType: "application/xml", body: [])
        default: return Self.error(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
        }
    }

    private func multipart(_ request: IncomingRequest, _ key: String) throws -> Answer {
        if request.method == "POST", request.query["uploadId"] != nil,
            control.rule(for: request, profile: "s3", model: nil)?.rule.fault == .s3ErrorInside200
        {
            // As S3 does: the status went out before the end was known.
            var answer = Self.error(200, "InternalError", "We encountered an internal error. Please try again.")
            answer.headers.append(("x-amz-request-id", "sandbox"))
            return answer
        }
        return try uploads.answer(request, key) { object in objects.withLock { $0[key] = object } }
    }

    private func copy(_ source: String, to key: String, _ request: IncomingRequest) -> Answer {
        let name = source.hasPrefix("/") ? String(source.dropFirst()) : source
        guard let object = objects.withLock({ $0[name] }) else {
            return Self.error(404, "NoSuchKey", "The specified key does not exist.")
        }
        if let tag = request.header("x-amz-copy-source-if-match"), tag != object.tag {
            return Self.error(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        }
        guard object.size <= Self.largestCopy else {
            return Self.error(
                400, "InvalidRequest",
                "The specified copy source is larger than the maximum allowable size for a copy source: \(Self.largestCopy)")
        }
        objects.withLock { $0[key] = object }
        let body = "<CopyObjectResult><ETag>\(object.tag)</ETag></CopyObjectResult>"
        return Answer(status: 200, contentType: "application/xml", body: Array(body.utf8))
    }

    private func show(_ key: String, _ request: IncomingRequest) -> (Answer, (object: Object, range: Range<Int>)?) {
        guard let object = objects.withLock({ $0[key] }) else {
            return (Self.error(404, "NoSuchKey", "The specified key does not exist."), nil)
        }
        var headers = [("ETag", object.tag), ("Accept-Ranges", "bytes")]
        if let disposition = request.query["response-content-disposition"] {
            headers.append(("Content-Disposition", disposition))
        }
        let type = request.query["response-content-type"] ?? object.contentType
        guard let range = request.header("range"), range.hasPrefix("bytes=") else {
            return (Answer(status: 200, headers: headers, contentType: type, body: []), (object, 0..<object.size))
        }
        let ends = range.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = Int(ends[0]), first < object.size else {
            return (Self.error(416, "InvalidRange", "The requested range is not satisfiable"), nil)
        }
        let last = max(first, min(Int(ends[1]) ?? .max, object.size - 1))
        headers.append(("Content-Range", "bytes \(first)-\(last)/\(object.size)"))
        return (Answer(status: 206, headers: headers, contentType: type, body: []), (object, first..<last + 1))
    }

    static func error(_ status: Int, _ code: String, _ message: String) -> Answer {
        let text = message.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
        let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>\(code)</Code><Message>\(text)</Message></Error>"
        return Answer(status: status, contentType: "application/xml", body: Array(body.utf8))
    }
}

extension S3Vendor.Object {
    /// Hands out a range of its bytes piece by piece.
    fileprivate func read(_ range: Range<Int>, by size: Int, _ take: ([UInt8]) throws -> Void) rethrows {
        var begin = 0
        for extent in extents {
            var place = max(range.lowerBound, begin)
            let end = min(range.upperBound, begin + extent.size)
            while place < end {
                let count = min(size, end - place)
                try take(extent.read(at: place - begin, count: count))
                place += count
            }
            begin += extent.size
        }
    }
}
