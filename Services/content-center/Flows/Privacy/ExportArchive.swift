import Archiving
import ConcurrencySupport
import Cryptography
import Glibc

/// The archive of an export while it is written: files one after the other, each with its SHA-256, and the archive's own on the way.
/// Nothing is held whole, however large the tenant.
final class ExportArchive: Sendable {
    struct File: Codable, Sendable, Equatable {
        var name: String
        var size: Int
        var sha256: String
    }

    private struct State: ~Copyable {
        var hash = SHA256.Stream()
        var size = 0
    }

    /// The lines of `sha256sum`.
    static let sums = "SHA256SUMS"

    /// Beside the archive while it is written: its sums, and one asset at a time.
    private static let besides = ["", ".sums", "-asset"]

    /// Disks block: a thread of its own, as long as the archive is written.
    private let pool = BlockingPool(name: "archive", threads: 1)
    private let output: ObjectFile
    private let zip: ZipWriter
    private let sums: ObjectFile
    /// Where assets lie while they are added, one at a time.
    let copies: String
    private let now: Int
    private let state = Lock(State())

    struct Written: Sendable {
        /// Of the archive.
        var size: Int
        var sha256: [UInt8]
    }

    /// Lets `body` write an archive. Where it does not come to its end, nothing is left of it when this returns.
    ///
    /// - Parameters:
    ///   - path: of the archive.
    ///   - now: seconds since 1970, as the files' time.
    static func writing<Value: Sendable>(
        to path: String, now: Int, _ body: (ExportArchive) async throws -> Value
    ) async throws -> Value {
        let archive = try await ExportArchive(at: path, now: now)
        do {
            let value = try await body(archive)
            await archive.abandon()
            return value
        } catch {
            await archive.abandon()
            throw error
        }
    }

    private init(at path: String, now: Int) async throws {
        self.now = now
        copies = path + Self.besides[2]
        (output, zip, sums) = try await pool.run {
            for suffix in Self.besides { try Files.remove(path + suffix) }
            let output = try ObjectFile(creating: path)
            let zip = try ZipWriter { try output.write([UInt8]($0)) }
            return (output, zip, try ObjectFile(creating: path + Self.besides[1]))
        }
    }

    deinit { pool.shutdown() }

    /// Removes archives, finished or not, with what stands beside them; one that is not there is removed already.
    static func remove(_ paths: [String]) async throws {
        let pool = BlockingPool(name: "archive", threads: 1)
        defer { pool.shutdown() }
        try await pool.run {
            for path in paths { for suffix in besides { try Files.remove(path + suffix) } }
        }
    }

    /// Removes what is not finished. In a task of its own, since the caller's may have been cancelled, and after whatever is being written.
    private func abandon() async {
        await Task { [pool, output, zip, sums, copies] in
            try? await pool.run {
                zip.close()
                output.abandon()
                sums.abandon()
                try Files.remove(copies)
            }
        }.value
    }

    /// Begins a file; its bytes follow.
    func begin(_ name: String, size: Int? = nil, compresses: Bool) async throws {
        try await pool.run { [self] in
            state.withLock { $0 = State() }
            try zip.begin(name, size: size, modifiedAt: now, compresses: compresses)
        }
    }

    func write(_ bytes: [UInt8]) async throws {
        try await pool.run { [self] in try append(bytes) }
    }

    private func append(_ bytes: [UInt8]) throws {
        try zip.write(bytes)
        state.withLock { state in
            bytes.withUnsafeBytes { state.hash.update($0) }
            state.size += bytes.count
        }
    }

    /// The file is whole.
    func end(_ name: String) async throws -> File {
        let file = state.withLock { state in
            let size = state.size
            let sha256 = Hex.encode(state.hash.finish())
            state = State()
            return File(name: name, size: size, sha256: sha256)
        }
        try await pool.run { [self] in try sums.write(Array("\(file.sha256)  \(name)\n".utf8)) }
        return file
    }

    func add(_ name: String, _ bytes: [UInt8]) async throws -> File {
        try await begin(name, size: bytes.count, compresses: true)
        try await write(bytes)
        return try await end(name)
    }

    /// Removes a local file; one that is not there is removed already.
    func discard(_ path: String) async throws { try await pool.run { try Files.remove(path) } }

    /// Adds a local file, without compressing it anew.
    ///
    /// - Returns: `nil` where there is no such file.
    func add(_ name: String, fileAt path: String) async throws -> File? {
        try await copy(path, as: name) ? try await end(name) : nil
    }

    private func copy(_ path: String, as name: String) async throws -> Bool {
        try await pool.run { [self] in
            guard let (descriptor, size) = try Files.open(path) else { return false }
            defer { close(descriptor) }
            state.withLock { $0 = State() }
            try zip.begin(name, size: size, modifiedAt: now, compresses: false)
            var offset = 0
            while offset < size {
                let bytes = try Files.read(descriptor, path, at: offset, count: min(1 << 20, size - offset))
                guard !bytes.isEmpty else { break }
                try append(bytes)
                offset += bytes.count
            }
            return true
        }
    }

    /// - Returns: the archive's size and SHA-256. It stays where it was written.
    func finish(manifest: [UInt8]) async throws -> Written {
        _ = try await add("manifest.json", manifest)
        let list = sums.path
        _ = try await pool.run { [sums] in try sums.finish() }
        _ = try await copy(list, as: Self.sums)
        return try await pool.run { [self] in
            try Files.remove(list)
            try zip.finish()
            let (size, sha256) = try output.finish()
            return Written(size: size, sha256: sha256)
        }
    }
}
