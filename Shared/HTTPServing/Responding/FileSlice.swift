import ConcurrencySupport
import Glibc

/// A part of an open file that is about to be sent. The descriptor is closed with it, or by whoever has sent it.
public final class FileSlice: Sendable {
    public let offset: Int
    public let length: Int
    private let descriptor: Lock<Int32?>

    /// - Parameter descriptor: of a regular file that does not get shorter meanwhile; owned from here on. Nobody moves its position: the
    ///   same file may be open for many answers.
    public init(descriptor: Int32, offset: Int = 0, length: Int) {
        self.descriptor = Lock(descriptor)
        self.offset = offset
        self.length = length
    }

    deinit { if let descriptor = takeDescriptor() { close(descriptor) } }

    func takeDescriptor() -> Int32? {
        descriptor.withLock { descriptor in
            defer { descriptor = nil }
            return descriptor
        }
    }

    /// For tests in process.
    func readAll() -> [UInt8] {
        guard let descriptor = takeDescriptor() else { return [] }
        defer { close(descriptor) }
        return [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            while count < length, let base = buffer.baseAddress {
                let read = pread(descriptor, base + count, length - count, off_t(offset + count))
                guard read > 0 else { return }
                count += read
            }
        }
    }
}
