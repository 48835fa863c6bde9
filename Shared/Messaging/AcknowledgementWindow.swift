/// Which deliveries of one channel have been settled, so that those settled together are acknowledged together: to a quorum queue each
/// acknowledgement is an entry of its log.
struct AcknowledgementWindow {
    /// A frame `basic.ack`.
    struct Frame: Equatable {
        let tag: UInt64
        /// Of this delivery and of all before it.
        let isMultiple: Bool
    }

    /// The first delivery that is not settled. A channel numbers its deliveries from 1.
    private var first: UInt64 = 1
    /// Of later ones.
    private var settled: Set<UInt64> = []

    /// - Parameter tags: of deliveries that were not settled before.
    mutating func settle(_ tags: [UInt64]) -> [Frame] {
        settled.formUnion(tags)
        while settled.remove(first) != nil { first += 1 }
        let together = tags.filter { $0 < first }
        var frames = tags.filter { $0 >= first }.map { Frame(tag: $0, isMultiple: false) }
        // The newest of these, and no other: the broker takes an unknown tag amiss, and earlier ones may be acknowledged already.
        if let newest = together.max() { frames.insert(Frame(tag: newest, isMultiple: together.count > 1), at: 0) }
        return frames
    }
}
