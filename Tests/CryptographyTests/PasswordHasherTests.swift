import Testing

@testable import Cryptography

@Suite struct PasswordHasherTests {
    private let cheap = PasswordHasher(cost: .init(memoryKiB: 64, iterations: 1), threads: 1)

    /// The test of the reference implementation (phc-winner-argon2, `src/test.c`, Argon2id, version 0x13): t=2, m=2^8, p=1, "password", "somesalt".
    @Test func agreesWithTheReferenceImplementation() throws {
        #expect(
            try PasswordHasher.encode("password", cost: .init(memoryKiB: 256, iterations: 2), salt: Array("somesalt".utf8))
                == "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4")
    }

    @Test func verifiesOnlyTheRightPassword() async throws {
        let encoded = try await cheap.hash("correct horse 马")
        #expect(encoded.hasPrefix("$argon2id$v=19$m=64,t=1,p=1$"))
        #expect(try await cheap.verify("correct horse 马", against: encoded))
        #expect(try await cheap.verify("correct horse", against: encoded) == false)
        #expect(try await cheap.verify("", against: encoded) == false)
        #expect(try await cheap.hash("correct horse 马") != encoded)
    }

    @Test func worksForAPasswordOfNoLength() async throws {
        let encoded = try await cheap.hash("")
        #expect(try await cheap.verify("", against: encoded))
        #expect(try await cheap.verify("x", against: encoded) == false)
    }

    @Test(arguments: ["", "plain", "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ", "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$AAAA"])
    func malformedHashesAreFalse(encoded: String) async throws {
        #expect(try await cheap.verify("password", against: encoded) == false)
    }

    @Test func anAbsentAccountIsFalse() async throws { #expect(try await cheap.verify("password", against: nil) == false) }

    @Test func knowsHashesOfAnotherCost() async throws {
        let encoded = try await cheap.hash("x")
        #expect(!cheap.needsRehash(encoded))
        #expect(PasswordHasher().needsRehash(encoded))
    }

    @Test func standardCostIsWhatTheStandardSays() async throws {
        let encoded = try await PasswordHasher(threads: 1).hash("x")
        #expect(encoded.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
    }
}
