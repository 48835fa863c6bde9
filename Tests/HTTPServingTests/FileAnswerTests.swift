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
                .descriptor(open(path, O_RDONLY | O_CLOEXEC), size: bytes.count), entityTag: "\"t\"",
                headers: ["Content-Type": "video/mp4"], for: request)
        }
        router.on(.get, "/small") { request in
            try .file(.bytes(Array("0123456789".utf8)), entityTag: "\"s\"", headers: [:], for: request)
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

    @Test(arguments: Place.allCases) func sendsWhatIsHeldInMemory(_ place: Place) async throws {
        try await Self.serving(place) { client in
            let whole = try await client.send(.get, "/small")
            #expect(whole.status == .ok)
            #expect(whole.text == "0123456789")
            #expect(whole.headers["Content-Length"] == "10")
            let part = try await client.send(.get, "/small", headers: ["Range": "bytes=2-4"])
            #expect(part.status == .partialContent)
            #expect(part.text == "234")
            #expect(part.headers["Content-Range"] == "bytes 2-4/10")
            #expect(try await client.send(.get, "/small", headers: ["Range": "bytes=10-"]).status == .rangeNotSatisfiable)
            #expect(try await client.send(.get, "/small", headers: ["If-None-Match": "\"s\""]).body.isEmpty)
            let head = try await client.send(.head, "/small")
            #expect(head.body.isEmpty)
            #expect(head.headers["Content-Length"] == "10")
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

    /// Sending to nobody raises a signal that would end the process.
    @Test func outlivesClientsThatLeaveInTheMiddle() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        try Data(Self.bytes).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        var router = Router()
        router.on(.get, "/file") { request in
            try .file(
                .descriptor(open(path, O_RDONLY | O_CLOEXEC), size: Self.bytes.count), entityTag: "\"t\"", headers: [:],
                for: request)
        }
        try await LiveServer.serving(router) { server in
            for _ in 0..<50 { try Self.leaveInTheMiddle(port: server.port) }
            let answer = try await LiveClient(port: server.port).send(.get, "/file")
            #expect(answer.body == Self.bytes)
        }
    }

    /// Asks for the file, reads a little of it and hangs up on the rest.
    private static func leaveInTheMiddle(port: Int) throws {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(connected == 0)
        let request = Array("GET /file HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        try #require(send(socket, request, request.count, 0) == request.count)
        var some = [UInt8](repeating: 0, count: 100)
        try #require(recv(socket, &some, some.count, 0) > 0)
    }
}
