/// The transfers of the loop by their next due time, earliest first. Each element knows its place, so that moving and removing it is
/// logarithmic. Used by the loop's thread only.
struct TimerHeap {
    private var items: [Transfer] = []

    var first: Transfer? { items.first }

    /// Puts the transfer in, or moves it to where its `due` belongs.
    mutating func schedule(_ transfer: Transfer) {
        if transfer.heapIndex < 0 {
            transfer.heapIndex = items.count
            items.append(transfer)
        }
        siftUp(transfer.heapIndex)
        siftDown(transfer.heapIndex)
    }

    mutating func remove(_ transfer: Transfer) {
        let index = transfer.heapIndex
        guard index >= 0 else { return }
        swapItems(index, items.count - 1)
        items.removeLast()
        transfer.heapIndex = -1
        guard index < items.count else { return }
        siftUp(index)
        siftDown(index)
    }

    private mutating func siftUp(_ start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard items[index].due < items[parent].due else { return }
            swapItems(index, parent)
            index = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var index = start
        while true {
            var smallest = index
            for child in [2 * index + 1, 2 * index + 2] where child < items.count && items[child].due < items[smallest].due {
                smallest = child
            }
            guard smallest != index else { return }
            swapItems(index, smallest)
            index = smallest
        }
    }

    private mutating func swapItems(_ a: Int, _ b: Int) {
        guard a != b else { return }
        items.swapAt(a, b)
        items[a].heapIndex = a
        items[b].heapIndex = b
    }
}
