import FoundationEssentials

/// One page of a keyset-paged list. No `nextCursor` = this was the last one.
public struct Page<Item: Sendable>: Sendable {
    public var items: [Item]
    public var nextCursor: String?

    public init(items: [Item], nextCursor: String? = nil) {
        self.items = items
        self.nextCursor = nextCursor
    }
}

extension Page: Encodable where Item: Encodable {}
extension Page: Decodable where Item: Decodable {}
extension Page: Equatable where Item: Equatable {}

/// Opaque keyset cursors: where a page ended, as base64url of JSON with a tag for the list it belongs to. Not secret, not signed:
/// row-level security decides what a query may see, whatever the cursor says.
public enum PageCursor {
    /// Which list a cursor belongs to, and what a position in it looks like.
    public struct Kind<Position: Codable>: Sendable {
        public let tag: String
        /// - Parameter tag: unlike that of every other list, e.g. `contents`.
        public init(_ tag: String, of position: Position.Type) { self.tag = tag }
    }

    private struct Envelope<Position: Codable>: Codable {
        let k: String
        let p: Position
    }

    public static func encode<Position: Codable>(_ position: Position, as kind: Kind<Position>) throws -> String {
        let text = Data(try JSON.encode(Envelope(k: kind.tag, p: position))).base64EncodedString()
        return text.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// - Returns: `nil` for anything that ``encode(_:as:)`` did not make for this kind.
    public static func decode<Position: Codable>(_ text: String, as kind: Kind<Position>) -> Position? {
        guard text.utf8.count <= 1_024, !text.utf8.contains(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "/") })
        else { return nil }
        var base64 = text.replacing("-", with: "+").replacing("_", with: "/")
        base64 += String(repeating: "=", count: (4 - base64.utf8.count % 4) % 4)
        guard let data = Data(base64Encoded: base64),
            let envelope = try? JSON.decode(Envelope<Position>.self, from: Array(data)), envelope.k == kind.tag
        else { return nil }
        return envelope.p
    }
}
