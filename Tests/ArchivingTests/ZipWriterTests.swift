import Archiving
import ConcurrencySupport
import TestSupport
import Testing

@Suite(.apartFromThePool) struct ZipWriterTests {
    /// What a test keeps of an archive: its end, and how much there was.
    private final class Tail: Sendable {
        private struct State {
            var total = 0
            var last: [UInt8] = []
        }
        private let state = Lock(State())

        var total: Int { state.withLock { $0.total } }
        var last: [UInt8] { state.withLock { $0.last } }

        func take(_ bytes: UnsafeRawBufferPointer) {
            state.withLock { state in
                state.total += bytes.count
                let before = bytes.count < 1_024 ? state.last : []
                state.last = Array((before + bytes.suffix(1_024)).suffix(1_024))
            }
        }
    }

    private struct Full: Error {}

    @Test func aFileIsThereAndItsNameIsMarkedAsUTF8() throws {
        let tail = Tail()
        let zip = try ZipWriter { tail.take($0) }
        try zip.begin("素材/说明.txt", size: 6, modifiedAt: 1_790_000_000, compresses: false)
        try zip.write(Array("你好".utf8))
        try zip.finish()
        let bytes = tail.last
        #expect(tail.total == bytes.count)
        #expect(bytes.starts(with: [0x50, 0x4B, 3, 4]))
        #expect(bytes.firstRange(of: Array("素材/说明.txt".utf8)) != nil)
        // Bit 11 of the flags (APPNOTE §4.4.4).
        #expect(bytes[7] & 0x08 != 0)
        #expect(bytes.firstRange(of: Array("你好".utf8)) != nil)
    }

    /// Larger than what 32 bits count, and never held.
    @Test func beyondFourGigabytesItIsZIP64() throws {
        let tail = Tail()
        let zip = try ZipWriter { tail.take($0) }
        let (piece, count) = ([UInt8](repeating: 0, count: 8 << 20), 513)
        try zip.begin("large", modifiedAt: 1_790_000_000, compresses: false)
        for _ in 0..<count { try zip.write(piece) }
        try zip.begin("small", size: 1, modifiedAt: 1_790_000_000, compresses: true)
        try zip.write([1])
        try zip.finish()
        #expect(tail.total > count * piece.count)
        // The end-of-directory record of ZIP64 (APPNOTE §4.3.14) and the large file's size.
        #expect(tail.last.firstRange(of: [0x50, 0x4B, 6, 6]) != nil)
        let size = (0..<8).map { UInt8(truncatingIfNeeded: (count * piece.count) >> ($0 * 8)) }
        #expect(tail.last.firstRange(of: size) != nil)
    }

    @Test func whatTheOutputThrowsTheWriterThrows() throws {
        let zip = try ZipWriter { _ in throw Full() }
        #expect(throws: Full.self) {
            try zip.begin("a", modifiedAt: 0, compresses: false)
            try zip.write([UInt8](repeating: 7, count: 1 << 20))
            try zip.finish()
        }
    }
}
