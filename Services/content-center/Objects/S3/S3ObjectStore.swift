import Cryptography
import FoundationEssentials
import HTTPCalling
import HTTPCore
import Observability

/// Objects in an S3 bucket: clients send to `arrived/…` and read `kept/…` by presigned URLs; only we copy from one to the other, and only
/// what we have looked at.
///
/// What the sweeper misses is the bucket's lifecycle rule's: `arrived/` and unfinished multipart uploads expire after nine days. What we
/// make ourselves goes straight to `kept/…`, in parts where it is large.
struct S3ObjectStore: ObjectStore {
    private let bucket: S3Bucket
    private let parts: S3Parts
    /// Where arrived uploads are looked at.
    private let local: LocalObjectStore

    init(location: S3Location, http: HTTPClient, local: LocalObjectStore, now: @escaping @Sendable () -> Int) {
        bucket = S3Bucket(location: location, http: http, now: now)
        parts = S3Parts(bucket: bucket)
        self.local = local
    }

    private enum Place: String { case arrived, kept }

    private func key(_ place: Place, _ object: UUID) -> String {
        let name = object.text
        return place == .arrived ? "/arrived/\(name)" : "/kept/\(name.suffix(2))/\(name)"
    }

    // MARK: Presigned

    func uploadURL(_ grant: ObjectGrant) -> String {
        var request = bucket.request("PUT", key(.arrived, grant.object))
        request.headers = [("content-type", grant.contentType)]
        // A PUT has no other limit than the length that is signed.
        if case .exactly(let size)? = grant.size { request.headers.append(("content-length", "\(size)")) }
        return bucket.presigned(request, expiresAt: grant.expiresAt)
    }

    func partURLs(_ grants: [ObjectGrant]) async throws -> [String] {
        guard let first = grants.first else { return [] }
        guard let upload = try await parts.upload(of: key(.arrived, first.object)) else { throw ObjectGone() }
        return grants.map { grant in
            var request = bucket.request("PUT", key(.arrived, grant.object))
            request.query = [("partNumber", "\(grant.part?.number ?? 1)"), ("uploadId", upload.id)]
            request.headers = [("content-type", grant.contentType)]
            if case .exactly(let size)? = grant.size { request.headers.append(("content-length", "\(size)")) }
            return bucket.presigned(request, expiresAt: grant.expiresAt)
        }
    }

    func downloadURL(_ grant: ObjectGrant) -> String {
        var request = bucket.request("GET", key(.kept, grant.object))
        request.query = [("response-content-type", grant.servedType)]
        if let name = grant.fileName {
            request.query.append(("response-content-disposition", ExportFileName(of: name).contentDisposition))
        }
        return bucket.presigned(request, expiresAt: grant.expiresAt)
    }

    // MARK: Uploads

    func beginParts(of object: UUID, contentType: String) async throws {
        try await parts.begin(key(.arrived, object), contentType: contentType)
    }

    func arrivedParts(of object: UUID) async throws -> [Int] {
        guard let upload = try await parts.upload(of: key(.arrived, object)) else { return [] }
        return try await parts.list(upload)?.map(\.number) ?? []
    }

    func arrived(_ object: UUID, in division: ObjectParts?) async throws -> ArrivedObject? {
        // Where the upload is over, the object is there, or was there.
        if let division, let upload = try await parts.upload(of: key(.arrived, object)), let list = try await parts.list(upload) {
            let wanted = (1...division.count).map { (number: $0, size: division.size(of: $0)) }
            // One that was begun twice may be complete already while its twin is empty: the object itself tells.
            if list.elementsEqual(wanted, by: { $0.number == $1.number && $0.size == $1.size }) {
                try await parts.complete(upload, list)
            }
        }
        for place in [Place.arrived, .kept] {
            guard let (copy, version) = try await download(place, object) else { continue }
            return ArrivedObject(
                object: object, size: copy.size, sha256: copy.sha256, path: copy.path, version: place == .arrived ? version : nil)
        }
        return nil
    }

    /// A local copy, and which version of the object it is; `nil` where there is none.
    private func download(
        _ place: Place, _ object: UUID
    ) async throws -> (copy: (path: String, size: Int, sha256: [UInt8]), version: String?)? {
        var request = bucket.signed(.get, key(place, object))
        // It goes to the disk as it comes.
        request.maxResponseBytes = ObjectRoutes.largestUpload
        let answer = try await bucket.http.stream(request)
        if answer.status == .notFound { return nil }
        guard answer.status == .ok else {
            throw S3Bucket.failure(request, answer.status.code, try await answer.collect())
        }
        return (try await local.copy(answer.body), answer.headers["ETag"])
    }

