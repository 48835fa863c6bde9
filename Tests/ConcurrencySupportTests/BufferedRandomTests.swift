import ConcurrencySupport
import Testing

@Suite struct BufferedRandomTests {
    @Test func numbersDrawnAtOnceFromManyTasksAllDiffer() async {
        let drawn = await withTaskGroup(of: [UInt64].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var generator = BufferedRandom()
                    return (0..<5_000).map { _ in generator.next() }
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(drawn).count == 40_000)
        // Each of the 64 bits is set in about half of them; 9 standard deviations are 900.
        for bit in 0..<64 {
            let count = drawn.count { $0 >> bit & 1 == 1 }
            #expect((19_100...20_900).contains(count), "bit \(bit)")
        }
    }
}
