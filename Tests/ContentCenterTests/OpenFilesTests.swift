import Cryptography
import Foundation
import Testing

@testable import ContentCenter

@Suite struct OpenFilesTests {
    private static func withStore(_ body: (LocalObjectStore) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let store = LocalObjectStore(
            directory: directory, publicURL: "http://127.0.0.1:1", signer: ObjectSigner(key: [UInt8](repeating: 1, count: 32)))
        try await store.prepare()
        try await body(store)
    }

    @Test func everyFetchHasADescriptorOfItsOwn() async throws {
        try await Self.withStore { store in
            let object = UUID()
            try await store.put(Array("picture".utf8), as: object)
            let first = try #require(try await store.open(object))
            let second = try #require(try await store.open(object))
            #expect(first.descriptor != second.descriptor)
            close(first.descriptor)
            #expect(second.size == 7)
            #expect(try Files.read(second.descriptor, "", at: 0, count: 7) == Array("picture".utf8))
            close(second.descriptor)
        }
    }

    @Test func whatIsRemovedIsGoneAtOnce() async throws {
        try await Self.withStore { store in
            let object = UUID()
            try await store.put([1], as: object)
            let file = try #require(try await store.open(object))
            close(file.descriptor)
            try await store.remove(object)
            #expect(try await store.open(object) == nil)
        }
    }

    @Test func holdsNoMoreThanItMay() async throws {
        let files = OpenFiles()
        let before = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        let null = open("/dev/null", O_RDONLY)
        defer { close(null) }
        for _ in 0..<(3 * OpenFiles.most) { files.put(null, size: 0, of: UUID()) }
        let after = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        // Other tests open files meanwhile.
        #expect(after - before < OpenFiles.most + 400)
    }
}
