import CZlib

/// Takes raw deflate (RFC 1951), as ZIP has it, apart piece by piece, and keeps nothing of what comes out but its length and its CRC-32.
///
/// All of it computes: it belongs on a `BlockingPool`, one call at a time.
public final class Inflater {
    private let stream: UnsafeMutablePointer<z_stream>
    private var room = [UInt8](repeating: 0, count: 1 << 16)
    /// Bytes that have come out.
    public private(set) var count = 0
    /// Of those bytes.
    public private(set) var checksum: UInt32 = 0
    /// Whether the deflated stream said that it is over.
    public private(set) var isOver = false

    public init() throws {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // Negative: no header of zlib's own.
        guard inflateInit2_(stream, -MAX_WBITS, zlibVersion(), Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            stream.deallocate()
            throw ArchiveFailure(description: "zlib has no memory")
        }
        self.stream = stream
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// - Parameter limit: where more than this has come out, it stops there: whoever asks has seen enough.
    /// - Returns: how many of the bytes it took: fewer than all of them where the stream or the patience was over before.
    /// - Throws: ``ArchiveFailure`` where this is no deflated stream.
    public func take(_ bytes: [UInt8], limit: Int) throws -> Int {
        try bytes.withUnsafeBufferPointer { input in
            // zlib writes nothing there.
            stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.pointee.avail_in = UInt32(input.count)
            defer { stream.pointee.next_in = nil }
            while !isOver, count <= limit {
                let (result, made) = inflateOnce()
                count += made
                switch result {
                case Z_STREAM_END: isOver = true
                // There may be more for another round.
                case Z_OK where made == room.count: continue
                case Z_OK where stream.pointee.avail_in > 0: continue
                case Z_OK, Z_BUF_ERROR: return input.count
                default: throw ArchiveFailure(description: stream.pointee.msg.map { String(cString: $0) } ?? "zlib: \(result)")
                }
            }
            return input.count - Int(stream.pointee.avail_in)
        }
    }

    private func inflateOnce() -> (result: Int32, made: Int) {
        let (stream, checksum) = (stream, checksum)
        let (result, made, sum) = room.withUnsafeMutableBufferPointer { output in
            stream.pointee.next_out = output.baseAddress
            stream.pointee.avail_out = UInt32(output.count)
            let result = inflate(stream, Z_NO_FLUSH)
            let made = output.count - Int(stream.pointee.avail_out)
            return (result, made, UInt32(truncatingIfNeeded: crc32(UInt(checksum), output.baseAddress, UInt32(made))))
        }
        self.checksum = sum
        return (result, made)
    }

    /// The CRC-32 of what had the checksum `before`, and of these bytes behind it.
    public static func checksum(_ bytes: [UInt8], after before: UInt32 = 0) -> UInt32 {
        // Of no address at all zlib answers how to begin.
        if bytes.isEmpty { return before }
        return bytes.withUnsafeBufferPointer { UInt32(truncatingIfNeeded: crc32(UInt(before), $0.baseAddress, UInt32($0.count))) }
    }
}
