/// What `Range` asks for of something with a known size (RFC 9110 §14.2).
public enum ByteRange: Sendable, Equatable {
    /// No range, one that is not understood, or several: a server may answer all of these with the whole.
    case whole
    case part(offset: Int, length: Int)
    case unsatisfiable

    public init(_ header: String?, size: Int) {
        self = .whole
        guard let header, header.lowercased().hasPrefix("bytes=") else { return }
        let ends = header.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = Self.number(ends[0]), let last = Self.number(ends[1]) else { return }
        switch (first, last) {
        case (nil, nil): return
        case (nil, let count?):
            let length = min(count, size)
            self = length == 0 ? .unsatisfiable : .part(offset: size - length, length: length)
        case (let first?, let last):
            if let last, last < first { return }
            self = first < size ? .part(offset: first, length: min(last ?? .max, size - 1) - first + 1) : .unsatisfiable
        }
    }

    /// - Returns: `nil` inside where nothing stands, `nil` outside for what is no number. What is too large to count is larger than any
    ///   size.
    private static func number(_ text: Substring) -> Int?? {
        let text = text.filter { $0 != " " }
        guard text.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") <= 9 }) else { return nil }
        return .some(text.isEmpty ? nil : Int(text) ?? .max)
    }
}
