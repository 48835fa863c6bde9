import Testing

@testable import Messaging

@Suite struct AcknowledgementWindowTests {
    private typealias Frame = AcknowledgementWindow.Frame

    @Test func acknowledgesTogetherWhatIsSettledWithoutAGap() {
        var window = AcknowledgementWindow()
        #expect(window.settle([1, 2, 3]) == [Frame(tag: 3, isMultiple: true)])
        #expect(window.settle([4]) == [Frame(tag: 4, isMultiple: false)])
        #expect(window.settle([]).isEmpty)
    }

    @Test func acknowledgesAloneWhatCameAfterSomethingUnsettled() {
        var window = AcknowledgementWindow()
        #expect(window.settle([3, 2]) == [Frame(tag: 3, isMultiple: false), Frame(tag: 2, isMultiple: false)])
        // 2 and 3 are known to the broker already.
        #expect(window.settle([1]) == [Frame(tag: 1, isMultiple: false)])
        #expect(window.settle([6, 4]) == [Frame(tag: 4, isMultiple: false), Frame(tag: 6, isMultiple: false)])
        #expect(window.settle([7, 5]) == [Frame(tag: 7, isMultiple: true)])
    }

    /// Against a broker that keeps to the letter of the protocol.
    @Test func settlesEachDeliveryOnce() {
        for seed in UInt64(0)..<200 {
            var random = Dice(state: seed)
            var window = AcknowledgementWindow()
            var open = Set(UInt64(1)...100)
            var waiting = Array(UInt64(1)...100).shuffled(using: &random)
            while !waiting.isEmpty {
                let tags = Array(waiting.prefix(Int.random(in: 1...10, using: &random)))
                waiting.removeFirst(tags.count)
                var acknowledged: Set<UInt64> = []
                for frame in window.settle(tags) {
                    #expect(open.contains(frame.tag), "unknown delivery tag")
                    acknowledged.formUnion(frame.isMultiple ? open.filter { $0 <= frame.tag } : [frame.tag])
                    open.subtract(acknowledged)
                }
                #expect(acknowledged == Set(tags))
            }
        }
    }
}

/// SplitMix64: the same numbers in every run.
private struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}
