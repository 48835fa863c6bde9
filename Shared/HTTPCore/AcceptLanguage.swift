extension LocalizedText.Language {
    /// The language to answer in: English only where the header prefers it over Chinese (RFC 9110 §12.5.4); Chinese otherwise.
    public init(acceptLanguage header: String?) {
        guard let header else {
            self = .zh
            return
        }
        var chinese: Double?
        var english: Double?
        for range in header.split(separator: ",") {
            let parts = range.split(separator: ";").map { $0.trimmingSpaces() }
            guard let tag = parts.first?.lowercased() else { continue }
            var quality = 1.0
            for parameter in parts.dropFirst() where parameter.hasPrefix("q=") {
                quality = Double(parameter.dropFirst(2)) ?? 0
            }
            if tag == "en" || tag.hasPrefix("en-") { english = max(english ?? 0, quality) }
            if tag == "zh" || tag.hasPrefix("zh-") || tag == "*" { chinese = max(chinese ?? 0, quality) }
        }
        self = (english ?? 0) > (chinese ?? 0) ? .en : .zh
    }
}

extension Substring {
    fileprivate func trimmingSpaces() -> Substring {
        var text = self.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
