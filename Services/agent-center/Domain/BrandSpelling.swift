/// Brands are spelt as their owner does.
enum BrandSpelling {
    /// The text with other letter cases of each brand replaced by the brand's own.
    static func corrected(_ text: String, brands: [String]) -> String {
        brands.reduce(text) { $1.isEmpty ? $0 : spelt($1, in: $0) }
    }

    private static func spelt(_ brand: String, in text: String) -> String {
        // Nearly no text holds the brand, and nearly every one can be asked so by its code points.
        if let letters = brand.lowercaseStandingAlone, let there = text.lowercaseStandingAlone, !there.contains(run: letters) {
            return text
        }
        let (needle, haystack) = (Array(brand.lowercased()), Array(text))
        guard !needle.isEmpty, haystack.count >= needle.count else { return text }
        var result = ""
        var index = 0
        while index < haystack.count {
            let end = index + needle.count
            if end <= haystack.count, zip(haystack[index..<end], needle).allSatisfy({ $0.lowercased() == String($1) }) {
                result += brand
                index = end
            } else {
                result.append(haystack[index])
                index += 1
            }
        }
        return result
    }
}
