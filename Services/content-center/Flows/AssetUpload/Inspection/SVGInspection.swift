/// A drawing that draws, and nothing else. Allowed is what is known to be harmless: a list of what is forbidden is never whole.
enum SVGInspection {
    private static let elements: Set<String> = [
        "svg", "g", "defs", "symbol", "use", "title", "desc", "metadata", "path", "rect", "circle", "ellipse", "line", "polyline",
        "polygon", "text", "tspan", "textpath", "lineargradient", "radialgradient", "stop", "clippath", "mask", "pattern",
        "marker",
        "filter", "fegaussianblur", "feoffset", "feblend", "fecolormatrix", "fecomposite", "feflood", "femerge", "femergenode",
        "fedropshadow", "switch", "style",
    ]

    /// - Throws: ``FileFlaw``.
    static func check(_ bytes: [UInt8]) throws {
        guard let text = String(validating: bytes, as: UTF8.self), !text.unicodeScalars.contains("\0") else {
            throw FileFlaw.otherType(found: nil)
        }
        let lower = text.lowercased()
        guard lower.contains("<svg") else { throw FileFlaw.otherType(found: nil) }
        // Entities can spell anything, and a CDATA section hides it.
        if lower.contains("<!entity") || lower.contains("<!doctype") || lower.contains("<![cdata[")
            || lower.contains("<?xml-stylesheet")
        {
            throw FileFlaw.script
        }
        var rest = Substring(lower)
        var isFirst = true
        while let start = rest.firstIndex(of: "<") {
            rest = rest[rest.index(after: start)...]
            if rest.hasPrefix("!--") {
                guard let end = rest.firstRange(of: "-->") else { throw FileFlaw.damaged }
                rest = rest[end.upperBound...]
                continue
            }
            if rest.hasPrefix("?xml ") {
                guard let end = rest.firstRange(of: "?>") else { throw FileFlaw.damaged }
                rest = rest[end.upperBound...]
                continue
            }
            let tag = try Self.tag(&rest)
            guard !tag.isEmpty else { throw FileFlaw.damaged }
            if tag.hasPrefix("/") { continue }
            let name = tag.prefix { !$0.isWhitespace && $0 != "/" }
            if isFirst, name != "svg" { throw FileFlaw.otherType(found: nil) }
            isFirst = false
            guard elements.contains(String(name)) else { throw FileFlaw.script }
            try checkAttributes(tag.dropFirst(name.count))
            if name == "style", !tag.hasSuffix("/") {
                guard let end = rest.firstRange(of: "</") else { throw FileFlaw.damaged }
                try checkStyle(rest[..<end.lowerBound])
            }
        }
        if isFirst { throw FileFlaw.damaged }
    }

    /// Up to the `>` that is not within quotes.
    private static func tag(_ rest: inout Substring) throws -> Substring {
        var quote: Character?
        var index = rest.startIndex
        while index < rest.endIndex {
            let character = rest[index]
            if let open = quote {
                if character == open { quote = nil }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == ">" {
                defer { rest = rest[rest.index(after: index)...] }
                return rest[..<index]
            } else if character == "<" {
                throw FileFlaw.damaged
            }
            index = rest.index(after: index)
        }
        throw FileFlaw.damaged
    }

    private static func checkAttributes(_ attributes: Substring) throws {
        var rest = attributes
        while let equals = rest.firstIndex(of: "=") {
            let name = rest[..<equals].split(whereSeparator: { $0.isWhitespace || $0 == "/" }).last ?? ""
            rest = rest[rest.index(after: equals)...].drop(while: \.isWhitespace)
            guard let quote = rest.first, quote == "\"" || quote == "'",
                let end = rest.dropFirst().firstIndex(of: quote)
            else { throw FileFlaw.damaged }
            let value = rest[rest.index(after: rest.startIndex)..<end]
            rest = rest[rest.index(after: end)...]
            let local = name.split(separator: ":").last ?? ""
            if local.hasPrefix("on") { throw FileFlaw.script }
            if local == "href" || local == "src" {
                // Only within the drawing itself.
                guard value.drop(while: \.isWhitespace).hasPrefix("#") else { throw FileFlaw.script }
            } else if !(name == "xmlns" || name.hasPrefix("xmlns:")) {
                try checkStyle(value)
            }
        }
    }

    /// Nothing is fetched, nothing is run: `url(#name)` is all that may be referred to. Escapes could spell the forbidden words.
    private static func checkStyle(_ style: Substring) throws {
        if style.contains("\\") || style.contains("@import") || style.contains("expression(") || style.contains("javascript:")
            || style.contains("-moz-binding") || style.contains("&#")
        {
            throw FileFlaw.script
        }
        var rest = style
        while let url = rest.firstRange(of: "url(") {
            rest = rest[url.upperBound...]
            guard rest.drop(while: { $0.isWhitespace || $0 == "\"" || $0 == "'" }).hasPrefix("#") else { throw FileFlaw.script }
        }
    }
}
