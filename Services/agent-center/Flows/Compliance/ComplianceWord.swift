import DTO

/// One listed word: what it is, who forbids it, and what to do about it.
struct ComplianceWord: Sendable {
    enum Category: String, Sendable, CaseIterable {
        case superlative
        case first
        case rank
        case absolute
        case authority
        case price
        case medical
        case healthFood = "health_food"
        case cosmetics
        case alcohol
        case finance
        case realEstate = "real_estate"
        case education
        case superstition
        case diversion
        case enticement
        /// The caller's, the tenant's and the platform rules' words.
        case banned

        var chineseName: String {
            switch self {
            case .superlative: "极限用语"
            case .first: "唯一与第一"
            case .rank: "级别用语"
            case .absolute: "绝对承诺"
            case .authority: "权威背书"
            case .price: "价格宣传"
            case .medical: "医疗功效"
            case .healthFood: "保健食品"
            case .cosmetics: "化妆品功效"
            case .alcohol: "酒类宣传"
            case .finance: "收益承诺"
            case .realEstate: "房地产宣传"
            case .education: "教育承诺"
            case .superstition: "封建迷信"
            case .diversion: "站外引流"
            case .enticement: "诱导互动"
            case .banned: "禁用词"
            }
        }
    }

    enum Severity: String, Sendable {
        /// The text must not go out with it.
        case block
        /// Allowed with proof or in some trades: an editor should look.
        case warn
    }

    let word: String
    let category: Category
    let severity: Severity
    /// Law and article, or the platform's rule.
    let source: String
    /// `nil`: everywhere.
    let platforms: Set<ContentPlatform>?
    /// Expressions that contain the word and are no violation.
    let exceptions: [String]
    /// Expressions that contain an exception and are a violation all the same.
    var violations: [String] = []
    /// What may stand in its place without changing what is said otherwise, empty where the rest says enough; `nil` where only a writer can tell.
    let substitute: String?
}

/// Rows of the lists: words separated by blanks (`_` is a blank inside a word), with what is said of some of them beside.
enum ComplianceList {
    static func words(
        _ category: ComplianceWord.Category, _ severity: ComplianceWord.Severity, _ source: String,
        on platforms: Set<ContentPlatform>? = nil, _ words: String, except exceptions: [String: String] = [:],
        but violations: [String: String] = [:], instead substitutes: [String: String] = [:]
    ) -> [ComplianceWord] {
        let words = parts(words)
        assert(
            Set(exceptions.keys).union(violations.keys).union(substitutes.keys).isSubset(of: words),
            "said of a word that is not in the row")
        return words.map { word in
            ComplianceWord(
                word: word, category: category, severity: severity, source: source, platforms: platforms,
                exceptions: parts(exceptions[word] ?? ""), violations: parts(violations[word] ?? ""),
                substitute: substitutes[word])
        }
    }

    private static func parts(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map { String($0.replacing("_", with: " ")) }
    }

    static let all = advertisingLaw + trades + platforms
}
