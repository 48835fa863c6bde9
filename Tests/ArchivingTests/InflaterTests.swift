import Archiving
import TestSupport
import Testing

@Suite(.apartFromThePool) struct InflaterTests {
    @Test func bytesOneByOneGiveTheSameAsAllAtOnce() throws {
        // "hello hello hello", deflated.
        let bytes: [UInt8] = [0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0x57, 0xC8, 0x40, 0x90, 0x00]
        let (whole, parts) = (try Inflater(), try Inflater())
        #expect(try whole.take(bytes + [1, 2, 3], limit: 1 << 20) == bytes.count)
        for byte in bytes { #expect(try parts.take([byte], limit: 1 << 20) == 1) }
        for inflater in [whole, parts] {
            #expect(inflater.isOver)
            #expect(inflater.count == 17)
            #expect(inflater.checksum == Inflater.checksum(Array("hello hello hello".utf8)))
        }
        #expect(Inflater.checksum(Array("6789".utf8), after: Inflater.checksum(Array("12345".utf8))) == 0xCBF4_3926)
    }

    @Test func itStopsBehindItsLimit() throws {
        let bomb = try Inflater()
        _ = try bomb.take(Self.endless, limit: 1_000)
        #expect(!bomb.isOver)
        #expect(bomb.count > 1_000)
        #expect(bomb.count <= 1_000 + 1 << 16)
    }

    @Test func whatIsNoStreamIsSaid() throws {
        let inflater = try Inflater()
        #expect(throws: ArchiveFailure.self) { try inflater.take([0xFF, 0xFF, 0xFF], limit: 1 << 20) }
    }

    /// Blocks of 65,535 bytes as they are, none of them the last.
    private static var endless: [UInt8] {
        let block: [UInt8] = [0, 0xFF, 0xFF, 0, 0] + [UInt8](repeating: 7, count: 65_535)
        return Array(repeatElement(block, count: 4).joined())
    }
}
