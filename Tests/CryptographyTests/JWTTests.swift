import Cryptography
import Foundation
import Testing

private struct Claims: Codable, Equatable, RegisteredClaims {
    var iss = "gateway-bff"
    var aud = "content-center"
    var exp = 1_060
    var iat = 1_000
    var nbf: Int?
    var note = "a/b 中"
}

@Suite struct JWTTests {
    private let key = Ed25519.PrivateKey.generate()
    private var keys: [String: Ed25519.PublicKey] { ["k": key.publicKey] }

    /// RFC 8037, appendix A.4: the signature of "Example of Ed25519 signing" by the key of A.1.
    @Test func signsAsTheStandardShows() throws {
        let seed = try #require(Base64URL.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"))
        let key = try Ed25519.PrivateKey(seed: seed)
        #expect(Base64URL.encode(key.publicKey.raw) == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
        let signature = key.sign(Array("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".utf8))
        #expect(
            Base64URL.encode(signature)
                == "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")
    }

    @Test func readsWhatItSigned() throws {
        let token = try JWT.sign(claims: Claims(), key: key, keyId: "k")
        #expect(try JWT.verify(token, as: Claims.self, keys: keys) == Claims())
        let parts = token.split(separator: ".")
        #expect(parts.count == 3)
        let header = try #require(Base64URL.decode(parts[0]))
        #expect(String(decoding: header, as: UTF8.self) == #"{"alg":"EdDSA","kid":"k","typ":"JWT"}"#)
    }

    @Test func refusesEveryOtherAlgorithm() throws {
        let payload = Base64URL.encode(Array(try JSONEncoder().encode(Claims())))
        for algorithm in ["none", "None", "NONE", "", "HS256", "RS256", "ES256", "eddsa", "Ed25519"] {
            let header = Base64URL.encode(Array(#"{"alg":"\#(algorithm)","kid":"k"}"#.utf8))
            let signed = Array("\(header).\(payload)".utf8)
            // Unsigned; signed with the right key; and the classic: HMAC keyed with the public key.
            for signature in [[], key.sign(signed), HMAC.sha256(key: key.publicKey.raw, signed)] {
                #expect(throws: JWT.Failure.unsupported) {
                    try JWT.verify("\(header).\(payload).\(Base64URL.encode(signature))", as: Claims.self, keys: keys)
                }
            }
        }
    }

    @Test func refusesHMACUnderTheRightName() throws {
        let header = Base64URL.encode(Array(#"{"alg":"EdDSA","kid":"k"}"#.utf8))
        let payload = Base64URL.encode(Array(try JSONEncoder().encode(Claims())))
        let mac = HMAC.sha256(key: key.publicKey.raw, Array("\(header).\(payload)".utf8))
        for signature in [mac, mac + mac, []] {
            #expect(throws: JWT.Failure.badSignature) {
                try JWT.verify("\(header).\(payload).\(Base64URL.encode(signature))", as: Claims.self, keys: keys)
            }
        }
    }

    @Test func refusesUnknownKeysAndKeysOfOthers() throws {
        let token = try JWT.sign(claims: Claims(), key: .generate(), keyId: "k")
        #expect(throws: JWT.Failure.badSignature) { try JWT.verify(token, as: Claims.self, keys: keys) }
        let foreign = try JWT.sign(claims: Claims(), key: key, keyId: "other")
        #expect(throws: JWT.Failure.unknownKey) { try JWT.verify(foreign, as: Claims.self, keys: keys) }
        let nameless = Base64URL.encode(Array(#"{"alg":"EdDSA"}"#.utf8))
        #expect(throws: JWT.Failure.unknownKey) { try JWT.verify("\(nameless).e30.AAAA", as: Claims.self, keys: keys) }
    }

    @Test func refusesCriticalExtensions() throws {
        let header = Base64URL.encode(Array(#"{"alg":"EdDSA","kid":"k","crit":["exp"]}"#.utf8))
        let signature = key.sign(Array("\(header).e30".utf8))
        #expect(throws: JWT.Failure.unsupported) {
            try JWT.verify("\(header).e30.\(Base64URL.encode(signature))", as: Claims.self, keys: keys)
        }
    }

    @Test func noticesEveryChangedCharacter() throws {
        let token = try JWT.sign(claims: Claims(), key: key, keyId: "k")
        for index in token.indices where token[index] != "." {
            var changed = token
            changed.replaceSubrange(index...index, with: token[index] == "A" ? "B" : "A")
            #expect(throws: JWT.Failure.self) { try JWT.verify(changed, as: Claims.self, keys: keys) }
        }
    }

    @Test(arguments: ["", ".", "..", "a.b", "a.b.c.d", "e30.e30.", "!.!.!", String(repeating: "a", count: 9_000)])
    func refusesMalformedTokens(token: String) {
        #expect(throws: JWT.Failure.self) { try JWT.verify(token, as: Claims.self, keys: keys) }
    }

    @Test func refusesClaimsThatAreMissing() throws {
        let token = try JWT.sign(claims: ["iss": "x"], key: key, keyId: "k")
        #expect(throws: JWT.Failure.malformed) { try JWT.verify(token, as: Claims.self, keys: keys) }
    }

    // MARK: - Registered claims

    private func check(_ claims: Claims, now: Int, audience: String = "content-center", issuer: String = "gateway-bff") throws {
        try claims.check(issuer: issuer, audience: audience, lifetime: 60, now: now)
    }

    @Test func acceptsTokensInTheirTime() throws {
        for now in [995, 1_000, 1_059, 1_064] { try check(Claims(), now: now) }
        #expect(throws: JWT.Failure.expired) { try check(Claims(), now: 1_065) }
        #expect(throws: JWT.Failure.notYetValid) { try check(Claims(), now: 994) }
        #expect(throws: JWT.Failure.notYetValid) { try check(Claims(nbf: 1_030), now: 1_000) }
    }

    @Test func checksIssuerAndAudience() throws {
        #expect(throws: JWT.Failure.wrongAudience) { try check(Claims(), now: 1_000, audience: "agent-center") }
        #expect(throws: JWT.Failure.wrongIssuer) { try check(Claims(), now: 1_000, issuer: "agent-center") }
    }

    @Test func enforcesTheLongestLifetime() throws {
        #expect(throws: JWT.Failure.lifetimeTooLong) { try check(Claims(exp: 1_061), now: 1_000) }
        #expect(throws: JWT.Failure.lifetimeTooLong) { try check(Claims(exp: 9_999_999), now: 1_000) }
        #expect(throws: JWT.Failure.lifetimeTooLong) { try check(Claims(exp: 1_050, iat: .min), now: 1_000) }
    }

    @Test func keySetHasTheFormOfTheStandard() throws {
        let encoded = try JSONEncoder().encode(JWKS(["b": key.publicKey, "a": key.publicKey]))
        let object = try #require(try JSONSerialization.jsonObject(with: encoded) as? [String: [[String: String]]])
        #expect(object["keys"]?.map { $0["kid"] } == ["a", "b"])
        #expect(
            object["keys"]?.first == [
                "kty": "OKP", "crv": "Ed25519", "x": Base64URL.encode(key.publicKey.raw), "kid": "a", "use": "sig",
                "alg": "EdDSA",
            ])
    }
}
