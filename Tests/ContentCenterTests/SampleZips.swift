import Foundation

@testable import ContentCenter

/// A file in an archive, and what is said of it where that is not so.
struct SampleEntry {
    /// What a header says besides, or instead.
    struct Claims {
        var name: String?
        var flags = 0
        var method: Int?
        var checksum: Int?
        var packed: Int?
        var unpacked: Int?
        var extra: [UInt8] = []
    }

    var name: String
    /// As it lies there.
    var data: [UInt8]
    var bytes: [UInt8]
    var inTable = Claims()
    var inHeader = Claims()
    /// Between it and what comes next.
    var after: [UInt8] = []

    /// As it is.
    init(_ name: String, _ bytes: [UInt8] = Array("hello".utf8)) {
        (self.name, self.bytes, data) = (name, bytes, bytes)
    }

    /// So many zeros, deflated.
    init(_ name: String, deflated count: Int) {
        (self.name, bytes) = (name, [UInt8](repeating: 0, count: count))
        data = SampleFiles.deflatedZeros(count)
        (inTable.method, inHeader.method) = (ZipEntry.deflated, ZipEntry.deflated)
    }

    /// Its sizes stand behind its bytes, as they do where a writer cannot go back.
    func streamed(marked: Bool = true) -> SampleEntry {
        var entry = self
        (entry.inTable.flags, entry.inHeader.flags) = (0b1000, 0b1000)
        (entry.inHeader.checksum, entry.inHeader.packed, entry.inHeader.unpacked) = (0, 0, 0)
        let sizes = [SampleFiles.checksum(bytes), data.count, bytes.count].flatMap { SampleFiles.little($0, 4) }
        entry.after = (marked ? SampleFiles.little(0x0807_4B50, 4) : []) + sizes
        return entry
    }

    func saying(inTable: (inout Claims) -> Void = { _ in }, inHeader: (inout Claims) -> Void = { _ in }) -> SampleEntry {
        var entry = self
        inTable(&entry.inTable)
        inHeader(&entry.inHeader)
        return entry
    }

    /// Version, flags, method, time, checksum, sizes and the lengths of name and extra, as both headers have them.
    fileprivate func common(_ claims: Claims) -> [UInt8] {
        let name = Array((claims.name ?? name).utf8)
        let numbers = [20, claims.flags, claims.method ?? ZipEntry.stored, 0, 0].flatMap { SampleFiles.little($0, 2) }
        let sizes = [
            claims.checksum ?? SampleFiles.checksum(bytes), claims.packed ?? data.count, claims.unpacked ?? bytes.count,
        ].flatMap { SampleFiles.little($0, 4) }
        return numbers + sizes + SampleFiles.little(name.count, 2) + SampleFiles.little(claims.extra.count, 2)
    }

    fileprivate func tail(_ claims: Claims) -> [UInt8] { Array((claims.name ?? name).utf8) + claims.extra }

    var header: [UInt8] { SampleFiles.little(0x0403_4B50, 4) + common(inHeader) + tail(inHeader) + data + after }

    func line(at place: Int) -> [UInt8] {
        SampleFiles.little(0x0201_4B50, 4) + SampleFiles.little(20, 2) + common(inTable) + [UInt8](repeating: 0, count: 10)
            + SampleFiles.little(place, 4) + tail(inTable)
    }
}

extension SampleFiles {
    /// - Parameters:
    ///   - untold: how many of the last lines of the table the end does not count.
    ///   - zip64: with the records of ZIP64; its end says this of the table's place beside what is so.
    static func zip(
        _ entries: [SampleEntry], untold: Int = 0, gap: [UInt8] = [], zip64: Int? = nil, comment: [UInt8] = []
    ) -> [UInt8] {
        var (bytes, table): ([UInt8], [UInt8]) = ([], [])
        for entry in entries {
            table += entry.line(at: bytes.count)
            bytes += entry.header
        }
        bytes += gap
        let (count, place) = (entries.count - untold, bytes.count)
        bytes += table
        if let zip64 {
            let record = bytes.count
            bytes += little(0x0606_4B50, 4) + little(44, 8) + little(45, 2) + little(45, 2) + little(0, 8)
            bytes += little(count, 8) + little(count, 8) + little(table.count, 8) + little(place + zip64, 8)
            bytes += little(0x0706_4B50, 4) + little(0, 4) + little(record, 8) + little(1, 4)
        }
        return bytes + little(0x0605_4B50, 4) + little(0, 4) + little(count, 2) + little(count, 2) + little(table.count, 4)
            + little(place, 4) + little(comment.count, 2) + comment
    }

    /// An archive whose headers claim these sizes: where they are the same the file is there, so large; else there is no saying what is.
    ///
    /// - Parameter overlapping: all entries stand for the same bytes.
    static func zip(_ entries: [(name: String, packed: Int, unpacked: Int)], overlapping: Bool = false) -> [UInt8] {
        let samples = entries.map { entry in
            let sample = SampleEntry(entry.name, [UInt8](repeating: 1, count: entry.packed))
            guard entry.packed != entry.unpacked else { return sample }
            return sample.saying {
                ($0.unpacked, $0.method, $0.checksum) = (entry.unpacked, ZipEntry.deflated, 0)
            } inHeader: {
                ($0.unpacked, $0.method, $0.checksum) = (entry.unpacked, ZipEntry.deflated, 0)
            }
        }
        guard overlapping, let first = samples.first else { return zip(samples) }
        let (header, table) = (first.header, samples.flatMap { $0.line(at: 0) })
        return header + table + little(0x0605_4B50, 4) + little(0, 4) + little(samples.count, 2) + little(samples.count, 2)
            + little(table.count, 4) + little(header.count, 4) + little(0, 2)
    }

    /// CRC-32, bit by bit.
    static func checksum(_ bytes: [UInt8]) -> Int {
        let sum = bytes.reduce(UInt32.max) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum & 1 == 0 ? sum >> 1 : sum >> 1 ^ 0xEDB8_8320 }
        }
        return Int(~sum)
    }

    /// RFC 1951 §3.2.6: one zero, then copies of 258 of those before, and single ones for the rest.
    static func deflatedZeros(_ count: Int) -> [UInt8] {
        var (bits, bytes): ([UInt8], [UInt8]) = ([1, 1, 0], [])
        func code(_ value: Int, _ length: Int) -> [UInt8] { (0..<length).reversed().map { UInt8(value >> $0 & 1) } }
        let (copies, zeros) = count > 0 ? ((count - 1) / 258, (count - 1) % 258 + 1) : (0, 0)
        for _ in 0..<zeros { bits += code(0b0011_0000, 8) }
        // Length 285, distance 0.
        for _ in 0..<copies { bits += code(0b1100_0101, 8) + code(0, 5) }
        bits += code(0, 7)
        while bits.count % 8 != 0 { bits.append(0) }
        for start in stride(from: 0, to: bits.count, by: 8) {
            bytes.append((0..<8).reduce(0) { $0 | bits[start + $1] << UInt8($1) })
        }
        return bytes
    }
}
