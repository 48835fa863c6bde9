import Cryptography
import FoundationEssentials
import Observability

/// Opens the HLS playlists of one media job to whoever holds it, until an instant: a player in a page knows no sign-in, and asks for one
/// playlist after the other.
struct PlaylistPass: Sendable, Equatable {
    var tenantId: UUID
    var job: UUID
    /// Seconds since 1970, the last that counts.
    var expiresAt: Int
}

/// Writes and reads passes. They are sealed rather than signed, because they lead to the tenant, whom no address names.
struct PlaylistPasses: Sendable {
    private let key: AESGCM.Key
    /// Of the object listener, without a slash at its end.
    private let publicURL: String
    private static let context = Array("playlist.v1".utf8)

    /// - Parameter objectKey: that of the signed URLs; the passes' own is made from it.
    init(objectKey: [UInt8], publicURL: String) {
        guard let key = try? AESGCM.Key(HMACKey(objectKey).code(of: Self.context)) else {
            preconditionFailure("HMAC-SHA256 has 32 bytes, as the key has")
        }
        self.key = key
        self.publicURL = publicURL
    }

    /// `{publicURL}/hls/{playlist}?pass=…`
    func url(_ playlist: String, _ pass: PlaylistPass) -> String { "\(publicURL)/hls/\(playlist)?\(Self.query(seal(pass)))" }

    /// With which a playlist beside this one is asked for.
    static func query(_ pass: String) -> String { "pass=\(pass)" }

    private func seal(_ pass: PlaylistPass) -> String {
        let text = "\(pass.tenantId.text) \(pass.job.text) \(pass.expiresAt)"
        return Base64URL.encode(AESGCM.seal(Array(text.utf8), key: key, context: Self.context))
    }

    /// - Parameter now: seconds since 1970.
    func open(_ sealed: String, now: Int) throws(ObjectSigner.Refusal) -> PlaylistPass {
        guard let bytes = Base64URL.decode(sealed), let opened = try? AESGCM.open(bytes, key: key, context: Self.context) else {
            throw .invalid
        }
        let parts = String(decoding: opened, as: UTF8.self).split(separator: " ").map(String.init)
        guard parts.count == 3, let tenantId = UUID(text: parts[0]), let job = UUID(text: parts[1]), let expiresAt = Int(parts[2])
        else { throw .invalid }
        guard now <= expiresAt else { throw .expired }
        return PlaylistPass(tenantId: tenantId, job: job, expiresAt: expiresAt)
    }
}
