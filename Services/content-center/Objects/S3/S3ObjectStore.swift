import ConcurrencySupport
import ConfigReading
import Cryptography
import FoundationEssentials
import Glibc
import HTTPCalling
import HTTPCore

/// Where an S3 bucket is, and who we are there.
struct S3Location: Sendable {
    /// Without bucket; path style.
    let endpoint: String
    let bucket: String
    let signer: SigV4
}

/// Objects in an S3 bucket: clients send to `arrived/…` and read `kept/…` by presigned URLs; only we copy from one to the other, and only
/// what we have looked at.
///
/// Uploads that nobody completes are the bucket's lifecycle rule's: expire `arrived/` after two days.
struct S3ObjectStore: ObjectStore {
    struct Failed: Error, CustomStringConvertible {
        let method: String
        let status: Int
        let answer: String

        var description: String { "S3 answered \(method) with \(status): \(answer)" }
    }

    let location: S3Location
    let http: HTTPClient
    /// Where arrived uploads are looked at.
    let local: LocalObjectStore
    let now: @Sendable () -> Int

    var takesParts: Bool { false }

    private enum Place: String { case arrived, kept }

    private func path(_ place: Place, _ object: UUID) -> String {
        let name = object.uuidString.lowercased()
        return place == .arrived ? "/arrived/\(name)" : "/kept/\(name.suffix(2))/\(name)"
    }

    /// Host and path as S3 sees them: an endpoint may have a path of its own.
    private func request(_ method: String, _ path: String) -> SigV4.Request {
        let afterScheme =
            location.endpoint.firstRange(of: "://").map { location.endpoint[$0.upperBound...] } ?? location.endpoint[...]
        let slash = afterScheme.firstIndex(of: "/") ?? afterScheme.endIndex
        return SigV4.Request(
            method: method, host: String(afterScheme[..<slash]), path: "\(afterScheme[slash...])/\(location.bucket)\(path)")
    }

    private func url(_ request: SigV4.Request) -> String {
        let scheme = location.endpoint.hasPrefix("https://") ? "https" : "http"
        return "\(scheme)://\(request.host)\(SigV4.encode(request.path, keepingSlashes: true))"
    }

    // MARK: Presigned

    func uploadURL(_ grant: ObjectGrant) -> String {
        var request = request("PUT", path(.arrived, grant.object))
        request.headers = [("content-type", grant.contentType)]
        // A PUT has no other limit than the length that is signed.
        if case .exactly(let size)? = grant.size { request.headers.append(("content-length", "\(size)")) }
        return presigned(request, grant)
    }

    func downloadURL(_ grant: ObjectGrant) -> String {
        var request = request("GET", path(.kept, grant.object))
        request.query = [("response-content-type", grant.contentType)]
        if let name = grant.fileName {
            request.query.append(("response-content-disposition", ExportFileName(of: name).contentDisposition))
        }
        return presigned(request, grant)
    }

    private func presigned(_ request: SigV4.Request, _ grant: ObjectGrant) -> String {
        let date = now()
        let expires = min(SigV4.longestExpiry, max(1, grant.expiresAt - date))
        return "\(url(request))?\(location.signer.presignedQuery(request, date: date, expires: expires))"
    }

    // MARK: Our own calls

    private func signed(
        _ method: HTTPMethod, _ place: Place, _ object: UUID, headers: [(name: String, value: String)] = [], body: [UInt8] = []
    ) -> ClientRequest {
        var request = request(method.rawValue, path(place, object))
        request.headers = headers
        let hash = Hex.encode(SHA256.hash(body))
        var all = HTTPHeaders()
        for (name, value) in headers + location.signer.authorization(request, payloadHash: hash, date: now()) {
            all.add(name, value)
        }
        return ClientRequest(
            method, url(request), headers: all, body: body.isEmpty ? .none : .bytes(body), deadline: .after(.seconds(600)))
    }

    /// - Returns: `nil` for 404.
    private func send(_ request: ClientRequest, missing: Set<Int> = [404]) async throws -> ClientResponse? {
        let answer = try await http.send(request)
        if missing.contains(answer.status.code) { return nil }
        guard answer.status.isSuccess else {
            throw Failed(
                method: request.method.rawValue, status: answer.status.code,
                answer: String(decoding: answer.body.prefix(500), as: UTF8.self))
        }
        return answer
    }

    func arrived(_ object: UUID, in parts: ObjectParts?) async throws -> ArrivedObject? {
        guard parts == nil else { return nil }
        for place in [Place.arrived, .kept] {
            let answer = try await http.stream(signed(.get, place, object))
            if answer.status == .notFound { continue }
            guard answer.status == .ok else {
                throw Failed(
                    method: "GET", status: answer.status.code,
                    answer: String(decoding: try await answer.collect().prefix(500), as: UTF8.self))
            }
            let copy = try await local.copy(answer.body)
            return ArrivedObject(
                object: object, size: copy.size, sha256: copy.sha256, path: copy.path,
                version: place == .arrived ? answer.headers["ETag"] : nil)
        }
        return nil
    }

    func arrivedParts(of object: UUID) async throws -> [Int] { [] }

    func keep(_ arrived: ArrivedObject) async throws {
        defer { local.forget(arrived.path) }
        // `nil`: it was copied before.
        guard let version = arrived.version else { return }
        let source = "/\(location.bucket)\(path(.arrived, arrived.object))"
        // What was looked at and nothing that came after it.
        let headers = [
            (name: "x-amz-copy-source", value: SigV4.encode(source, keepingSlashes: true)),
            (name: "x-amz-copy-source-if-match", value: version),
        ]
        guard try await send(signed(.put, .kept, arrived.object, headers: headers), missing: [404, 412]) != nil else {
            throw ObjectGone()
        }
        _ = try await send(signed(.delete, .arrived, arrived.object))
    }

    func discard(_ object: UUID) async throws { _ = try await send(signed(.delete, .arrived, object)) }

    func put(_ bytes: [UInt8], as object: UUID) async throws { _ = try await send(signed(.put, .kept, object, body: bytes)) }

    func read(_ object: UUID, atMost limit: Int) async throws -> [UInt8]? {
        var request = signed(.get, .kept, object)
        request.maxResponseBytes = limit
        return try await send(request)?.body
    }

    func fetch(_ object: UUID, to path: String) async throws -> Bool {
        let answer = try await http.stream(signed(.get, .kept, object))
        if answer.status == .notFound { return false }
        guard answer.status == .ok else {
            throw Failed(
                method: "GET", status: answer.status.code,
                answer: String(decoding: try await answer.collect().prefix(500), as: UTF8.self))
        }
        let copy = try await local.copy(answer.body)
        try await local.hand(over: copy.path, to: path)
        return true
    }

    /// One PUT, whose body is signed by its hash and so held whole: of at most ``largestMade``.
    func keep(file path: String, as object: UUID) async throws {
        guard let bytes = try await local.take(path, atMost: Self.largestMade) else { throw TooLargeToKeep() }
        try await put(bytes, as: object)
    }

    static let largestMade = 1 << 30

    struct TooLargeToKeep: Error {}

    func remove(_ object: UUID) async throws { _ = try await send(signed(.delete, .kept, object)) }

    func sweep(olderThan age: Duration) async throws { try await local.sweep(olderThan: age) }
}
