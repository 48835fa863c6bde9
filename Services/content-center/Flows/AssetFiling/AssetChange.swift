import DTO
import FoundationEssentials
import HTTPCore

/// What people say about an asset; its bytes are not theirs to change.
struct AssetDetails: Sendable, Equatable {
    var filename: String
    var folderId: UUID?
    /// In their order, each once.
    var tags: [String]
    var rights: AssetRights?
}

extension AssetDetails {
    init(_ asset: LibraryAsset) {
        self.init(filename: asset.filename, folderId: asset.folderId, tags: asset.tags, rights: asset.rights)
    }
}

/// A merge patch of it.
struct AssetChange: Sendable, Equatable {
    var filename: String?
    var folderId: LabelField<UUID> = .keep
    /// The whole new set.
    var tags: [String]?
    var rights: LabelField<RightsChange> = .keep

    /// - Parameter type: of the asset's bytes, which its name has to fit.
    func applied(to details: AssetDetails, of type: FileType?) throws(ValidationFailure) -> AssetDetails {
        if let filename, let type, let issue = FileNameRule.check(filename, as: type) {
            throw ValidationFailure(pointer: "/filename", code: issue.code, zh: issue.message.zh, en: issue.message.en)
        }
        let rights: AssetRights? =
            switch self.rights {
            case .keep: details.rights
            case .clear: nil
            case .value(let change): try change.applied(to: details.rights)
            }
        return AssetDetails(
            filename: filename ?? details.filename, folderId: folderId.applied(to: details.folderId),
            tags: tags ?? details.tags, rights: rights)
    }
}

/// A merge patch of the rights.
struct RightsChange: Sendable, Equatable {
    var holder: String?
    var license: LabelField<String> = .keep
    var source: LabelField<String> = .keep
    var validFrom: LabelField<Date> = .keep
    var expiresAt: LabelField<Date> = .keep
    /// The whole new set.
    var territories: [String]?
    var note: LabelField<String> = .keep

    func applied(to rights: AssetRights?) throws(ValidationFailure) -> AssetRights {
        guard let holder = self.holder ?? rights?.holder else {
            throw ValidationFailure(pointer: "/rights/holder", code: "required", zh: "必填", en: "is required")
        }
        let territories = self.territories ?? rights?.territories ?? []
        let new = AssetRights(
            holder: holder, license: license.applied(to: rights?.license), source: source.applied(to: rights?.source),
            validFrom: validFrom.applied(to: rights?.validFrom), expiresAt: expiresAt.applied(to: rights?.expiresAt),
            territories: territories.isEmpty ? nil : territories, note: note.applied(to: rights?.note))
        if let from = new.validFrom, let end = new.expiresAt, from >= end {
            throw ValidationFailure(
                pointer: "/rights/expiresAt", code: "out_of_range", zh: "应晚于 validFrom", en: "must be later than validFrom")
        }
        return new
    }
}
