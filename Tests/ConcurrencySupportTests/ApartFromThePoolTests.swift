import TestSupport
import Testing

@Suite struct ApartFromThePoolTests {
    @Suite(.apartFromThePool) struct Marked {
        @Test func whatComputesLeavesThePoolToOthers() { #expect(ApartFromThePool.isHere) }

        @Test(arguments: [1, 2]) func casesDoSoToo(_: Int) async {
            await Task.yield()
            #expect(ApartFromThePool.isHere)
        }
    }

    @Test func othersStay() { #expect(!ApartFromThePool.isHere) }
}
