extension String {
    /// Whether every byte of its UTF-8 is at least `low` and none of the others.
    ///
    /// Looks at all of them, and without branches, so that the compiler compares sixteen at a time: nearly every text that is written has
    /// nothing to escape, and an early way out would cost eight times as much.
    @inlinable
    public func isPlain(from low: UInt8, without first: UInt8, _ second: UInt8 = 0, _ third: UInt8 = 0) -> Bool {
        var text = self
        return text.withUTF8 { bytes in
            guard let start = bytes.baseAddress else { return true }
            var found: UInt8 = 0
            for index in 0..<bytes.count {
                let byte = start[index]
                found |= (byte < low ? 1 : 0) | (byte == first ? 1 : 0)
                found |= (byte == second ? 1 : 0) | (byte == third ? 1 : 0)
            }
            return found == 0
        }
    }
}
