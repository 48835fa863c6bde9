import Cryptography

/// A text's place in the space of a model: float32, little-endian, as vendors hand it out.
struct MeaningVector: Sendable, Equatable {
    static let dimensions = 8...4_096

    let bytes: [UInt8]
    let numbers: [Float]

    /// - Returns: `nil` for anything but finite numbers in a usual count, and for the one that points nowhere.
    init?(_ bytes: [UInt8]) {
        guard bytes.count.isMultiple(of: 4), Self.dimensions.contains(bytes.count / 4) else { return nil }
        numbers = bytes.withUnsafeBytes { bytes in
            (0..<bytes.count / 4).map { index in
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))
            }
        }
        guard numbers.allSatisfy(\.isFinite), numbers.contains(where: { $0 != 0 }) else { return nil }
        self.bytes = bytes
    }

    init?(base64 text: String) {
        guard let bytes = Base64.decode(text) else { return nil }
        self.init(bytes)
    }

    /// Which way each number points, as `0` and `1`. Vectors of near meaning agree in most of them, and counting where two differ costs
    /// next to nothing: it finds the candidates whose cosines are then computed.
    var signature: String { String(decoding: numbers.map { $0 < 0 ? UInt8(ascii: "0") : UInt8(ascii: "1") }, as: UTF8.self) }

    /// -1 to 1; 0 for vectors of different spaces.
    func cosine(with other: MeaningVector) -> Float {
        guard numbers.count == other.numbers.count else { return 0 }
        var (product, own, others): (Float, Float, Float) = (0, 0, 0)
        for index in numbers.indices {
            product += numbers[index] * other.numbers[index]
            own += numbers[index] * numbers[index]
            others += other.numbers[index] * other.numbers[index]
        }
        let length = (own * others).squareRoot()
        return length.isNormal ? max(-1, min(1, product / length)) : 0
    }
}