    func forget(_ arrived: ArrivedObject) { local.forget(arrived.path) }

    func keep(_ arrived: ArrivedObject) async throws {
        // `nil`: it was copied before.
        guard let version = arrived.version else { return }
        let source = "/\(bucket.location.bucket)\(key(.arrived, arrived.object))"
        // What was looked at and nothing that came after it.
        let headers = [
            (name: "x-amz-copy-source", value: SigV4.encode(source, keepingSlashes: true)),
            (name: "x-amz-copy-source-if-match", value: version),
        ]
        let copy = bucket.signed(.put, key(.kept, arrived.object), headers: headers)
        guard try await bucket.sendSlow(copy, missing: [404, 412]) != nil else { throw ObjectGone() }
        _ = try await bucket.send(bucket.signed(.delete, key(.arrived, arrived.object)))
    }

    func discard(_ object: UUID) async throws {
        let key = key(.arrived, object)
        for upload in try await parts.uploads(below: String(key.dropFirst())) { try await parts.abort(upload) }
        _ = try await bucket.send(bucket.signed(.delete, key))
    }

    /// What clients left behind has rows, by which it is discarded; here go uploads in parts whose rows are gone, and our own whose
    /// process died.
    func sweep(olderThan age: Duration) async throws {
        try await local.sweep(olderThan: age)
        let oldest = Date(timeIntervalSince1970: Double(bucket.now()) - Double(age.components.seconds))
        for place in [Place.arrived, .kept] {
            for upload in try await parts.uploads(below: "\(place.rawValue)/") {
                if let began = RFC3339.parse(upload.initiated), began < oldest { try await parts.abort(upload) }
            }
        }
    }

    // MARK: Kept objects

    func put(_ bytes: [UInt8], as object: UUID) async throws {
        _ = try await bucket.send(bucket.signed(.put, key(.kept, object), body: bytes))
    }

    func read(_ object: UUID, atMost limit: Int) async throws -> [UInt8]? {
        var request = bucket.signed(.get, key(.kept, object))
        request.maxResponseBytes = limit
        return try await bucket.send(request)?.body
    }

    func fetch(_ object: UUID, to path: String) async throws -> Bool {
        guard let (copy, _) = try await download(.kept, object) else { return false }
        try await local.hand(over: copy.path, to: path)
        return true
    }

    /// A body is signed by its hash and so held whole; a large file goes in parts of which one is held at a time.
    func keep(file path: String, as object: UUID) async throws {
        let size = try await local.size(of: path)
        if size <= S3Parts.ownPartSize {
            try await put(local.piece(of: path, at: 0, count: size), as: object)
        } else {
            let type = "application/octet-stream"
            try await parts.send(key(.kept, object), contentType: type, size: size) { place, count in
                try await local.piece(of: path, at: place, count: count)
            }
        }
        try await local.remove(file: path)
    }

    /// Read as it was signed: the address may end before somebody fetches what it shows, and is a secret that is kept nowhere.
    func object(shownBy url: String) -> ShownObject {
        if let name = S3Name(url) { return object(named: name) }
        switch bucket.shown(by: url) {
        case .elsewhere: return .elsewhere
        case .refused: return .refused
        case .object(let path, let query):
            guard let object = path.split(separator: "/").last.flatMap({ UUID(text: String($0)) }),
                path == key(.kept, object), let type = query.first(where: { $0.name == "response-content-type" })?.value
            else { return .refused }
            return .object(object, mediaType: String(type.prefix { $0 != ";" }))
        }
    }

    /// Of our own places only what is kept, each under its one name; the rest of the bucket is as good as elsewhere.
    private func object(named name: S3Name) -> ShownObject {
        guard name.bucket == bucket.location.bucket else { return .elsewhere }
        let isOurs = [Place.arrived, .kept].contains { name.key.hasPrefix("/\($0.rawValue)/") }
        guard isOurs else { return .elsewhere }
        guard let object = name.key.split(separator: "/").last.flatMap({ UUID(text: String($0)) }), name.key == key(.kept, object)
        else { return .refused }
        return .named(object)
    }

    func address(of name: S3Name, seconds: Int) -> String? {
        // Never our own objects: those have owners.
        guard object(named: name) == .elsewhere else { return nil }
        let place = bucket.location
        let other = S3Bucket(
            location: S3Location(endpoint: place.endpoint, bucket: name.bucket, signer: place.signer), http: bucket.http,
            now: bucket.now)
        return other.presigned(other.request("GET", name.key), expiresAt: bucket.now() + seconds)
    }

    func remove(_ object: UUID) async throws { _ = try await bucket.send(bucket.signed(.delete, key(.kept, object))) }
}
