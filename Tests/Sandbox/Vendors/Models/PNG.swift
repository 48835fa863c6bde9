/// Real, small pictures: a gradient between two colours, in any size, written without compression.
enum PNG {
    typealias Colour = (red: UInt8, green: UInt8, blue: UInt8)

    static func gradient(width: Int, height: Int, from first: Colour, to second: Colour) -> [UInt8] {
        var rows: [UInt8] = []
        rows.reserveCapacity(height * (1 + 3 * width))
        for row in 0..<height {
            rows.append(0)
            for column in 0..<width {
                let place = (row + column) * 255 / max(1, width + height - 2)
                rows += [
                    mix(first.red, second.red, place), mix(first.green, second.green, place), mix(first.blue, second.blue, place),
                ]
            }
        }
        let head = bigEndian(UInt32(width)) + bigEndian(UInt32(height)) + [8, 2, 0, 0, 0]
        return signature + chunk("IHDR", head) + chunk("IDAT", zlib(rows)) + chunk("IEND", [])
    }

    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    private static func mix(_ first: UInt8, _ second: UInt8, _ place: Int) -> UInt8 {
        UInt8((Int(first) * (255 - place) + Int(second) * place) / 255)
    }

    private static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
        let body = Array(type.utf8) + data
        return bigEndian(UInt32(data.count)) + body + bigEndian(crc32(body))
    }

    /// RFC 1950 with stored blocks only (RFC 1951 §3.2.4).
    private static func zlib(_ data: [UInt8]) -> [UInt8] {
        var packed: [UInt8] = [0x78, 0x01]
        var start = 0
        repeat {
            let end = min(start + 65_535, data.count)
            let size = UInt16(end - start)
            let isLast: UInt8 = end == data.count ? 1 : 0
            packed += [isLast, UInt8(size & 255), UInt8(size >> 8), UInt8(~size & 255), UInt8(~size >> 8)] + data[start..<end]
            start = end
        } while start < data.count
        return packed + bigEndian(adler32(data))
    }

    private static func adler32(_ data: [UInt8]) -> UInt32 {
        var (low, high): (UInt32, UInt32) = (1, 0)
        for byte in data {
            low = (low + UInt32(byte)) % 65_521
            high = (high + low) % 65_521
        }
        return high << 16 | low
    }

    private static func crc32(_ data: [UInt8]) -> UInt32 {
        var sum = UInt32.max
        for byte in data {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
        return ~sum
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
    }
}
