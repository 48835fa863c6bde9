/// Goes through a file in pieces.
struct ByteCursor<Source: ByteSource> {
    private static var pieceSize: Int { 1 << 16 }

    let file: Source
    /// Of the next byte.
    private(set) var place: Int
    private var piece: [UInt8] = []
    private var start = 0

    init(_ file: Source, at place: Int) {
        self.file = file
        self.place = place
    }

    /// `nil` at the end.
    mutating func next() throws -> UInt8? {
        if !(start..<start + piece.count).contains(place) {
            guard place < file.size else { return nil }
            start = place
            piece = try file.read(at: place, count: Self.pieceSize)
            guard !piece.isEmpty else { return nil }
        }
        defer { place += 1 }
        return piece[place - start]
    }

    mutating func skip(_ count: Int) { place += count }
}
