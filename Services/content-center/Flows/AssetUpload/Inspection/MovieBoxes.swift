/// The boxes of an MPEG-4 or QuickTime file (ISO/IEC 14496-12 §4.2), by their heads alone.
struct MovieBoxes {
    struct Box {
        let type: String
        let body: Range<Int>
    }

    /// A film in fragments has thousands.
    static let most = 20_000

    /// Those that could be read.
    private(set) var boxes: [Box] = []
    /// Where they end: short of the range's end where something stands behind them that is no box.
    private(set) var end: Int

    init(in range: Range<Int>, of file: some ByteSource, most: Int = Self.most) throws {
        end = range.lowerBound
        while end < range.upperBound, boxes.count < most {
            let head = try file.read(at: end, count: min(16, range.upperBound - end))
            guard head.count >= 8 else { return }
            var (size, length) = (Self.number(head[0..<4]), 8)
            if size == 1 {
                guard head.count == 16, head[8] < 0x80 else { return }
                (size, length) = (Self.number(head[8..<16]), 16)
            } else if size == 0 {
                size = range.upperBound - end
            }
            guard size >= length, size <= range.upperBound - end else { return }
            boxes.append(Box(type: String(decoding: head[4..<8], as: UTF8.self), body: end + length..<end + size))
            end += size
        }
        // What is behind so many is taken for more of the same.
        if boxes.count == most { end = range.upperBound }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

    /// Whether one of its tracks is a picture that moves: of the film that players play, the first.
    static func showsPictures(_ file: some ByteSource) throws -> Bool {
        // For the whole walk: boxes within boxes would be as many times as many.
        var left = most
        func below(_ name: String, _ range: Range<Int>) throws -> [Range<Int>] {
            let boxes = try MovieBoxes(in: range, of: file, most: left).boxes
            left -= boxes.count
            return boxes.filter { $0.type == name }.map(\.body)
        }
        guard let movie = try below("moov", 0..<file.size).first else { return false }
        for track in try below("trak", movie) {
            guard let media = try below("mdia", track).first, let handler = try below("hdlr", media).first else { continue }
            if try file.read(at: handler.lowerBound + 8, count: 4).elementsEqual("vide".utf8) { return true }
        }
        return false
    }
}
