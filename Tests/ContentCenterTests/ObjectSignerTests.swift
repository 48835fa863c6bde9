import Foundation
import Testing

@testable import ContentCenter

/// A signed URL is worth what was signed, and nothing else.
@Suite struct ObjectSignerTests {
    static let signer = ObjectSigner(key: [UInt8](repeating: 1, count: 32))
    static let object = UUID()
    static let upload = ObjectGrant(
        method: .put, object: object, contentType: "image/png", expiresAt: 1_000, size: .exactly(12))
    static let part = ObjectGrant(
        method: .put, object: object, contentType: "video/mp4", expiresAt: 1_000, size: .exactly(5),
        part: ObjectPart(number: 3, offset: 10, total: 15))
    static let download = ObjectGrant(
        method: .get, object: object, contentType: "video/mp4", expiresAt: 1_000, fileName: "发布会 & 现场.mp4")

    static let segment = ObjectGrant(method: .get, object: object, contentType: "video/mp4", expiresAt: 1_000, ending: "mp4")

    /// A URL taken apart, as the router does it.
    struct Parts {
        var object: String
        var query: [(name: String, value: String)]

        init(_ target: String) throws {
            let components = try #require(URLComponents(string: target))
            object = String(components.path.dropFirst("/objects/".count))
            query = try #require(components.queryItems).map { ($0.name, $0.value ?? "") }
        }

        func read(_ method: ObjectGrant.Method, by signer: ObjectSigner = ObjectSignerTests.signer, now: Int = 999) throws
            -> ObjectGrant
        {
            try signer.grant(method, object: object, query: query, now: now)
        }
    }

    @Test(arguments: [
        upload, download, part, ObjectGrant(method: .put, object: object, contentType: "a/b", expiresAt: 1_000, size: .atMost(7)),
        ObjectGrant(method: .get, object: object, contentType: "a/b", expiresAt: 1_000), segment,
    ]) func aGrantSurvivesItsURL(grant: ObjectGrant) throws {
        let parts = try Parts(Self.signer.target(grant))
        #expect(try parts.read(grant.method) == grant)
        #expect(try parts.read(grant.method, now: 1_000) == grant)
        #expect(throws: ObjectSigner.Refusal.expired) { try parts.read(grant.method, now: 1_001) }
        #expect(throws: ObjectSigner.Refusal.invalid) { try parts.read(grant.method == .get ? .put : .get) }
        #expect(throws: ObjectSigner.Refusal.invalid) {
            try parts.read(grant.method, by: ObjectSigner(key: [UInt8](repeating: 2, count: 32)))
        }
    }

    @Test(arguments: [upload, download, part, segment]) func everyElementIsSigned(grant: ObjectGrant) throws {
        let parts = try Parts(Self.signer.target(grant))
        var other = parts
        other.object = UUID().uuidString.lowercased()
        #expect(throws: ObjectSigner.Refusal.invalid) { try other.read(grant.method) }
        other.object = parts.object.uppercased()
        #expect(throws: ObjectSigner.Refusal.invalid) { try other.read(grant.method) }
        for path in [grant.object.lowercase, "\(grant.object.lowercase).", "\(grant.object.lowercase).exe"]
        where path != parts.object {
            other.object = path
            #expect(throws: ObjectSigner.Refusal.invalid) { try other.read(grant.method) }
        }
        for index in parts.query.indices {
            // Another value, none, and the name twice.
            var changed = parts
            changed.query[index].value = changed.query[index].name == "expires" ? "2000" : changed.query[index].value + "0"
            #expect(throws: ObjectSigner.Refusal.invalid, "\(parts.query[index])") { try changed.read(grant.method) }
            changed = parts
            changed.query.remove(at: index)
            #expect(throws: ObjectSigner.Refusal.invalid, "\(parts.query[index])") { try changed.read(grant.method) }
            changed = parts
            changed.query.append(parts.query[index])
            #expect(throws: ObjectSigner.Refusal.invalid) { try changed.read(grant.method) }
        }
        for (name, value) in [("size", "12"), ("most", "12"), ("name", "a.exe"), ("colour", "red")]
        where !parts.query.contains(where: { $0.name == name }) {
            var changed = parts
            changed.query.append((name, value))
            #expect(throws: ObjectSigner.Refusal.invalid, "\(name)") { try changed.read(grant.method) }
        }
    }

    /// `exactly` and `atMost` of the same number, and an element that reads like two, are not the same text.
    @Test func elementsDoNotRunIntoEachOther() throws {
        var parts = try Parts(Self.signer.target(Self.upload))
        let index = try #require(parts.query.firstIndex { $0.name == "size" })
        parts.query[index].name = "most"
        #expect(throws: ObjectSigner.Refusal.invalid) { try parts.read(.put) }
        var spelled = try Parts(Self.signer.target(Self.upload))
        spelled.query[1].value = "01000"
        #expect(throws: ObjectSigner.Refusal.invalid) { try spelled.read(.put) }
    }
}
