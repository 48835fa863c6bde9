/// What was asked of a text's writer beside topic and platform. It is kept with the text, so that whatever is written anew is written by
/// the same wishes. Everything is absent that nobody asked for; contents from before it was kept have none.
public struct ContentBrief: Codable, Sendable, Equatable {
    public var audience: String?
    public var sellingPoints: [String]?
    public var tone: String?
    public var keywords: [String]?
    /// Beside the tenant's own and the platform's.
    public var bannedWords: [String]?
    /// What it was to ask of its readers; what it asks stands in the body.
    public var callToAction: String?
    /// Of an image-text.
    public var imageStyle: String?
    /// The longest title of a title set, in grapheme clusters.
    public var maxLength: Int?

    /// - Returns: `nil` where nothing was asked for.
    public init?(
        audience: String? = nil, sellingPoints: [String] = [], tone: String? = nil, keywords: [String] = [],
        bannedWords: [String] = [], callToAction: String? = nil, imageStyle: String? = nil, maxLength: Int? = nil
    ) {
        func some(_ list: [String]) -> [String]? { list.isEmpty ? nil : list }
        let texts = [audience, tone, callToAction, imageStyle].compactMap(\.self) + sellingPoints + keywords + bannedWords
        if texts.isEmpty, maxLength == nil { return nil }
        self.audience = audience
        self.sellingPoints = some(sellingPoints)
        self.tone = tone
        self.keywords = some(keywords)
        self.bannedWords = some(bannedWords)
        self.callToAction = callToAction
        self.imageStyle = imageStyle
        self.maxLength = maxLength
    }
}
