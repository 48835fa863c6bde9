import Cryptography
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability

/// The object listener's bytes: received and served under signed URLs. They know no tokens, no tenants and no tables; playlists, which do,
/// are ``MediaJobsRoutes/openPlaylist(_:)``'s.
struct ObjectRoutes: Sendable {
    /// S3 takes as much in one PUT.
    static let largestUpload = 5 << 30

    let objects: LocalObjectStore
    let signer: ObjectSigner
    /// Seconds since 1970.
    let now: @Sendable () -> Int

    init(objects: LocalObjectStore, signer: ObjectSigner, now: @escaping @Sendable () -> Int = Self.clock) {
        self.objects = objects
        self.signer = signer
        self.now = now
    }

    static let clock: @Sendable () -> Int = { Int(Date().timeIntervalSince1970) }

    /// Browsers come from the console's address. Whoever holds a URL may use it from anywhere: no cookies are looked at.
    static let answerHeaders: HTTPHeaders = [
        "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET, HEAD, PUT, OPTIONS",
        "Access-Control-Allow-Headers": "Content-Type, Range, If-Range, If-None-Match",
        "Access-Control-Expose-Headers": "ETag, Content-Range, Content-Length, Accept-Ranges, X-Request-Id",
        "Cross-Origin-Resource-Policy": "cross-origin", "X-Content-Type-Options": "nosniff",
        // A stored page or drawing must not run anything, wherever it is opened.
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; media-src 'self'; sandbox",
        "Referrer-Policy": "no-referrer",
    ]

    func register(on router: inout Router) {
        router.on(.get, "/objects/{id}", options: RouteOptions(deadline: .seconds(20), flow: "AssetUpload"), serve)
        router.on(
            .put, "/objects/{id}",
            options: RouteOptions(
                deadline: .seconds(6 * 3_600), maxBodyBytes: Self.largestUpload, streamsBody: true, flow: "AssetUpload"), receive)
    }

    /// `GET /objects/{id}`, with ranges.
    func serve(_ request: Request) async throws -> Response {
        let grant = try grant(.get, request)
        guard let file = try await objects.open(grant.object) else { throw NotFound() }
        var headers: HTTPHeaders = ["Content-Type": grant.servedType]
        headers["Cache-Control"] = "private, max-age=\(max(0, grant.expiresAt - now())), immutable"
        if let name = grant.fileName { headers["Content-Disposition"] = ExportFileName(of: name).contentDisposition }
        // Bytes never change under an id.
        return try .file(file, entityTag: "\"\(grant.object.text)\"", headers: headers, for: request)
    }

    /// `PUT /objects/{id}`, the bytes as the body.
    func receive(_ request: Request) async throws -> Response {
        let grant = try grant(.put, request)
        guard request.headers["Content-Type"] == grant.contentType else { throw ObjectFailure.wrongType }
        let length = request.headers["Content-Length"].flatMap { Int($0) }
        switch grant.size {
        case .exactly(let size): if let length, length != size { throw ObjectFailure.wrongSize }
        case .atMost(let most): if let length, length > most { throw ContentTooLarge(limit: most) }
        case nil: throw ObjectFailure.signatureInvalid
        }
        let sha256 = try await objects.receive(request.incoming, as: grant)
        return Response(.ok, headers: ["ETag": "\"\(Hex.encode(sha256))\""])
    }

    private func grant(_ method: ObjectGrant.Method, _ request: Request) throws -> ObjectGrant {
        do {
            return try signer.grant(method, object: request.parameters.string("id"), query: request.query, now: now())
        } catch let refusal as ObjectSigner.Refusal { throw ObjectFailure(refusal) }
    }
}
