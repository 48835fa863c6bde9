/// A file name made of a title that somebody typed, as `Content-Disposition` carries it (RFC 6266).
struct ExportFileName: Sendable, Equatable {
    /// Without the extension; safe on every file system.
    let stem: String
    let fallback: String
    let fileExtension: String

    /// What file systems take is 255 bytes; a download's counter and the extension want room.
    static let longestStem = 180

    /// - Parameters:
    ///   - fallback: ASCII; for clients that know no `filename*`, and for titles of which nothing is left.
    init(title: String, fallback: String, fileExtension: String) {
        let stem = Self.cleaned(title)
        self.stem = stem.isEmpty ? fallback : stem
        self.fallback = fallback
        self.fileExtension = fileExtension
    }

    /// A file's own name, split at its last dot.
    init(of name: String) {
        let dot = name.lastIndex(of: ".").flatMap { $0 > name.startIndex ? $0 : nil }
        let fileExtension = dot.map { name[name.index(after: $0)...].filter { $0.isASCII && ($0.isLetter || $0.isNumber) } } ?? ""
        self.init(
            title: String(dot.map { name[..<$0] } ?? name[...]), fallback: "file",
            fileExtension: fileExtension.isEmpty ? "bin" : fileExtension)
    }

    /// `attachment; filename="video_script.md"; filename*=UTF-8''%E7%8C%AB.md`. The encoded form is RFC 8187's: everything but `attr-char`.
    var contentDisposition: String {
        let name = (stem + "." + fileExtension).utf8.map { Self.isPlain($0) ? String(UnicodeScalar($0)) : Self.escaped($0) }
        return "attachment; filename=\"\(fallback).\(fileExtension)\"; filename*=UTF-8''\(name.joined())"
    }

    /// Leaves out what a file system or a terminal could take for something else: separators, control and direction characters, dots and
    /// spaces at the ends, and the names that Windows keeps for devices.
    private static func cleaned(_ title: String) -> String {
        var stem = ""
        for character in title {
            let scalars = character.unicodeScalars.filter { !isInvisible($0) }
            guard !scalars.isEmpty else {
                if character.isWhitespace, stem.last != " " { stem += " " }
                continue
            }
            let safe = String(String.UnicodeScalarView(scalars))
            let piece = separators.contains(safe) ? "_" : safe
            guard stem.utf8.count + piece.utf8.count <= longestStem else { break }
            stem += piece
        }
        while let first = stem.first, first == "." || first.isWhitespace { stem.removeFirst() }
        while let last = stem.last, last == "." || last.isWhitespace { stem.removeLast() }
        let device = stem.prefix { $0 != "." }.uppercased()
        return devices.contains(device) ? "_" + stem : stem
    }

    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: true
        // Joiners stay, they hold emoji together; marks of direction go.
        case .format: scalar != "\u{200D}"
        default: false
        }
    }

    private static let separators: Set<String> = ["/", "\\", ":", "*", "?", "\"", "<", ">", "|"]
    private static let devices: Set<String> = Set(
        ["CON", "PRN", "AUX", "NUL"] + (1...9).flatMap { ["COM\($0)", "LPT\($0)"] })

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$&+-.^_`|~".utf8.contains(byte)
        }
    }

    private static func escaped(_ byte: UInt8) -> String {
        let digits = Array("0123456789ABCDEF")
        return "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
    }
}
