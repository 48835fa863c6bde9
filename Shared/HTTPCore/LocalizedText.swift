/// A sentence for people in the two languages the product speaks. Chinese is the default; `Accept-Language: en` gets English.
public struct LocalizedText: Sendable, Hashable {
    public let zh: String
    public let en: String

    public init(zh: String, en: String) {
        self.zh = zh
        self.en = en
    }

    public func text(in language: Language) -> String {
        switch language {
        case .zh: zh
        case .en: en
        }
    }

    public enum Language: String, Sendable {
        case zh = "zh-CN"
        case en
    }
}
