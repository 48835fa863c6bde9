import ConcurrencySupport
import Glibc

/// Where the stand-in keeps bytes: one sparse file without a name, gone with the process. What is zero takes no room.
final class S3Disk: Sendable {
    struct Broken: Error {
        var errorNumber: Int32
    }

    private static let block = 64 << 10

    private let descriptor: Int32
    private let end = Lock(0)

    init() throws(Broken) {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var name = Array("\(folder)/sandbox-s3-XXXXXX".utf8CString)
        descriptor = mkstemp(&name)
        guard descriptor >= 0 else { throw Broken(errorNumber: errno) }
        unlink(name)
    }

    deinit { close(descriptor) }

    func keep(_ bytes: [UInt8]) throws(Broken) -> S3Extent {
        let place = end.withLock { end in
            defer { end += bytes.count }
            return end
        }
        let failure = bytes.withUnsafeBytes { bytes -> Int32? in
            for start in stride(from: 0, to: bytes.count, by: Self.block) {
                var rest = UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + Self.block, bytes.count)])
                if Self.isZero(rest) { continue }
                var target = place + start
                while !rest.isEmpty {
                    let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(target))
                    guard count > 0 else { return errno }
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                    target += count
                }
            }
            return nil
        }
        if let failure { throw Broken(errorNumber: failure) }
        // Its end may be a hole.
        end.withLock { end in _ = ftruncate(descriptor, off_t(end)) }
        return S3Extent(disk: self, place: place, size: bytes.count)
    }

    fileprivate func read(at place: Int, count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count, let base = buffer.baseAddress {
                let read = pread(descriptor, base + filled, count - filled, off_t(place + filled))
                guard read > 0 else { return }
                filled += read
            }
        }
    }

    private static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress, bytes.first == 0 else { return false }
        return memcmp(base, base + 1, bytes.count - 1) == 0
    }
}

/// Bytes on the disk; whoever copies them shares them.
struct S3Extent: Sendable {
    fileprivate let disk: S3Disk
    fileprivate let place: Int
    let size: Int

    func read(at offset: Int, count: Int) -> [UInt8] { disk.read(at: place + offset, count: count) }
}
