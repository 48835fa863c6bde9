import ConfigReading
import Cryptography
import FoundationEssentials
import ServiceDefaults

/// Every key that gateway-bff reads, beside those of ``CommonSettings``. Each key also as `KEY_FILE`.
///
/// | key | meaning | default |
/// |---|---|---|
/// | `ACCESS_TOKEN_SIGNING_KEY` | Ed25519 seed that signs access tokens, 32 bytes in base64; secret | – |
/// | `ACCESS_TOKEN_LIFETIME` | how long an access token is good for | `15m` |
/// | `PUBLIC_URL` | the issuer in access tokens: this gateway as clients see it | `http://127.0.0.1:8080` |
/// | `TRUSTED_PROXIES` | CIDR blocks whose `X-Forwarded-For` is believed | none |
/// | `RATE_LIMIT_SCALE` | multiplies the standard budgets | `1` |
struct Settings: ServiceSettings {
    let common: CommonSettings
    let accessTokenKey: Ed25519.PrivateKey
    let accessTokenLifetime: Duration
    let publicURL: String
    let trustedProxies: [AddressBlock]
    let rateLimitScale: Int

    init(from reader: inout EnvironmentReader) {
        common = CommonSettings(for: .gatewayBFF, from: &reader)
        accessTokenKey = Self.signingKey(from: &reader)
        accessTokenLifetime = reader.duration("ACCESS_TOKEN_LIFETIME", default: .seconds(900))
        publicURL = reader.url("PUBLIC_URL", default: "http://127.0.0.1:8080")
        trustedProxies = reader.list("TRUSTED_PROXIES", default: []).compactMap { text in
            guard let block = AddressBlock(text) else {
                reader.report("TRUSTED_PROXIES", "has '\(text)', which is no address block")
                return nil
            }
            return block
        }
        rateLimitScale = reader.int("RATE_LIMIT_SCALE", default: 1, in: 1...1_000_000)
    }

    private static func signingKey(from reader: inout EnvironmentReader) -> Ed25519.PrivateKey {
        let text = reader.secret("ACCESS_TOKEN_SIGNING_KEY")
        if let seed = Base64.decode(text.exposed), let key = try? Ed25519.PrivateKey(seed: seed) { return key }
        // Where it is missing the reader has said so already.
        if !text.exposed.isEmpty { reader.report("ACCESS_TOKEN_SIGNING_KEY", "is not 32 bytes in base64") }
        return .generate()
    }
}
