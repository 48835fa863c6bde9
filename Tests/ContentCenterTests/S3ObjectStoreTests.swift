import ConfigReading
import Cryptography
import Foundation
import HTTPCalling
import HTTPCore
import Testing

@testable import ContentCenter
@testable import Sandbox

/// Objects in a bucket, against the stand-in that checks every signature.
@Suite(.timeLimit(.minutes(3))) struct S3ObjectStoreTests {
    private struct Place {
        let store: S3ObjectStore
        let bucket: S3Bucket
        let directory: String
        let control: String

        var parts: S3Parts { S3Parts(bucket: bucket) }

        func order(_ fault: String) async throws {
            let answer = try await bucket.http.send(
                ClientRequest(
                    .post, control, headers: ["Content-Type": "application/json"], body: .bytes(Array(fault.utf8))))
            #expect(answer.status == .ok)
        }

        /// A file of ours.
        func file(_ bytes: [UInt8]) throws -> String {
            let path = "\(directory)/made-\(UUID())"
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            return path
        }
    }

    private static func withBucket(
        now: @escaping @Sendable () -> Int = { Int(Date().timeIntervalSince1970) }, _ body: (Place) async throws -> Void
    ) async throws {
        let server = try SandboxServer(port: 0)
        server.start()
        defer { server.stop() }
        let directory = FileManager.default.temporaryDirectory.appending(path: "s3-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let local = LocalObjectStore(
            directory: directory, publicURL: "http://127.0.0.1:1", signer: ObjectSigner(key: [UInt8](repeating: 1, count: 32)))
        try await local.prepare()
        let url = "http://127.0.0.1:\(server.port)"
        let location = S3Location(
            endpoint: url + "/s3", bucket: "marketing",
            signer: SigV4(accessKeyId: "AKIASANDBOX", secretAccessKey: Secret("sandbox-secret"), region: "us-east-1"))
        let http = HTTPClient()
        let place = Place(
            store: S3ObjectStore(location: location, http: http, local: local, now: now),
            bucket: S3Bucket(location: location, http: http, now: now), directory: directory, control: url + "/__control/config")
        let result: Result<Void, any Error>
        do { result = .success(try await body(place)) } catch { result = .failure(error) }
        await http.shutdown()
        try result.get()
    }

    @Test(arguments: [0, 3 * S3Parts.ownPartSize]) func whatWeMakeIsKeptWhole(beyond: Int) async throws {
        try await Self.withBucket { place in
            let bytes = Random.bytes(beyond + 1_000)
            let (path, object) = (try place.file(bytes), UUID())
            try await place.store.keep(file: path, as: object)
            #expect(!FileManager.default.fileExists(atPath: path))
            let copy = "\(place.directory)/copy"
            #expect(try await place.store.fetch(object, to: copy))
            #expect(try Data(contentsOf: URL(fileURLWithPath: copy)) == Data(bytes))
            let key = "/kept/\(object.uuidString.lowercased().suffix(2))/\(object.uuidString.lowercased())"
            let tag = try await place.bucket.http.send(place.bucket.signed(.head, key)).headers["ETag"]
            // So many parts, says S3 in its tags.
            #expect(tag?.hasSuffix("-4\"") == (beyond > 0))
            #expect(try await place.parts.uploads(below: "") == [])
            await #expect(throws: ObjectGone.self) { try await place.store.keep(file: path, as: object) }
        }
    }

    @Test func onePartAtATimeIsHeld() async throws {
        try await Self.withBucket { place in
            var asked: [Int] = []
            let size = 2 * S3Parts.ownPartSize + 7
            try await place.parts.send("/kept/a", contentType: "video/mp4", size: size) { offset, count in
                #expect(offset == asked.reduce(0, +))
                asked.append(count)
                return [UInt8](repeating: 0, count: count)
            }
            #expect(asked == [S3Parts.ownPartSize, S3Parts.ownPartSize, 7])
        }
        // Whatever the size, never more than ten thousand.
        #expect(S3Parts.partSize(of: 1 << 40) * 10_000 >= 1 << 40)
        #expect(S3Parts.partSize(of: 1 << 30) == S3Parts.ownPartSize)
    }

    @Test func whatIsBrokenOffLeavesNothing() async throws {
        struct Broken: Error {}
        try await Self.withBucket { place in
            // Begun by a process that died.
            try await place.parts.begin("/kept/a", contentType: "video/mp4")
            await #expect(throws: Broken.self) {
                try await place.parts.send("/kept/a", contentType: "video/mp4", size: 20 << 20) { offset, count in
                    #expect(try await place.parts.uploads(below: "kept/").count == 1)
                    if offset > 0 { throw Broken() }
                    return [UInt8](repeating: 1, count: count)
                }
            }
            #expect(try await place.parts.uploads(below: "") == [])
        }
    }

    @Test func anUploadThatNobodyWillOwnIsClearedWhereverItIs() async throws {
        try await Self.withBucket { place in
            let object = UUID()
            try await place.store.beginParts(of: object, contentType: "video/mp4")
            try await place.store.put([1, 2, 3], as: object)
            try await place.store.clear(object)
            #expect(try await place.store.read(object, atMost: 1_000) == nil)
            #expect(try await place.parts.uploads(below: "") == [])
        }
    }

    @Test func longListsAreReadToTheirEnd() async throws {
        try await Self.withBucket { place in
            try await place.order(#"{"fault": "s3-small-pages", "profile": "s3", "size": 2}"#)
            for number in 1...5 { try await place.parts.begin("/arrived/\(number)", contentType: "video/mp4") }
            try await place.parts.begin("/kept/6", contentType: "video/mp4")
            #expect(try await place.parts.uploads(below: "arrived/").map(\.key) == (1...5).map { "arrived/\($0)" })
            // Begun again, it is found wherever it stands.
            try await place.parts.begin("/arrived/4", contentType: "video/mp4")
            let found = try await place.parts.uploads(below: "")
            #expect(found.count == 6)
            let upload = try #require(found.first)
            for number in [3, 1, 2, 5, 4] {
                let query = [(name: "partNumber", value: "\(number)"), (name: "uploadId", value: upload.id)]
                let request = place.bucket.signed(.put, "/\(upload.key)", query: query, body: [1, 2, 3])
                #expect(try await place.bucket.send(request) != nil)
            }
            #expect(try await place.parts.list(upload)?.map(\.number) == [1, 2, 3, 4, 5])
        }
    }

    @Test func oldUploadsThatNobodyCompletesAreAborted() async throws {
        try await Self.withBucket { place in
            for key in ["arrived/old", "arrived/young", "kept/old", "kept/young"] {
                try await place.parts.begin("/\(key)", contentType: "video/mp4")
            }
            try await place.order(#"{"fault": "s3-small-pages", "profile": "s3", "size": 1}"#)
            let week = 7 * 86_400
            try await place.order(#"{"fault": "s3-aged-uploads", "profile": "s3", "seconds": \#(week - 60), "key": "old"}"#)
            try await place.store.sweep(olderThan: .seconds(week))
            #expect(try await place.parts.uploads(below: "").count == 4)
            try await place.order(#"{"fault": "s3-aged-uploads", "profile": "s3", "seconds": \#(week + 60), "key": "old"}"#)
            try await place.store.sweep(olderThan: .seconds(week))
            #expect(try await place.parts.uploads(below: "").map(\.key) == ["arrived/young", "kept/young"])
        }
    }

    /// Read at once and never kept: the address is a secret for as long as it holds.
    @Test func itsOwnAddressesAreKnown() async throws {
        try await Self.withBucket { place in
            let (object, now) = (UUID(), Int(Date().timeIntervalSince1970))
            func url(_ seconds: Int, name: String? = nil) -> String {
                place.store.downloadURL(
                    ObjectGrant(method: .get, object: object, contentType: "video/mp4", expiresAt: now + seconds, fileName: name))
            }
            #expect(place.store.object(shownBy: url(60)) == .object(object, mediaType: "video/mp4"))
            #expect(place.store.object(shownBy: url(60, name: "片 子.mp4")) == .object(object, mediaType: "video/mp4"))
            let other = UUID().uuidString.lowercased()
            for wrong in [
                url(60) + "0", url(60).replacing("video%2Fmp4", with: "image%2Fpng"),
                url(60).replacing(object.uuidString.lowercased(), with: other), String(url(60).prefix { $0 != "?" }),
                url(60).replacing("X-Amz-Expires=60", with: "X-Amz-Expires=600"),
                place.store.uploadURL(
                    ObjectGrant(
                        method: .put, object: object, contentType: "video/mp4", expiresAt: now + 60, size: .exactly(1))),
            ] {
                #expect(place.store.object(shownBy: wrong) == .refused, "\(wrong)")
            }
            #expect(place.store.object(shownBy: "https://cdn.example.com/marketing/a.mp4") == .elsewhere)
        }
        try await Self.withBucket(now: { 1_369_353_600 }) { place in
            let url = place.store.downloadURL(
                ObjectGrant(method: .get, object: UUID(), contentType: "video/mp4", expiresAt: 1_369_353_600 + 60))
            let later = S3Bucket(location: place.bucket.location, http: place.bucket.http, now: { 1_369_353_600 + 60 })
            guard case .refused = later.shown(by: url) else { return #expect(Bool(false), "it holds still") }
            guard case .object = place.bucket.shown(by: url) else { return #expect(Bool(false), "it does not hold") }
        }
    }
}
