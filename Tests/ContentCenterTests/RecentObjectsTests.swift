import Cryptography
import Foundation
import HTTPServing
import Testing

@testable import ContentCenter

@Suite struct RecentObjectsTests {
    private static func withStore(_ body: (LocalObjectStore, String) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let store = LocalObjectStore(
            directory: directory, publicURL: "http://127.0.0.1:1", signer: ObjectSigner(key: [UInt8](repeating: 1, count: 32)))
        try await store.prepare()
        try await body(store, directory)
    }

    private static func descriptor(_ file: StoredFile?) -> Int32? {
        switch file {
        case .descriptor(let descriptor, _)?: descriptor
        default: nil
        }
    }

    private static func held(_ file: StoredFile?) -> [UInt8]? {
        switch file {
        case .bytes(let bytes)?: bytes
        default: nil
        }
    }

    @Test func everyFetchHasADescriptorOfItsOwn() async throws {
        try await Self.withStore { store, _ in
            let object = UUID()
            let bytes = [UInt8](repeating: 7, count: RecentObjects.heldSize + 1)
            try await store.put(bytes, as: object)
            let files = [try await store.open(object), try await store.open(object)]
            let first = try #require(Self.descriptor(files[0]))
            let second = try #require(Self.descriptor(files[1]))
            #expect(first != second)
            close(first)
            let read = try Files.read(second, "", at: 0, count: bytes.count)
            #expect(read == bytes)
            close(second)
        }
    }

    /// The second fetch does not go to the disk.
    @Test func aSmallOneIsHeldInMemory() async throws {
        try await Self.withStore { store, folder in
            let object = UUID()
            let bytes = [UInt8](repeating: 7, count: RecentObjects.heldSize)
            try await store.put(bytes, as: object)
            for _ in 0..<2 {
                let file = try await store.open(object)
                #expect(Self.held(file) == bytes)
                try? FileManager.default.removeItem(atPath: "\(folder)/kept")
            }
        }
    }

    @Test(arguments: [1, RecentObjects.heldSize + 1]) func whatIsRemovedIsGoneAtOnce(_ size: Int) async throws {
        try await Self.withStore { store, _ in
            let object = UUID()
            try await store.put([UInt8](repeating: 1, count: size), as: object)
            let before = try await store.open(object)
            if let descriptor = Self.descriptor(before) { close(descriptor) }
            try await store.remove(object)
            let after = try await store.open(object)
            #expect(after?.size == nil)
        }
    }

    // MARK: Uploads in parts

    private static func send(_ byte: UInt8, as number: Int, of parts: ObjectParts, _ directory: String) throws -> PartFile {
        let file = try PartFile(in: directory, part: parts.part(number), size: parts.size(of: number))
        try file.write([UInt8](repeating: byte, count: parts.size(of: number)))
        return file
    }

    /// Its URL is still good when the whole has been looked at: what was looked at is kept all the same.
    @Test func aPartThatIsSentAgainDoesNotReachWhatWasLookedAt() async throws {
        try await Self.withStore { store, folder in
            let (object, parts) = (UUID(), ObjectParts(size: 30, partSize: 20))
            let directory = "\(folder)/arrived/\(object.uuidString.lowercased())"
            try Files.makeDirectory(directory)
            for number in 1...2 { _ = try Self.send(1, as: number, of: parts, directory).finish() }
            // One is on its way again: the whole is not whole, until the moment that it is there.
            let late = try Self.send(1, as: 2, of: parts, directory)
            #expect(try await store.arrived(object, in: parts) == nil)
            _ = try late.finish()
            let arrived = try #require(try await store.arrived(object, in: parts))
            withExtendedLifetime(late) {}
            #expect(arrived.sha256 == SHA256.hash([UInt8](repeating: 1, count: 30)))
            _ = try Self.send(9, as: 1, of: parts, directory).finish()
            #expect(try await store.arrived(object, in: parts)?.sha256 == arrived.sha256)
            try await store.keep(arrived)
            #expect(try await store.read(object, atMost: 100) == [UInt8](repeating: 1, count: 30))
        }
    }

    @Test func holdsNoMoreThanItMay() async throws {
        let files = RecentObjects()
        let before = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        let null = open("/dev/null", O_RDONLY)
        defer { close(null) }
        for _ in 0..<(3 * RecentObjects.most) { files.put(.descriptor(null, size: 0), of: UUID()) }
        let after = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        // Other tests open files meanwhile.
        #expect(after - before < RecentObjects.most + 400)
    }
}
