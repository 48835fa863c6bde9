import ConfigReading
import Cryptography
import Foundation
import Testing

func bytes(_ hex: String) throws -> [UInt8] { try #require(Hex.decode(hex.filter { !$0.isWhitespace })) }

@Suite struct HashTests {
    /// FIPS 180-4, example "abc"; and the empty message.
    @Test func sha256() {
        #expect(Hex.encode(SHA256.hash("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(Hex.encode(SHA256.hash("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    /// RFC 4231, test cases 1, 2, 3 and 6 (a key longer than a block), and an empty key.
    @Test func hmacSHA256() throws {
        let vectors = [
            (
                [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
            ),
            (
                [UInt8](repeating: 0xAA, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
            ([], [], "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
        ]
        for (key, message, code) in vectors {
            #expect(Hex.encode(HMAC.sha256(key: key, message)) == code)
            let prepared = HMACKey(key)
            for _ in 0..<2 { #expect(Hex.encode(prepared.code(of: message)) == code) }
        }
    }

    @Test func comparesInConstantTime() {
        #expect(constantTimeEquals([1, 2, 3], [1, 2, 3]))
        #expect(constantTimeEquals([], []))
        #expect(!constantTimeEquals([1, 2, 3], [1, 2, 4]))
        #expect(!constantTimeEquals([1, 2, 3], [1, 2]))
    }

    @Test func randomBytesDiffer() {
        #expect(Random.bytes(0).isEmpty)
        #expect(Random.bytes(32).count == 32)
        #expect(Set((0..<100).map { _ in Random.token() }).count == 100)
        #expect(Random.token().count == 43)
    }
}

@Suite struct TextCodingTests {
    /// RFC 4648 §10.
    @Test(
        arguments: zip(
            ["", "f", "fo", "foo", "foob", "fooba", "foobar"], ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]))
    func base64(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(plain.utf8))
        let unpadded = encoded.filter { $0 != "=" }
        #expect(Base64URL.encode(Array(plain.utf8)) == unpadded)
        #expect(Base64URL.decode(unpadded) == Array(plain.utf8))
    }

    @Test func agreesWithFoundation() {
        for count in 0..<70 {
            let bytes = Random.bytes(count)
            #expect(Base64.encode(bytes) == Data(bytes).base64EncodedString())
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        }
        #expect(Base64URL.encode([0xFB, 0xFF]) == "-_8")
    }

    @Test(arguments: ["A", "Zg==", "Zh", "Zm9", "+_8", "Zm 9v", "中文中文"])
    func base64URLIsStrict(text: String) { #expect(Base64URL.decode(text) == nil) }

    @Test(arguments: ["Zg", "Zg=", "Zh==", "Z===", "====", "-_8="])
    func base64IsStrict(text: String) { #expect(Base64.decode(text) == nil) }

    @Test func hex() {
        #expect(Hex.encode([0x00, 0x0F, 0xFF]) == "000fff")
        #expect(Hex.decode("000FfF") == [0x00, 0x0F, 0xFF])
        #expect(Hex.decode("0") == nil)
        #expect(Hex.decode("0g") == nil)
    }
}

@Suite struct Ed25519Tests {
    /// RFC 8032 §7.1, tests 1, 2 and 3.
    @Test(arguments: [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            """
            e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155
            5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b
            """
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
            """
            92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
            085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00
            """
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
            """
            6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
            18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a
            """
        ),
    ])
    func vectors(seed: String, publicKey: String, message: String, signature: String) throws {
        let key = try Ed25519.PrivateKey(seed: try bytes(seed))
        #expect(key.publicKey.raw == (try bytes(publicKey)))
        #expect(key.sign(try bytes(message)) == (try bytes(signature)))
        #expect(key.publicKey.verifies(try bytes(signature), of: try bytes(message)))
    }

    @Test func refusesWhatWasChanged() throws {
        let key = Ed25519.PrivateKey.generate()
        let message = Array("tenant".utf8)
        let signature = key.sign(message)
        #expect(key.publicKey.verifies(signature, of: message))
        #expect(!key.publicKey.verifies(signature, of: Array("Tenant".utf8)))
        #expect(!Ed25519.PrivateKey.generate().publicKey.verifies(signature, of: message))
        for index in [0, 31, 32, 63] {
            var changed = signature
            changed[index] ^= 1
            #expect(!key.publicKey.verifies(changed, of: message))
        }
        #expect(!key.publicKey.verifies([], of: message))
        #expect(!key.publicKey.verifies(signature + [0], of: message))
    }

    @Test func refusesKeysOfAnotherLength() {
        #expect(throws: Ed25519.InvalidKey.self) { try Ed25519.PrivateKey(seed: [1, 2, 3]) }
        #expect(throws: Ed25519.InvalidKey.self) { try Ed25519.PublicKey(raw: Random.bytes(33)) }
    }

    @Test func doesNotPrintTheKey() throws {
        let key = try Ed25519.PrivateKey(seed: [UInt8](repeating: 222, count: 32))
        var dumped = ""
        dump(key, to: &dumped)
        #expect(!"\(key) \(dumped)".contains("222"))
    }
}

@Suite struct AESGCMTests {
    /// McGrew and Viega, "The Galois/Counter Mode of Operation" (the vectors of NIST's validation), test cases 13, 14 and 16.
    @Test(arguments: [
        (
            "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "", "", "",
            "530f8afbc74536b9a963b4f1c4cb738b"
        ),
        (
            "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "",
            "00000000000000000000000000000000", "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"
        ),
        (
            "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
            "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            """
            d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525
            b16aedf5aa0de657ba637b39
            """,
            """
            522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838
            c5f61e6393ba7a0abcc9f662
            """, "76fc6ece0f4e1768cddf8853bb2d551b"
        ),
    ])
    func vectors(key: String, nonce: String, context: String, plain: String, cipher: String, tag: String) throws {
        let key = try AESGCM.Key(try bytes(key))
        let expected = try bytes(nonce + cipher + tag)
        #expect(AESGCM.seal(try bytes(plain), key: key, context: try bytes(context), nonce: try bytes(nonce)) == expected)
        #expect(try AESGCM.open(expected, key: key, context: try bytes(context)) == (try bytes(plain)))
    }

    @Test func opensOnlyWhatIsWhole() throws {
        let key = AESGCM.Key.generate()
        let sealed = AESGCM.seal(Array("13800138000".utf8), key: key, context: [1])
        #expect(try AESGCM.open(sealed, key: key, context: [1]) == Array("13800138000".utf8))
        #expect(throws: AESGCM.Failure.notAuthentic) { try AESGCM.open(sealed, key: key, context: [2]) }
        #expect(throws: AESGCM.Failure.notAuthentic) { try AESGCM.open(sealed, key: .generate(), context: [1]) }
        #expect(throws: AESGCM.Failure.notAuthentic) { try AESGCM.open(sealed.dropLast(), key: key, context: [1]) }
        #expect(throws: AESGCM.Failure.notAuthentic) { try AESGCM.open([1, 2, 3], key: key) }
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 0x80
            #expect(throws: AESGCM.Failure.notAuthentic) { try AESGCM.open(changed, key: key, context: [1]) }
        }
    }

    @Test func neverSealsTheSameWayTwice() throws {
        let key = AESGCM.Key.generate()
        #expect(Set((0..<50).map { _ in AESGCM.seal([1, 2, 3], key: key) }).count == 50)
        #expect(throws: AESGCM.Failure.invalidKey) { try AESGCM.Key(Random.bytes(16)) }
    }

    @Test func ringOpensWithOldKeysAndSealsWithTheCurrentOne() throws {
        let (old, new) = (Base64.encode(Random.bytes(32)), Base64.encode(Random.bytes(32)))
        let before = try KeyRing(setting: Secret("k1=\(old)"))
        let after = try KeyRing(setting: Secret("k2=\(new),k1=\(old)"))
        let sealed = before.seal(Array("token".utf8), context: [7])
        #expect(sealed.keyId == "k1")
        #expect(try after.open(sealed, context: [7]) == Array("token".utf8))
        #expect(after.needsResealing(sealed))
        let resealed = after.seal(Array("token".utf8), context: [7])
        #expect(resealed.keyId == "k2" && !after.needsResealing(resealed))
        #expect(throws: KeyRing.Failure.unknownKey("k2")) { try before.open(resealed, context: [7]) }
        // Relabelling the ciphertext does not help.
        #expect(throws: KeyRing.Failure.notAuthentic) {
            try after.open(.init(keyId: "k1", ciphertext: resealed.ciphertext), context: [7])
        }
    }

    @Test(arguments: [
        "", "k1", "=abc", "k1=YWJj", "k1=\(String(repeating: "A", count: 43))=,k1=\(String(repeating: "A", count: 43))=",
    ])
    func ringRefusesMalformedSettings(text: String) {
        let error = #expect(throws: KeyRing.Failure.self) { try KeyRing(setting: Secret(text)) }
        #expect(!"\(String(describing: error))".contains("YWJj"))
    }
}
