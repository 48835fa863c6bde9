import DTO

/// What a content is found by.
struct SearchText: Equatable {
    /// What a match in counts most: the content's name, and the titles that readers see.
    var titles: [String]
    var lines: [String]

    /// - Parameters:
    ///   - labels: topic and tags.
    ///   - files: the names of the files that it shows.
    init(title: String, body: ContentBody, labels: [String] = [], files: [String] = []) {
        titles = [title]
        lines = []
        switch body {
        case .titleSet(let body):
            let chosen = body.selected.flatMap { body.candidates.indices.contains($0) ? $0 : nil }
            if let chosen { titles.append(body.candidates[chosen].title) }
            lines = [body.topic] + body.candidates.map(\.title)
        case .copy(let body):
            if let title = body.title { titles.append(title) }
            lines = [body.text, body.topic] + body.hashtags + [body.callToAction].compactMap(\.self)
        case .imageText(let body):
            titles.append(body.title)
            lines = [body.text, body.topic] + body.hashtags + [body.callToAction].compactMap(\.self)
            for slot in body.slots { lines += [slot.caption, slot.alt] }
        case .videoScript(let body):
            lines = [body.hook]
            for scene in body.scenes { lines += [scene.line, scene.subtitle, scene.visual] }
            lines += [body.cta, body.topic] + body.hashtags
        case .video(let body):
            titles.append(body.title)
            lines = [body.text, body.topic] + body.hashtags
        case .replyTemplate(let body):
            lines = [body.text, body.scene]
        }
        lines += labels + files
        var seen: Set<String> = []
        titles = titles.filter { !$0.isEmpty && seen.insert($0).inserted }
        lines = lines.filter { !$0.isEmpty && seen.insert($0).inserted }
    }

    var tokens: Set<String> { SearchTokens.tokens(titles: titles, lines: lines) }
    var words: Set<String> { SearchTokens.words(in: titles + lines) }
    /// For looking for a phrase.
    var folded: String { SearchTokens.folded((titles + lines).joined(separator: "\n")) }
}
