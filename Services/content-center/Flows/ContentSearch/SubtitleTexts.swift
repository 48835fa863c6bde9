import DTO
import FoundationEssentials

/// What is said in videos, as subtitle files have it.
struct SubtitleTexts: Sendable {
    /// Of one file, in characters: what is said in some forty minutes.
    static let length = 10_000
    /// A passage ends with a sentence, or after so many characters.
    static let passageLength = 120

    let assets: Assets

    /// - Returns: passages, a line each; nothing for a file that is gone, too large or no subtitles.
    func text(of id: UUID, tenantId: UUID) async throws -> String {
        guard let asset = try await assets.store.asset(id, of: tenantId), asset.state == .ready,
            let object = try await assets.object(of: asset, tenantId),
            let bytes = try await assets.objects.read(object, atMost: SubtitleForm.largestFile),
            let text = String(validating: bytes, as: UTF8.self), let cues = try? SubtitleForm.cues(in: text)
        else { return "" }
        return Self.text(of: cues)
    }

    /// Cues end where a screen is full: what is said goes on over them. What is shown twice in a row is said once.
    static func text(of cues: [SubtitleCue]) -> String {
        var passages: [String] = []
        var length = 0
        var isOpen = false
        var last = ""
        for line in cues.flatMap(\.lines) where line != last {
            last = line
            let line = line.prefix(Self.length - length)
            length += line.count
            if isOpen, let end = passages.last?.last, let begin = line.first {
                // Only Chinese is written without blanks.
                let isApart = end.isASCII && begin.isASCII
                passages[passages.count - 1] += isApart ? " \(line)" : String(line)
            } else if !line.isEmpty {
                passages.append(String(line))
            }
            isOpen = passages.last.map { !endsSentence($0) && $0.count < passageLength } ?? false
            if length >= Self.length { break }
        }
        return passages.joined(separator: "\n")
    }

    private static func endsSentence(_ text: String) -> Bool { text.last.map("。！？!?.…；;".contains) ?? false }

    static func passages(in text: String) -> [String] { text.split(separator: "\n").map(String.init) }
}
