import Foundation
import HTTPCore
import HTTPServing
import Testing

@testable import ContentCenter

/// A pass is worth what was sealed, until its time is over.
@Suite struct PlaylistPassTests {
    static let passes = PlaylistPasses(objectKey: [UInt8](repeating: 1, count: 32), publicURL: "https://media.example")
    static let pass = PlaylistPass(tenantId: UUID(), job: UUID(), expiresAt: 1_000)

    private func sealed() throws -> String {
        let url = Self.passes.url("master.m3u8", Self.pass)
        let begin = "https://media.example/hls/master.m3u8?pass="
        #expect(url.hasPrefix(begin))
        return String(url.dropFirst(begin.count))
    }

    @Test func aPassIsReadUntilItsLastSecond() throws {
        let sealed = try sealed()
        #expect(try Self.passes.open(sealed, now: 1_000) == Self.pass)
        #expect(throws: ObjectSigner.Refusal.expired) { try Self.passes.open(sealed, now: 1_001) }
    }

    @Test func itNamesNoTenantAndIsAnotherEachTime() throws {
        let sealed = try sealed()
        #expect(try sealed != self.sealed())
        #expect(!sealed.contains(Self.pass.tenantId.uuidString.lowercased()))
    }

    @Test func whatWasChangedOrIsAnothersOpensNothing() throws {
        let sealed = try sealed()
        let others = PlaylistPasses(objectKey: [UInt8](repeating: 2, count: 32), publicURL: "https://media.example")
        #expect(throws: ObjectSigner.Refusal.invalid) { try others.open(sealed, now: 0) }
        var last = Array(sealed)
        last[10] = last[10] == "A" ? "B" : "A"
        for text in [String(last), String(sealed.dropLast()), "", "=", sealed + "A"] {
            #expect(throws: ObjectSigner.Refusal.invalid) { try Self.passes.open(text, now: 0) }
        }
    }

    /// As a player does: what the address shows, and what that names beside itself.
    static func playsWithoutASignIn(_ address: String, _ service: ContentCenterHarness) async throws {
        let master = try await service.get(address)
        #expect(
            master.headers["Content-Type"] == "application/vnd.apple.mpegurl"
                && master.headers["Access-Control-Allow-Origin"] == "*")
        let name = try #require(master.text.split(separator: "\n").last.map(String.init))
        #expect(name.hasPrefix("240p.m3u8?pass="))
        let rate = try await service.get("/hls/\(name)")
        let segments = try #require(rate.text.split(separator: "\n").first { $0.hasPrefix("http") }.map(String.init))
        #expect(try await service.get(segments, headers: ["Range": "bytes=0-99"]).status == .partialContent)
        let target = ContentCenterHarness.target(address)
        // A pass opens its own job's playlists, whole, and nothing else.
        #expect(try await service.get(target.replacing("master", with: "720p")).status == .notFound)
        for spoilt in [target + "A", String(target.dropLast(2)), "/hls/master.m3u8", target + "&pass=x", target + "&x=1"] {
            let refused = try await service.get(spoilt)
            #expect(refused.status == .forbidden && refused.text.contains("object.signature_invalid"), "\(spoilt)")
        }
    }
}
