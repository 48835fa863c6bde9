extension String {
    /// Whether every byte of its UTF-8 is at least `low` and none of the others.
    ///
    /// Looks at all of them, and without branches, so that the compiler compares sixteen at a time: nearly every text that is written has
    /// nothing to escape, and an early way out would cost eight times as much.
    @inlinable
    public func isPlain(from low: UInt8, without first: UInt8, _ second: UInt8 = 0, _ third: UInt8 = 0) -> Bool {
        // Without a copy of its own: that would be counted.
        utf8.withContiguousStorageIfAvailable { bytes in
            var found: UInt8 = 0
            for byte in bytes {
                found |= (byte < low ? 1 : 0) | (byte == first ? 1 : 0)
                found |= (byte == second ? 1 : 0) | (byte == third ? 1 : 0)
            }
            return found == 0
        } ?? false
    }
}
