import ConcurrencySupport
import Cryptography
import FoundationEssentials
import Glibc
import Observability

/// The folders in which jobs work: one for each attempt, removed with it. It lies on the objects' file system where that is local, so that
/// sources are linked and results moved instead of copied.
final class MediaWorkspace: Sendable {
    /// After which a folder that nobody has removed belongs to nobody: its process died.
    private static let longestAttempt = 24 * 3_600

    let directory: String
    private let pool = BlockingPool(name: "media-files", threads: 4, queueLimit: 1_024)

    init(directory: String) { self.directory = directory }

    deinit { pool.shutdown() }

    /// Runs `body` with an empty folder, which is gone afterwards, whatever happens; those of the job's earlier attempts are gone before.
    func withFolder<Value: Sendable>(
        of job: UUID, fence: Int64, _ body: (MediaFolder) async throws -> Value
    ) async throws -> Value {
        let (name, directory) = (job.text, directory)
        let folder = MediaFolder(path: "\(directory)/\(name).\(fence)", pool: pool)
        try await pool.run {
            try Files.makeDirectories(directory)
            for old in Files.names(in: directory) where old.hasPrefix("\(name).") { try Files.removeTree("\(directory)/\(old)") }
            try Files.makeDirectory(folder.path)
        }
        let result: Result<Value, any Error>
        do { result = .success(try await body(folder)) } catch { result = .failure(error) }
        // A cancelled job cleans up too.
        await Task.detached { [pool] in try? await pool.run { try Files.removeTree(folder.path) } }.value
        return try result.get()
    }

    /// Removes what processes left behind that died.
    func sweep() async throws {
        try await pool.run { [directory] in
            for name in Files.names(in: directory) {
                if let status = Files.status("\(directory)/\(name)"), status.seconds > Self.longestAttempt {
                    try Files.removeTree("\(directory)/\(name)")
                }
            }
        }
    }
}

/// An attempt's folder.
struct MediaFolder: Sendable {
    let path: String
    fileprivate let pool: BlockingPool

    func path(of name: String) -> String { "\(path)/\(name)" }

    func write(_ text: String, to name: String) async throws {
        let path = path(of: name)
        try await pool.run {
            let file = try ObjectFile(creating: path)
            try file.write(Array(text.utf8))
            _ = try file.finish()
        }
    }

    /// - Returns: `nil` where there is none, or where it is longer.
    func bytes(of name: String, atMost limit: Int) async throws -> [UInt8]? {
        let path = path(of: name)
        return try await pool.run {
            guard let (descriptor, size) = try Files.open(path) else { return nil }
            defer { close(descriptor) }
            return size <= limit ? try Files.read(descriptor, path, at: 0, count: size) : nil
        }
    }

    func text(of name: String, atMost limit: Int = 4 << 20) async throws -> String? {
        try await bytes(of: name, atMost: limit).flatMap { String(validating: $0, as: UTF8.self) }
    }

    func size(of name: String) async throws -> Int? {
        let path = path(of: name)
        return try await pool.run { Files.status(path)?.size }
    }

    func move(_ name: String, to other: String) async throws {
        let (old, new) = (path(of: name), path(of: other))
        try await pool.run { try Files.move(old, to: new) }
    }

    /// - Returns: `nil` where there is no such file.
    func measure(_ name: String) async throws -> (size: Int, sha256: [UInt8])? {
        let path = path(of: name)
        return try await pool.run {
            guard let (descriptor, size) = try Files.open(path) else { return nil }
            defer { close(descriptor) }
            return (size, try LocalObjectStore.hash(descriptor, path))
        }
    }

    /// A new file that pieces are written to as they come.
    func receive(_ name: String, _ pieces: some AsyncSequence<[UInt8], any Error>) async throws -> Int {
        let path = path(of: name)
        let file = try await pool.run { try ObjectFile(creating: path) }
        do {
            for try await piece in pieces { try await pool.run { try file.write(piece) } }
            return try await pool.run { try file.finish().size }
        } catch {
            await Task { [pool] in try? await pool.run { file.abandon() } }.value
            throw error
        }
    }

    /// The first bytes.
    func head(of name: String) async throws -> [UInt8] {
        let path = path(of: name)
        return try await pool.run {
            guard let (descriptor, size) = try Files.open(path) else { return [] }
            defer { close(descriptor) }
            return try Files.read(descriptor, path, at: 0, count: min(size, 4_096))
        }
    }
}
