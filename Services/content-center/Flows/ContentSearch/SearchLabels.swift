import FoundationEssentials
import Observability

/// Where a content is kept, as tokens: a search for one space, topic or tag looks for its token as it looks for words. No text has them.
enum SearchLabels {
    static func tokens(spaceId: UUID?, topic: String?, tags: [String]) -> [String] {
        ((spaceId.map { ["space:\($0.text)"] } ?? []) + (topic.map { ["topic:\($0)"] } ?? []) + tags.map { "tag:\($0)" })
            // Nothing in a label ends a token.
            .map { "l:" + $0.replacing("\u{1F}", with: " ") }
    }
}
