import Cryptography
import DTO
import FoundationEssentials
import HTTPCore
import Observability
import PostgresStore

/// An asset as the library shows it, from `content_assets`.
extension LibraryAsset {
    static let columns = """
        content_assets.id, state, filename, media_type, scope, content_assets.size, content_assets.sha256, revision, folder_id, tags,
        rights_holder, rights_license, rights_source, rights_valid_from, rights_expires_at, rights_territories, rights_note,
        \(rightsStateColumn) AS rights_state, created_by, content_assets.created_at, updated_at, watermark_job_id,
        \(previewsColumn) AS previews
        """

    private static let previewsColumn = """
        (SELECT jsonb_object_agg(p.kind, jsonb_build_object(
            'url', p.object_id, 'mediaType', p.media_type, 'width', p.width, 'height', p.height))
            FROM asset_previews p WHERE p.tenant_id = content_assets.tenant_id AND p.asset_id = content_assets.id)
        """

    /// Where its rights stand now.
    static let rightsStateColumn = """
        CASE WHEN rights_holder IS NULL THEN 'unstated' WHEN rights_expires_at <= app_now() THEN 'expired'
            WHEN rights_valid_from > app_now() THEN 'upcoming'
            WHEN rights_expires_at <= \(soon) THEN 'expiring' ELSE 'valid' END
        """

    /// The end of those that end soon.
    private static let soon = "app_now() + interval '\(24 * (RightsRule.days.max() ?? 0)) hours'"

    /// The same as a condition that an index can serve.
    static func condition(for state: AssetRightsState) -> String {
        let hasBegun = "coalesce(rights_valid_from <= app_now(), true)"
        let condition =
            switch state {
            case .unstated: "rights_holder IS NULL"
            case .expired: "rights_expires_at <= app_now()"
            case .upcoming: "rights_valid_from > app_now() AND coalesce(rights_expires_at > app_now(), true)"
            case .expiring: "rights_expires_at > app_now() AND rights_expires_at <= \(soon) AND \(hasBegun)"
            case .valid: "coalesce(rights_expires_at > \(soon), true) AND \(hasBegun)"
            }
        return state == .unstated ? condition : "rights_holder IS NOT NULL AND \(condition)"
    }

    init(_ row: Row) throws {
        let mediaType: String = try row.decode("media_type")
        let id: UUID = try row.decode("id")
        let state: String = try row.decode("state")
        let createdAt: Date = try row.decode("created_at")
        self.init(
            id: id, state: AssetState(rawValue: state) ?? .ready,
            // Pictures that flows made have no name of their own.
            filename: try row.decode("filename", as: String?.self)
                ?? "\(id.text).\(FileType(rawValue: mediaType)?.extensions.first ?? "bin")",
            mediaType: mediaType, scope: try row.decode("scope"), size: try row.decode("size"),
            sha256: try row.decode("sha256", as: [UInt8]?.self).map(Hex.encode), revision: try row.decode("revision"),
            folderId: try row.decode("folder_id"), tags: try row.decode("tags"), rights: try AssetRights(row),
            rightsState: try row.decodeCase("rights_state"), createdBy: try row.decode("created_by"), createdAt: createdAt,
            updatedAt: try row.decode("updated_at", as: Date?.self) ?? createdAt)
        watermarkJobId = try row.decode("watermark_job_id")
        if let previews = try row.decode("previews", as: JSONText?.self) {
            let previews = try JSON.decode([String: AssetPreview].self, from: previews.bytes)
            thumbnail = previews[MediaOutputKind.thumbnail.rawValue]
            cover = previews[MediaOutputKind.cover.rawValue]
        }
    }

    /// As clients see it: what the store has in place of a preview's address is its object's id.
    func shown(by objects: any ObjectStore) -> LibraryAsset {
        var asset = self
        asset.thumbnail = thumbnail?.shown(by: objects)
        asset.cover = cover?.shown(by: objects)
        return asset
    }
}

extension AssetPreview {
    /// Seconds in which an asset shows the same address; it holds as long again, and up to twice.
    private static let period = 6 * 3_600

    /// Which of these periods it is.
    static var currentPeriod: Int { Int(Date().timeIntervalSince1970) / period }

    fileprivate func shown(by objects: any ObjectStore) -> AssetPreview? {
        guard let object = UUID(text: url) else { return nil }
        var preview = self
        preview.url = objects.downloadURL(
            ObjectGrant(
                method: .get, object: object, contentType: mediaType, expiresAt: (Self.currentPeriod + 2) * Self.period))
        return preview
    }
}

extension AssetRights {
    /// - Returns: `nil` where nobody has said whose it is.
    init?(_ row: Row) throws {
        guard let holder = try row.decode("rights_holder", as: String?.self) else { return nil }
        let territories: [String] = try row.decode("rights_territories")
        self.init(
            holder: holder, license: try row.decode("rights_license"), source: try row.decode("rights_source"),
            validFrom: try row.decode("rights_valid_from"), expiresAt: try row.decode("rights_expires_at"),
            territories: territories.isEmpty ? nil : territories, note: try row.decode("rights_note"))
    }
}
