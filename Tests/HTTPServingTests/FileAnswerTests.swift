import Foundation
import HTTPCore
import HTTPServing
import Testing

@Suite struct FileAnswerTests {
    private static let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }

    /// Runs the body with a route that serves a file.
    private static func serving(_ place: Place, _ body: @escaping @Sendable (any TestClient) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        var router = Router()
        router.on(.get, "/file") { request in
            try .file(
                descriptor: open(path, O_RDONLY | O_CLOEXEC), size: bytes.count, entityTag: "\"t\"",
                headers: ["Content-Type": "video/mp4"], for: request)
        }
        try await place.serving(router, body)
    }

    @Test(arguments: Place.allCases) func sendsTheWholeFile(_ place: Place) async throws {
        try await Self.serving(place) { client in
            for _ in 0..<3 {
                let answer = try await client.send(.get, "/file")
                #expect(answer.status == .ok)
                #expect(answer.body == Self.bytes)
                #expect(answer.headers["Content-Length"] == "3000000")
                #expect(answer.headers["Content-Type"] == "video/mp4")
                #expect(answer.headers["Accept-Ranges"] == "bytes")
            }
            let head = try await client.send(.head, "/file")
            #expect(head.status == .ok)
            #expect(head.body.isEmpty)
            #expect(head.headers["Content-Length"] == "3000000")
        }
    }

    @Test(arguments: Place.allCases) func sendsTheRangeThatIsWanted(_ place: Place) async throws {
        try await Self.serving(place) { client in
            let part = try await client.send(.get, "/file", headers: ["Range": "bytes=1000000-1999999"])
            #expect(part.status == .partialContent)
            #expect(part.body.elementsEqual(Self.bytes[1_000_000..<2_000_000]))
            #expect(part.headers["Content-Range"] == "bytes 1000000-1999999/3000000")
            #expect(part.headers["Content-Length"] == "1000000")
            let end = try await client.send(.get, "/file", headers: ["Range": "bytes=-5", "If-Range": "\"t\""])
            #expect(end.body.elementsEqual(Self.bytes.suffix(5)))
            let changed = try await client.send(.get, "/file", headers: ["Range": "bytes=-5", "If-Range": "\"old\""])
            #expect(changed.status == .ok)
            #expect(changed.body.count == Self.bytes.count)
            let beyond = try await client.send(.get, "/file", headers: ["Range": "bytes=3000000-"])
            #expect(beyond.status == .rangeNotSatisfiable)
            #expect(beyond.headers["Content-Range"] == "bytes */3000000")
            let known = try await client.send(.get, "/file", headers: ["If-None-Match": "\"t\"", "Range": "bytes=-5"])
            #expect(known.status == .notModified)
            #expect(known.body.isEmpty)
        }
    }

    /// Descriptors must not pile up, whatever becomes of the answer.
    @Test(arguments: Place.allCases) func closesEveryFile(_ place: Place) async throws {
        try await Self.serving(place) { client in
            for _ in 0..<2_000 {
                let answer = try await client.send(.get, "/file", headers: ["Range": "bytes=-5", "If-None-Match": "\"t\""])
                #expect(answer.status == .notModified)
            }
            let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
            #expect(open < 1_500)
        }
    }
}
