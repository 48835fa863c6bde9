extension Array where Element: Sendable {
    /// Transforms the elements side by side, so many at a time; the results keep the order. The first error stops the rest.
    func mapConcurrently<Value: Sendable>(
        atMost width: Int, _ transform: @escaping @Sendable (Element) async throws -> Value
    ) async throws -> [Value] {
        try await withThrowingTaskGroup(of: (Int, Value).self) { group in
            var results = [Value?](repeating: nil, count: count)
            var rest = enumerated().makeIterator()
            func addNext() {
                guard let (index, element) = rest.next() else { return }
                group.addTask { (index, try await transform(element)) }
            }
            for _ in 0..<width { addNext() }
            while let (index, value) = try await group.next() {
                results[index] = value
                addNext()
            }
            return results.compactMap { $0 }
        }
    }
}
