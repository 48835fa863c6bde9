import HTTPCore
import Testing

@Suite struct ByteRangeTests {
    @Test(
        arguments: [
            (nil, ByteRange.whole), ("bytes=0-", .part(offset: 0, length: 10)), ("bytes=0-0", .part(offset: 0, length: 1)),
            ("bytes=2-5", .part(offset: 2, length: 4)), ("bytes=2-99", .part(offset: 2, length: 8)),
            ("Bytes=9-", .part(offset: 9, length: 1)),
            ("bytes=-3", .part(offset: 7, length: 3)), ("bytes=-99", .part(offset: 0, length: 10)),
            ("bytes=10-", .unsatisfiable), ("bytes=-0", .unsatisfiable), ("bytes=99999999999999999999-", .unsatisfiable),
            ("bytes=0-99999999999999999999", .part(offset: 0, length: 10)),
            ("bytes=5-2", .whole), ("bytes=-", .whole), ("bytes=a-2", .whole), ("bytes=1-2,4-5", .whole), ("items=1-2", .whole),
            ("bytes=+1-2", .whole), ("bytes=1", .whole),
        ] as [(String?, ByteRange)]) func readsOneRange(header: String?, range: ByteRange)
    {
        #expect(ByteRange(header, size: 10) == range)
    }

    @Test func nothingOfNothingCanBeHad() {
        #expect(ByteRange("bytes=0-", size: 0) == .unsatisfiable)
        #expect(ByteRange("bytes=-1", size: 0) == .unsatisfiable)
    }
}
