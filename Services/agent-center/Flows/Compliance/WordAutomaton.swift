/// Finds all words of a list in one walk over a text (Aho, Corasick 1975): the time depends on the text and on what is found, not on
/// how many words there are.
///
/// Words and texts are sequences of numbers (code points after folding). States lie in flat arrays; only the root, where nearly every
/// step of an ordinary text begins and ends, has a table over all code points.
struct WordAutomaton: Sendable {
    /// The children of state `s` are `edgeStarts[s]..<edgeStarts[s + 1]`, sorted by symbol.
    private var edgeStarts: [UInt32] = []
    private var edgeSymbols: [UInt32] = []
    private var edgeTargets: [UInt32] = []
    /// The state of the longest proper suffix that begins a word.
    private var failures: [UInt32] = []
    /// The state itself or its nearest suffix in which a word ends; 0 = none (no word ends in the root).
    private var firstEnds: [UInt32] = []
    /// The next such suffix behind a state in which a word ends.
    private var nextEnds: [UInt32] = []
    /// The first of the words that end in the state, plus one; 0 = none.
    private var words: [UInt32] = []
    /// The next word equal to a word, plus one.
    private var equalWords: [UInt32] = []
    /// The root's children: `rootBlocks[rootPages[symbol >> 8] << 8 | symbol & 0xFF]`.
    private var rootPages: [UInt32] = []
    private var rootBlocks: [UInt32] = []

    let isEmpty: Bool

    /// - Parameter patterns: empty ones are never found; the same one may stand twice.
    init(_ patterns: [[UInt32]]) {
        isEmpty = patterns.allSatisfy(\.isEmpty)
        guard !isEmpty else { return }
        var trie = Trie()
        equalWords = Array(repeating: 0, count: patterns.count)
        for (index, pattern) in patterns.enumerated() where !pattern.isEmpty {
            let state = trie.insert(pattern)
            equalWords[index] = trie.words[state]
            trie.words[state] = UInt32(index) + 1
        }
        words = trie.words
        layOut(trie)
        link()
    }

    private struct Trie {
        struct Edge {
            let parent: UInt32
            let symbol: UInt32
            let child: UInt32
        }

        var edges: [Edge] = []
        var words: [UInt32] = [0]
        private var children: [UInt64: UInt32] = [:]

        mutating func insert(_ pattern: [UInt32]) -> Int {
            var state: UInt32 = 0
            for symbol in pattern {
                let key = UInt64(state) << 32 | UInt64(symbol)
                if let child = children[key] {
                    state = child
                } else {
                    let child = UInt32(words.count)
                    words.append(0)
                    children[key] = child
                    edges.append(Edge(parent: state, symbol: symbol, child: child))
                    state = child
                }
            }
            return Int(state)
        }
    }

    private mutating func layOut(_ trie: Trie) {
        let edges = trie.edges.sorted { ($0.parent, $0.symbol) < ($1.parent, $1.symbol) }
        edgeStarts = Array(repeating: 0, count: words.count + 1)
        for edge in edges { edgeStarts[Int(edge.parent) + 1] += 1 }
        for state in 1..<edgeStarts.count { edgeStarts[state] += edgeStarts[state - 1] }
        edgeSymbols = edges.map(\.symbol)
        edgeTargets = edges.map(\.child)
        rootPages = Array(repeating: 0, count: 0x1100)
        rootBlocks = Array(repeating: 0, count: 256)
        for edge in edges.prefix(Int(edgeStarts[1])) {
            let page = Int(edge.symbol >> 8)
            if rootPages[page] == 0 {
                rootPages[page] = UInt32(rootBlocks.count >> 8)
                rootBlocks += Array(repeating: 0, count: 256)
            }
            rootBlocks[Int(rootPages[page]) << 8 | Int(edge.symbol & 0xFF)] = edge.child
        }
    }

    /// Breadth first, so that a state's suffixes, which are shorter, are done before it.
    private mutating func link() {
        failures = Array(repeating: 0, count: words.count)
        firstEnds = failures
        nextEnds = failures
        var queue = edgeTargets.prefix(Int(edgeStarts[1])).map(Int.init)
        var head = 0
        while head < queue.count {
            let state = queue[head]
            head += 1
            let failure = Int(failures[state])
            nextEnds[state] = firstEnds[failure]
            firstEnds[state] = words[state] == 0 ? firstEnds[failure] : UInt32(state)
            for edge in Int(edgeStarts[state])..<Int(edgeStarts[state + 1]) {
                let child = Int(edgeTargets[edge])
                failures[child] = UInt32(step(from: failure, by: edgeSymbols[edge]))
                queue.append(child)
            }
        }
    }

    private func child(of state: Int, by symbol: UInt32) -> Int {
        var low = Int(edgeStarts[state])
        var high = Int(edgeStarts[state + 1])
        while high - low > 4 {
            let middle = (low + high) >> 1
            if edgeSymbols[middle] <= symbol { low = middle } else { high = middle }
        }
        while low < high {
            if edgeSymbols[low] == symbol { return Int(edgeTargets[low]) }
            low += 1
        }
        return 0
    }

    @inline(__always)
    private func childOfRoot(by symbol: UInt32) -> Int {
        guard symbol < 0x110000 else { return 0 }
        return Int(rootBlocks[Int(rootPages[Int(symbol >> 8)]) << 8 | Int(symbol & 0xFF)])
    }

    private func step(from start: Int, by symbol: UInt32) -> Int {
        var state = start
        while state != 0 {
            let next = child(of: state, by: symbol)
            if next != 0 { return next }
            state = Int(failures[state])
        }
        return childOfRoot(by: symbol)
    }

    /// Calls `found` with the index of each pattern and the index behind its last symbol, in the order of their ends.
    func scan(_ symbols: [UInt32], _ found: (_ pattern: Int, _ end: Int) -> Void) {
        guard !isEmpty else { return }
        var state = 0
        for index in symbols.indices {
            state = state == 0 ? childOfRoot(by: symbols[index]) : step(from: state, by: symbols[index])
            var ending = Int(firstEnds[state])
            while ending != 0 {
                var word = words[ending]
                while word != 0 {
                    found(Int(word) - 1, index + 1)
                    word = equalWords[Int(word) - 1]
                }
                ending = Int(nextEnds[ending])
            }
        }
    }
}
