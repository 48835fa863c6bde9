import ConcurrencySupport
import Cryptography
import FoundationEssentials
import HTTPCalling
import HTTPCore
import HTTPServing

/// Where an S3 bucket is, and who we are there.
struct S3Location: Sendable {
    /// Without bucket; path style.
    let endpoint: String
    let bucket: String
    let signer: SigV4
}

/// A bucket: our own signed calls, and addresses that others may use for a while.
struct S3Bucket: Sendable {
    struct Failed: Error, CustomStringConvertible {
        let method: String
        let status: Int
        let answer: String

        var description: String { "S3 answered \(method) with \(status): \(answer)" }
    }

    typealias Pairs = [(name: String, value: String)]

    let location: S3Location
    let http: HTTPClient
    /// Seconds since 1970.
    let now: @Sendable () -> Int

    /// Host and path as S3 sees them: an endpoint may have a path of its own.
    ///
    /// - Parameter key: with its leading slash; empty for the bucket itself.
    func request(_ method: String, _ key: String) -> SigV4.Request {
        let afterScheme =
            location.endpoint.firstRange(of: "://").map { location.endpoint[$0.upperBound...] } ?? location.endpoint[...]
        let slash = afterScheme.firstIndex(of: "/") ?? afterScheme.endIndex
        return SigV4.Request(
            method: method, host: String(afterScheme[..<slash]), path: "\(afterScheme[slash...])/\(location.bucket)\(key)")
    }

    private func url(_ request: SigV4.Request) -> String {
        let scheme = location.endpoint.hasPrefix("https://") ? "https" : "http"
        return "\(scheme)://\(request.host)\(SigV4.encode(request.path, keepingSlashes: true))"
    }

    /// - Parameter expiresAt: seconds since 1970; S3 signs for a week at most.
    func presigned(_ request: SigV4.Request, expiresAt: Int) -> String {
        let date = now()
        let expires = min(SigV4.longestExpiry, max(1, expiresAt - date))
        return "\(url(request))?\(location.signer.presignedQuery(request, date: date, expires: expires))"
    }

    /// What an address that we presigned shows.
    enum Shown {
        case elsewhere
        /// It leads into this bucket, but its signature is wrong or its time is over.
        case refused
        /// - key: with its leading slash.
        case object(key: String, query: Pairs)
    }

    func shown(by address: String) -> Shown {
        let base = url(request("GET", ""))
        guard address.hasPrefix(base + "/") else { return .elsewhere }
        let asked = Request(.get, String(address.dropFirst(base.count)))
        func value(_ name: String) -> String? { asked.query.first { $0.name == name }?.value }
        guard let raw = address.firstIndex(of: "?").map({ address[address.index(after: $0)...] }),
            let date = value("X-Amz-Date").flatMap(SigV4.seconds), let expires = value("X-Amz-Expires").flatMap({ Int($0) }),
            (1...SigV4.longestExpiry).contains(expires), now() < date + expires
        else { return .refused }
        let key = "/" + asked.pathSegments.joined(separator: "/")
        var signed = request("GET", key)
        signed.query = asked.query.filter { !$0.name.hasPrefix("X-Amz-") }
        let wanted = location.signer.presignedQuery(signed, date: date, expires: expires)
        guard constantTimeEquals(Array(wanted.utf8), Array(raw.utf8)) else { return .refused }
        return .object(key: key, query: signed.query)
    }

    func signed(_ method: HTTPMethod, _ key: String, query: Pairs = [], headers: Pairs = [], body: [UInt8] = []) -> ClientRequest
    {
        var request = request(method.rawValue, key)
        request.query = query
        request.headers = headers
        let hash = Hex.encode(SHA256.hash(body))
        var all = HTTPHeaders()
        for (name, value) in headers + location.signer.authorization(request, payloadHash: hash, date: now()) {
            all.add(name, value)
        }
        let target = query.isEmpty ? url(request) : "\(url(request))?\(SigV4.canonical(query))"
        return ClientRequest(
            method, target, headers: all, body: body.isEmpty ? .none : .bytes(body), deadline: .after(.seconds(600)))
    }

    /// - Parameter missing: statuses that say that it is not there.
    /// - Returns: `nil` for those.
    func send(_ request: ClientRequest, missing: Set<Int> = [404]) async throws -> ClientResponse? {
        let answer = try await http.send(request)
        if missing.contains(answer.status.code) { return nil }
        guard answer.status.isSuccess else {
            throw Self.failure(request, answer.status.code, answer.body)
        }
        return answer
    }

    /// A call that S3 may begin to answer with 200 before it knows how it ends: what has failed then says so in its body.
    func sendSlow(_ request: ClientRequest, missing: Set<Int> = [404]) async throws -> ClientResponse? {
        guard let answer = try await send(request, missing: missing) else { return nil }
        guard S3XML(answer.body).first("Error") == nil else {
            throw Self.failure(request, answer.status.code, answer.body)
        }
        return answer
    }

    static func failure(_ request: ClientRequest, _ status: Int, _ body: [UInt8]) -> Failed {
        Failed(method: request.method.rawValue, status: status, answer: String(decoding: body.prefix(500), as: UTF8.self))
    }
}
