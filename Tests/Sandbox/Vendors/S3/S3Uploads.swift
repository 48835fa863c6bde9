import ConcurrencySupport
import Cryptography
import Glibc

/// Multipart uploads of the stand-in, as strict as S3: numbers, order, sizes and tags of parts.
final class S3Uploads: Sendable {
    private struct Part: Sendable {
        let extent: S3Extent
        let tag: String
    }

    private struct Upload: Sendable {
        let key: String
        let contentType: String
        /// Seconds and milliseconds since 1970.
        let began: timespec
        var parts: [Int: Part] = [:]
    }

    private static let smallestPart = 5 << 20

    /// What S3 shows at once.
    private static let largestPage = 1_000

    private let disk: S3Disk
    private let control: ControlPlane
    private let uploads = Lock<[String: Upload]>([:])

    init(disk: S3Disk, control: ControlPlane) {
        self.disk = disk
        self.control = control
    }

    static func concerns(_ request: IncomingRequest) -> Bool {
        request.query["uploads"] != nil || request.query["uploadId"] != nil
    }

    /// - Parameters:
    ///   - key: bucket and name.
    ///   - store: keeps a completed object.
    /// - Throws: `S3Signature.Refusal`, or `S3Disk.Broken`.
    func answer(_ request: IncomingRequest, _ key: String, store: (S3Vendor.Object) -> Void) throws -> Answer {
        let id = request.query["uploadId"] ?? ""
        switch (request.method, request.query["uploads"] != nil) {
        case ("POST", true): return begin(request, key)
        case ("GET", true): return list(bucket: key.hasSuffix("/") ? String(key.dropLast()) : key, request)
        case ("PUT", false): return try put(request, part: request.query["partNumber"].flatMap { Int($0) } ?? 0, of: id, key)
        case ("GET", false): return try parts(of: id, key, request)
        case ("POST", false):
            let (object, answer) = try complete(request.body, id, key)
            store(object)
            return answer
        case ("DELETE", false):
            _ = try upload(id, key)
            uploads.withLock { $0[id] = nil }
            return Answer(status: 204, contentType: "application/xml", body: [])
        default: return S3Vendor.error(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
        }
    }

    private func upload(_ id: String, _ key: String) throws(S3Signature.Refusal) -> Upload {
        guard let upload = uploads.withLock({ $0[id] }), upload.key == key else {
            throw S3Signature.Refusal(
                status: 404, code: "NoSuchUpload",
                message: "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted."
            )
        }
        return upload
    }

    private func begin(_ request: IncomingRequest, _ key: String) -> Answer {
        let id = Random.token(bytes: 18)
        let type = request.header("content-type") ?? "binary/octet-stream"
        uploads.withLock { $0[id] = Upload(key: key, contentType: type, began: Self.now()) }
        let (bucket, name) = Self.split(key)
        return Self.xml(
            "InitiateMultipartUploadResult", "<Bucket>\(bucket)</Bucket><Key>\(name)</Key><UploadId>\(id)</UploadId>")
    }

    private func put(_ request: IncomingRequest, part: Int, of id: String, _ key: String) throws -> Answer {
        _ = try upload(id, key)
        guard (1...10_000).contains(part) else {
            throw S3Signature.Refusal(
                status: 400, code: "InvalidArgument", message: "Part number must be an integer between 1 and 10000, inclusive")
        }
        let tag = S3Vendor.Object.tag(of: request.body)
        let extent = try disk.keep(request.body)
        uploads.withLock { $0[id]?.parts[part] = Part(extent: extent, tag: tag) }
        return Answer(status: 200, headers: [("ETag", tag)], contentType: "application/xml", body: [])
    }

    private func parts(of id: String, _ key: String, _ request: IncomingRequest) throws(S3Signature.Refusal) -> Answer {
        let upload = try upload(id, key)
        let after = request.query["part-number-marker"].flatMap { Int($0) } ?? 0
        let most = page(request, "max-parts")
        let all = upload.parts.filter { $0.key > after }.sorted { $0.key < $1.key }
        let page = all.prefix(most)
        var body =
            "<UploadId>\(id)</UploadId><PartNumberMarker>\(after)</PartNumberMarker><MaxParts>\(most)</MaxParts><IsTruncated>\(page.count < all.count)</IsTruncated>"
        if page.count < all.count, let last = page.last { body += "<NextPartNumberMarker>\(last.key)</NextPartNumberMarker>" }
        for (number, part) in page {
            body += "<Part><PartNumber>\(number)</PartNumber><LastModified>\(Self.text(upload.began))</LastModified>"
            body += "<ETag>\(Self.escape(part.tag))</ETag><Size>\(part.extent.size)</Size></Part>"
        }
        return Self.xml("ListPartsResult", body)
    }

    /// By key, then by id: as their markers go.
    private func list(bucket: String, _ request: IncomingRequest) -> Answer {
        let prefix = request.query["prefix"] ?? ""
        let after = (key: request.query["key-marker"] ?? "", id: request.query["upload-id-marker"] ?? "")
        let all = uploads.withLock { $0 }.map { (key: String(Self.split($0.value.key).name), id: $0.key, upload: $0.value) }
            .filter { $0.upload.key.hasPrefix("\(bucket)/\(prefix)") }
            .filter { after.key.isEmpty || $0.key > after.key || ($0.key == after.key && !after.id.isEmpty && $0.id > after.id) }
            .sorted { ($0.key, $0.id) < ($1.key, $1.id) }
        let most = page(request, "max-uploads")
        let page = all.prefix(most)
        var body = "<Bucket>\(bucket)</Bucket><KeyMarker>\(after.key)</KeyMarker><UploadIdMarker>\(after.id)</UploadIdMarker>"
        body += "<MaxUploads>\(most)</MaxUploads><IsTruncated>\(page.count < all.count)</IsTruncated>"
        if page.count < all.count, let last = page.last {
            body += "<NextKeyMarker>\(last.key)</NextKeyMarker><NextUploadIdMarker>\(last.id)</NextUploadIdMarker>"
        }
        let aged = control.standing(.s3AgedUploads, profile: "s3")
        for (key, id, upload) in page {
            var began = upload.began
            if let aged, key.contains(aged.string("key") ?? "") { began.tv_sec -= aged.int("seconds") ?? 0 }
            body += "<Upload><Key>\(key)</Key><UploadId>\(id)</UploadId><Initiated>\(Self.text(began))</Initiated></Upload>"
        }
        return Self.xml("ListMultipartUploadsResult", body)
    }

    /// How much is shown at once: never more than S3 does, whoever asks for it.
    private func page(_ request: IncomingRequest, _ name: String) -> Int {
        let small = control.standing(.s3SmallPages, profile: "s3")?.int("size")
        return max(1, min(request.query[name].flatMap { Int($0) } ?? .max, small ?? .max, Self.largestPage))
    }

    private func complete(
        _ body: [UInt8], _ id: String, _ key: String
    ) throws(S3Signature.Refusal) -> (object: S3Vendor.Object, answer: Answer) {
        let upload = try upload(id, key)
        let named = Self.elements("Part", in: String(decoding: body, as: UTF8.self)).map { part in
            (
                number: Self.elements("PartNumber", in: part).first.flatMap { Int($0) } ?? 0,
                tag: Self.elements("ETag", in: part).first.map { $0.replacing("&quot;", with: "\"") } ?? ""
            )
        }
        if named.isEmpty {
            throw S3Signature.Refusal(status: 400, code: "MalformedXML", message: "The XML you provided was not well-formed")
        }
        guard zip(named, named.dropFirst()).allSatisfy({ $0.number < $1.number }) else {
            throw S3Signature.Refusal(
                status: 400, code: "InvalidPartOrder",
                message: "The list of parts was not in ascending order. Parts must be ordered by part number.")
        }
        var extents: [S3Extent] = []
        for (index, name) in named.enumerated() {
            guard let part = upload.parts[name.number], part.tag.filter({ $0 != "\"" }) == name.tag.filter({ $0 != "\"" }) else {
                throw S3Signature.Refusal(
                    status: 400, code: "InvalidPart", message: "One or more of the specified parts could not be found.")
            }
            if index < named.count - 1, part.extent.size < Self.smallestPart {
                throw S3Signature.Refusal(
                    status: 400, code: "EntityTooSmall",
                    message: "Your proposed upload is smaller than the minimum allowed object size.")
            }
            extents.append(part.extent)
        }
        let tag = "\"\(Hex.encode(Array(SHA256.hash(named.map(\.tag).joined()).prefix(16))))-\(named.count)\""
        uploads.withLock { $0[id] = nil }
        let (bucket, name) = Self.split(key)
        return (
            S3Vendor.Object(extents: extents, contentType: upload.contentType, tag: tag),
            Self.xml(
                "CompleteMultipartUploadResult", "<Bucket>\(bucket)</Bucket><Key>\(name)</Key><ETag>\(Self.escape(tag))</ETag>")
        )
    }

    // MARK: XML

    private static func split(_ key: String) -> (bucket: Substring, name: Substring) {
        let slash = key.firstIndex(of: "/") ?? key.endIndex
        return (key[..<slash], key[slash...].dropFirst())
    }

    private static func xml(_ name: String, _ body: String) -> Answer {
        let text =
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<\(name) xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(body)</\(name)>"
        return Answer(status: 200, contentType: "application/xml", body: Array(text.utf8))
    }

    private static func escape(_ tag: String) -> String { tag.replacing("\"", with: "&quot;") }

    private static func elements(_ name: String, in text: String) -> [String] {
        text.split(separator: "<\(name)>", omittingEmptySubsequences: false).dropFirst().map { piece in
            String(piece.firstRange(of: "</\(name)>").map { piece[..<$0.lowerBound] } ?? piece)
        }
    }

    private static func now() -> timespec {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time
    }

    private static func text(_ time: timespec) -> String {
        var (seconds, parts) = (time.tv_sec, tm())
        gmtime_r(&seconds, &parts)
        var buffer = [CChar](repeating: 0, count: 64)
        let count = strftime(&buffer, 64, "%Y-%m-%dT%H:%M:%S", &parts)
        let milliseconds = String(1_000 + time.tv_nsec / 1_000_000).dropFirst()
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) + ".\(milliseconds)Z"
    }
}
