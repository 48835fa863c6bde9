import DTO
import HTTPCore

/// What copies, image-texts and scripts are asked for with in common, after the input rules.
struct WritingRequest: Sendable {
    var topic: String
    var platform: ContentPlatform
    var rules: CopyRules
    var audience: String?
    var sellingPoints: [String]
    var tone: String?
    var keywords: [String]
    /// None may appear. Up to ``WritingInput/mostBannedWords``.
    var bannedWords: [String]
    /// Spelt exactly so.
    var brandWords: [String]
    var callToAction: String?
    /// `auto` or a model's name.
    var model: String
    /// Of the version that the caller asked for by name.
    var promptLabel: String?
}

/// A text as it stands and what its editor wants changed.
struct Revision<Text: Codable & Sendable>: Sendable {
    var previous: Text
    var feedback: String
}

/// A request with what writers and judges look up again and again.
struct WritingBrief: Sendable {
    let request: WritingRequest
    let keyWord: KeyWord
    /// Advertising law, the platform's bans and the request's banned words.
    let compliance: Compliance

    /// - Parameter words: `request.bannedWords` as a finder.
    init(_ request: WritingRequest, words: WordFinder) {
        self.request = request
        keyWord = KeyWord(of: request.topic, preferring: request.keywords)
        compliance = Compliance(platform: request.platform, bannedWords: words)
    }

    /// How many banned words a model is told of: what it writes is held against all of them, and a list of thousands would cost more than
    /// the text. The caller's own come first.
    static let bannedWordsTold = 200

    /// The values of the variables that the prompts of all three kinds have.
    func values<Text>(_ revision: Revision<Text>?) -> [String: JSONValue] {
        func list(_ texts: some Sequence<String>) -> JSONValue { .array(texts.map { .string($0) }) }
        func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
        let rules = request.rules
        return [
            "topic": .string(request.topic), "platform": .string(request.platform.rawValue), "audience": text(request.audience),
            "sellingPoints": list(request.sellingPoints), "tone": text(request.tone), "keywords": list(request.keywords),
            "bannedWords": list(request.bannedWords.prefix(Self.bannedWordsTold)), "brandWords": list(request.brandWords),
            "callToAction": text(request.callToAction), "voice": .string(rules.voice),
            "minHashtags": .number(String(rules.minHashtags)), "maxHashtags": .number(String(rules.maxHashtags)),
            "previous": revision.flatMap { try? JSONValue(encoding: $0.previous) } ?? .null, "feedback": text(revision?.feedback),
        ]
    }

    /// The values of the rules for a text with a title.
    var lengthValues: [String: JSONValue] {
        let rules = request.rules
        return [
            "titleLength": .number(String(rules.titleLength ?? 0)), "minLength": .number(String(rules.minLength)),
            "maxLength": .number(String(rules.maxLength)), "emoji": .string(rules.emoji.rawValue),
            "allowsLinks": .bool(rules.allowsLinks),
        ]
    }
}

extension JSONValue {
    init(encoding value: some Encodable) throws { try self.init(parsing: JSON.encode(value)) }
}
