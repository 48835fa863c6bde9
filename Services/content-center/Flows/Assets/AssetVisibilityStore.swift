import DTO
import FoundationEssentials
import PostgresStore

/// The SQL of ``AssetViewer``.
extension AssetsStore {
    /// A condition on `content_assets`: those of the tenant that are there for `viewer`.
    static func isVisible(to viewer: AssetViewer) -> SQL {
        let own: SQL = "content_assets.tenant_id = \(viewer.tenantId)"
        if viewer.seesAllAudiences || viewer.isService { return own }
        return """
            \(own) AND (
                NOT EXISTS (SELECT \(ofMaterials) AND m.audience <> '{}')
                OR content_assets.created_by = \(viewer.subject)
                OR EXISTS (SELECT \(ofMaterials)
                    AND (m.audience = '{}' OR m.audience && \(viewer.roles) OR m.created_by = \(viewer.subject)))
                OR EXISTS (SELECT FROM asset_uses u
                    JOIN contents c ON c.tenant_id = u.tenant_id AND c.id = u.content_id AND c.version = u.version
                    WHERE u.tenant_id = content_assets.tenant_id AND u.asset_id = content_assets.id AND c.deleted_at IS NULL))
            """
    }

    private static let ofMaterials: SQL = """
        FROM material_assets h JOIN materials m ON m.tenant_id = h.tenant_id AND m.id = h.material_id
        WHERE h.tenant_id = content_assets.tenant_id AND h.asset_id = content_assets.id
        """

    func asset(_ id: UUID, for viewer: AssetViewer) async throws -> LibraryAsset? {
        try await database.query(
            """
            SELECT \(unescaped: LibraryAsset.columns) FROM content_assets
            WHERE \(Self.isVisible(to: viewer)) AND content_assets.id = \(id)
            """, tenant: viewer.tenantId
        ).first.map(LibraryAsset.init)
    }
}
