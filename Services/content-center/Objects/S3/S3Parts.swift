import HTTPCalling
import HTTPCore

/// Uploads in parts: what S3 calls a multipart upload. Which one belongs to an object stands in the bucket alone.
struct S3Parts: Sendable {
    struct Part: Sendable, Equatable {
        let number: Int
        let size: Int
        /// With its quotes, as it came.
        let tag: String
    }

    struct Upload: Sendable, Equatable {
        let key: String
        let id: String
        /// RFC 3339.
        let initiated: String
    }

    /// Of what we send ourselves: each is held whole while it is on its way.
    static let ownPartSize = 8 << 20
    private static let mostParts = 10_000

    let bucket: S3Bucket

    /// Sends what we have made ourselves, a part after the other. What was begun before under this key is gone with it: its process died.
    ///
    /// - Parameter piece: reads so many bytes from a place on.
    func send(
        _ key: String, contentType: String, size: Int, piece: (_ place: Int, _ count: Int) async throws -> [UInt8]
    ) async throws {
        for old in try await uploads(below: String(key.dropFirst())) where "/\(old.key)" == key { try await abort(old) }
        let upload = try await create(key, contentType: contentType)
        do {
            let partSize = Self.partSize(of: size)
            var sent: [Part] = []
            for place in stride(from: 0, to: size, by: partSize) {
                let count = min(partSize, size - place)
                sent.append(try await put(try await piece(place, count), number: sent.count + 1, of: upload))
            }
            guard try await complete(upload, sent) else { throw ObjectGone() }
        } catch {
            // A task of its own: this one may have been cancelled.
            await Task.detached { try? await abort(upload) }.value
            throw error
        }
    }

    /// Of ten thousand parts each may have to be larger.
    static func partSize(of size: Int) -> Int { max(ownPartSize, (size + mostParts - 1) / mostParts) }

    private func put(_ bytes: [UInt8], number: Int, of upload: Upload) async throws -> Part {
        let query = [(name: "partNumber", value: "\(number)"), (name: "uploadId", value: upload.id)]
        let request = bucket.signed(.put, "/\(upload.key)", query: query, body: bytes)
        guard let answer = try await bucket.send(request, missing: []), let tag = answer.headers["ETag"] else {
            throw S3Bucket.Failed(method: "PUT", status: 200, answer: "a part has no ETag")
        }
        return Part(number: number, size: bytes.count, tag: tag)
    }

    private func create(_ key: String, contentType: String) async throws -> Upload {
        let request = bucket.signed(.post, key, query: [("uploads", "")], headers: [("content-type", contentType)])
        guard let answer = try await bucket.send(request, missing: []), let id = S3XML(answer.body).string("UploadId") else {
            throw S3Bucket.Failed(method: "POST", status: 200, answer: "an upload has no id")
        }
        return Upload(key: String(key.dropFirst()), id: id, initiated: "")
    }

    /// Begins an upload where none is under way; the repeat finds it.
    func begin(_ key: String, contentType: String) async throws {
        guard try await upload(of: key) == nil else { return }
        _ = try await create(key, contentType: contentType)
    }

    /// The object's upload; of two that were begun at once, the first.
    func upload(of key: String) async throws -> Upload? {
        try await uploads(below: String(key.dropFirst())).filter { "/\($0.key)" == key }
            .min { ($0.initiated, $0.id) < ($1.initiated, $1.id) }
    }

    /// All that are under way.
    ///
    /// - Parameter prefix: of their keys, without a leading slash.
    func uploads(below prefix: String) async throws -> [Upload] {
        var uploads: [Upload] = []
        var place: S3Bucket.Pairs = []
        while true {
            let query = [(name: "uploads", value: ""), (name: "prefix", value: prefix)] + place
            guard let answer = try await bucket.send(bucket.signed(.get, "", query: query)) else { return uploads }
            let xml = S3XML(answer.body)
            uploads += xml.all("Upload").compactMap { upload in
                guard let key = upload.string("Key"), let id = upload.string("UploadId") else { return nil }
                return Upload(key: key, id: id, initiated: upload.string("Initiated") ?? "")
            }
            guard xml.string("IsTruncated") == "true", let key = xml.string("NextKeyMarker"),
                let id = xml.string("NextUploadIdMarker")
            else { return uploads }
            place = [("key-marker", key), ("upload-id-marker", id)]
        }
    }

    /// Those that have arrived, in their order; `nil` where the upload is over.
    func list(_ upload: Upload) async throws -> [Part]? {
        var parts: [Part] = []
        var place: S3Bucket.Pairs = []
        while true {
            let query = [(name: "uploadId", value: upload.id)] + place
            guard let answer = try await bucket.send(bucket.signed(.get, "/\(upload.key)", query: query)) else { return nil }
            let xml = S3XML(answer.body)
            parts += xml.all("Part").compactMap { part in
                guard let number = part.int("PartNumber"), let size = part.int("Size"), let tag = part.string("ETag") else {
                    return nil
                }
                return Part(number: number, size: size, tag: tag)
            }
            guard xml.string("IsTruncated") == "true", let next = xml.string("NextPartNumberMarker") else {
                return parts.sorted { $0.number < $1.number }
            }
            place = [("part-number-marker", next)]
        }
    }

    /// Puts the parts together.
    ///
    /// - Returns: `false` where the upload is over already, for one that others may complete no harm: then its object is there.
    @discardableResult
    func complete(_ upload: Upload, _ parts: [Part]) async throws -> Bool {
        let list = parts.map { "<Part><PartNumber>\($0.number)</PartNumber><ETag>\(S3XML.escape($0.tag))</ETag></Part>" }
        let body =
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(list.joined())</CompleteMultipartUpload>"
        return try await bucket.sendSlow(
            bucket.signed(
                .post, "/\(upload.key)", query: [("uploadId", upload.id)], headers: [("content-type", "application/xml")],
                body: Array(body.utf8))) != nil
    }

    func abort(_ upload: Upload) async throws {
        _ = try await bucket.send(bucket.signed(.delete, "/\(upload.key)", query: [("uploadId", upload.id)]))
    }
}
