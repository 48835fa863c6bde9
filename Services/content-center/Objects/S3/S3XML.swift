/// What S3 answers in XML, as far as we read it: elements without attributes, found by name.
struct S3XML: Sendable {
    private let text: Substring

    init(_ bytes: [UInt8]) { text = String(decoding: bytes, as: UTF8.self)[...] }

    private init(_ text: Substring) { self.text = text }

    /// What stands inside the elements of this name, in their order.
    func all(_ name: String) -> [S3XML] {
        var found: [S3XML] = []
        var rest = text
        while let opening = rest.firstRange(of: "<\(name)>") {
            let inside = rest[opening.upperBound...]
            guard let closing = inside.firstRange(of: "</\(name)>") else { break }
            found.append(S3XML(inside[..<closing.lowerBound]))
            rest = inside[closing.upperBound...]
        }
        return found
    }

    func first(_ name: String) -> S3XML? { all(name).first }

    /// The text of the first element of this name.
    func string(_ name: String) -> String? { first(name).map { Self.unescape(String($0.text)) } }

    func int(_ name: String) -> Int? { string(name).flatMap { Int($0) } }

    private static func unescape(_ text: String) -> String {
        [("&quot;", "\""), ("&#34;", "\""), ("&apos;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")]
            .reduce(text) { $0.replacing($1.0, with: $1.1) }
    }

    static func escape(_ text: String) -> String {
        [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;")].reduce(text) { $0.replacing($1.0, with: $1.1) }
    }
}
