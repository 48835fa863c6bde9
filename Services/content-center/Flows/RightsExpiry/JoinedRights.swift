import DTO
import FoundationEssentials

/// The rights of what is made from others: whoever may not use a picture any more may not use the film that shows it.
enum JoinedRights {
    /// Stands for no place at all where the sources have none in common: ISO 3166-1 gives it to no country, and an empty list would mean all.
    static let nowhere = "ZZ"

    /// Of one its own; of several every limit as the strictest has it, and everybody's name. A source of which nobody has said anything
    /// limits nothing.
    static func of(_ sources: [AssetRights]) -> AssetRights? {
        guard let first = sources.first, sources.contains(where: { $0 != first }) else { return sources.first }
        let (validFrom, expiresAt) = period(of: sources)
        return AssetRights(
            holder: joined(sources.map(\.holder), by: "、", most: AssetFilingInput.holderLength.upperBound) ?? first.holder,
            license: joined(sources.compactMap(\.license), by: "；", most: AssetFilingInput.licenseLength.upperBound),
            source: joined(sources.compactMap(\.source), by: "；", most: AssetFilingInput.sourceLength.upperBound),
            validFrom: validFrom, expiresAt: expiresAt, territories: territories(of: sources),
            note: joined(sources.compactMap(\.note), by: "\n", most: AssetFilingInput.noteLength.upperBound))
    }

    /// From the latest beginning to the earliest end. Where one ends before another begins a last second is left, so that it is over then.
    private static func period(of sources: [AssetRights]) -> (from: Date?, until: Date?) {
        let (from, until) = (sources.compactMap(\.validFrom).max(), sources.compactMap(\.expiresAt).min())
        guard let from, let until, from >= until else { return (from, until) }
        return (until.addingTimeInterval(-1), until)
    }

    private static func territories(of sources: [AssetRights]) -> [String]? {
        let lists = sources.compactMap(\.territories).filter { !$0.isEmpty }
        guard let first = lists.first else { return nil }
        let common = first.filter { code in lists.allSatisfy { $0.contains(code) } }
        return common.isEmpty ? [nowhere] : common
    }

    private static func joined(_ texts: [String], by separator: String, most: Int) -> String? {
        var seen: Set<String> = []
        let whole = texts.filter { seen.insert($0).inserted }.joined(separator: separator)
        if whole.isEmpty { return nil }
        return whole.count <= most ? whole : whole.prefix(most - 1) + "…"
    }
}
