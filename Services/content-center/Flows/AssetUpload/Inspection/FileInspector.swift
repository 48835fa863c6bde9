import ConcurrencySupport
import Glibc

/// Looks at arrived files, on threads that may wait for a disk, and compute.
final class FileInspector: Sendable {
    private let pool = BlockingPool(name: "inspection", threads: 2, queueLimit: 1_024)

    deinit { pool.shutdown() }

    /// - Throws: ``FileFlaw``, or ``ObjectGone``.
    func check(_ arrived: ArrivedObject, declared type: FileType) async throws {
        try await pool.run {
            guard let (descriptor, size) = try Files.open(arrived.path) else { throw ObjectGone() }
            defer { close(descriptor) }
            try FileInspection.check(OpenFile(descriptor: descriptor, path: arrived.path, size: size), declared: type)
        }
    }

    private struct OpenFile: ByteSource {
        let descriptor: Int32
        let path: String
        let size: Int

        func read(at offset: Int, count: Int) throws -> [UInt8] {
            try Files.read(descriptor, path, at: offset, count: min(count, max(0, size - offset)))
        }
    }
}
