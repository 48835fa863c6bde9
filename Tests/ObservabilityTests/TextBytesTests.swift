import Observability
import Testing

@Suite struct TextBytesTests {
    @Test func findsEveryByteThatIsNotPlainWhereverItStands() {
        for length in [1, 15, 16, 17, 100] {
            for place in 0..<length {
                for (odd, isPlain) in [(0x1F, false), (0x20, true), (0x22, false), (0x5C, false), (0x7F, false), (0x7E, true)]
                    as [(UInt8, Bool)]
                {
                    var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: length)
                    bytes[place] = odd
                    #expect(String(decoding: bytes, as: UTF8.self).isPlain(from: 0x20, without: 0x22, 0x5C, 0x7F) == isPlain)
                }
            }
        }
    }

    @Test func takesChineseAndNothing() {
        #expect("敏感肌防晒霜".isPlain(from: 0x20, without: 0x7F))
        #expect("".isPlain(from: 0x20, without: 0x7F))
    }
}
