import ConcurrencySupport
public import FoundationEssentials
import Glibc

/// The last time stamp that was given out: milliseconds and 1/4096 of one.
private let lastStamp = Lock<UInt64>(0)

extension UUID {
    /// A new UUID of version 7 (RFC 9562 §5.7, with method 3 of §6.2: a fraction of the millisecond in `rand_a`).
    ///
    /// Within a process each is greater than the one before, so that rows written one after the other sort that way.
    public static func version7() -> UUID {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let milliseconds = UInt64(time.tv_sec) * 1_000 + UInt64(time.tv_nsec) / 1_000_000
        let fraction = UInt64(time.tv_nsec) % 1_000_000 * 4_096 / 1_000_000
        let stamp = lastStamp.withLock { last in
            last = max(last + 1, milliseconds << 12 | fraction)
            return last
        }
        var generator = BufferedRandom()
        let high = (stamp >> 12) << 16 | 0x7000 | (stamp & 0xFFF)
        let low = generator.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        var uuid: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        withUnsafeMutableBytes(of: &uuid) { bytes in
            bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
            bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        return UUID(uuid: uuid)
    }
}
