import DTO

/// What a content or an asset is found by.
struct SearchText {
    /// What a match in counts most: the content's name, and the titles that readers see.
    private(set) var titles: [String]
    /// What it says, by what of it says so; the titles are not among it.
    private(set) var fields: [(field: SearchField, lines: [String])]

    /// - Parameters:
    ///   - labels: topic and tags.
    ///   - files: the names of the files that it shows.
    ///   - spoken: what is said in its video. It is found by that too, but counts for less.
    init(title: String, body: ContentBody, labels: [String] = [], files: [String] = [], spoken: [String] = []) {
        titles = [title]
        var lines: [String] = []
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
        var seen: Set<String> = []
        titles = titles.filter { !$0.isEmpty && seen.insert($0).inserted }
        fields = [(.body, lines), (.label, labels), (.file, files), (.subtitle, spoken)]
        for index in fields.indices { fields[index].lines.removeAll { $0.isEmpty || !seen.insert($0).inserted } }
    }

    /// An asset: its name stands for a title.
    ///
    /// - Parameters:
    ///   - folders: the names of those that it lies in.
    ///   - spoken: what is said in it; of a subtitle file, what it says.
    init(file: String?, tags: [String], folders: [String], spoken: [String]) {
        titles = [file].compactMap(\.self)
        var seen = Set(titles)
        fields = [(.label, tags), (.folder, folders), (.subtitle, spoken)]
        for index in fields.indices { fields[index].lines.removeAll { $0.isEmpty || !seen.insert($0).inserted } }
    }

    var isEmpty: Bool { titles.isEmpty && fields.allSatisfy { $0.lines.isEmpty } }

    /// All of it but the titles.
    var lines: [String] { fields.flatMap(\.lines) }

    /// What it is found by, and of that what nothing but what is said in it has.
    var tokens: (all: TokenSet, spoken: TokenSet) {
        let (said, written) = (fields.filter { $0.field == .subtitle }, fields.filter { $0.field != .subtitle })
        var all = SearchTokens.tokens(titles: titles, lines: written.flatMap(\.lines))
        var spoken = SearchTokens.tokens(titles: [], lines: said.flatMap(\.lines))
        spoken.subtract(all)
        all.formUnion(spoken)
        return (all, spoken)
    }

    var words: Set<String> { SearchTokens.words(in: titles + lines) }
    /// For looking for a phrase.
    var folded: String { SearchTokens.folded((titles + lines).joined(separator: "\n")) }
}
