import DTO
import HTTPCore

/// A picture against the limits of Douyin, before it is published (`reference/douyin-openapi.md` §2.4, §2.8). That a post has at most 30 is a rule
/// of bodies: an image-text has fewer places than that.
enum DouyinPictureRule {
    static let largestBytes = 20 << 20
    /// Of one post.
    static let mostPictures = 30

    private static let types: Set<FileType> = [.png, .jpeg, .gif]

    enum Finding: String, Sendable, Equatable, CaseIterable {
        case tooLarge = "picture_too_large"
        case format = "picture_format"
    }

    /// - Returns: `nil` where the file is no picture.
    static func findings(_ facts: MediaFacts) -> [Finding]? {
        let type = FileType(rawValue: facts.type)
        guard facts.isPicture else { return nil }
        var found: [Finding] = []
        if facts.size > largestBytes { found.append(.tooLarge) }
        if !(type.map(types.contains) ?? false) { found.append(.format) }
        return found
    }

    static func report(_ facts: MediaFacts, in language: LocalizedText.Language) -> DouyinVideoReport? {
        guard let found = findings(facts) else { return nil }
        return DouyinVideoReport(
            isAccepted: found.isEmpty,
            findings: found.map {
                DouyinVideoFinding(severity: .error, code: $0.rawValue, message: $0.message.text(in: language))
            })
    }
}

extension DouyinPictureRule.Finding {
    var message: LocalizedText {
        switch self {
        case .tooLarge: LocalizedText(zh: "图片超过 20 MB", en: "The picture is larger than 20 MB")
        case .format: LocalizedText(zh: "应为 PNG、JPEG 或 GIF", en: "It should be PNG, JPEG or GIF")
        }
    }
}
