import DTO
import FoundationEssentials
import PostgresStore

/// The SQL of ``AssetViewer``.
extension AssetsStore {
    /// A condition on `content_assets`: those of the tenant that are there for `viewer`.
    static func isVisible(to viewer: AssetViewer) -> SQL {
        let own: SQL = "content_assets.tenant_id = \(viewer.tenantId)"
        if viewer.seesEverything { return own }
        return """
            \(own) AND (\(isShown("content_assets", to: viewer)) OR (\(isUnlimited("content_assets", viewer)) AND (
                content_assets.origin <> 'media' OR NOT EXISTS (
                    -- What it was made from, and what that was made from, up to what is shown.
                    WITH RECURSIVE origin AS (
                        SELECT source.id, source.tenant_id FROM asset_sources(\(viewer.tenantId), content_assets.id) AS made (id)
                        JOIN content_assets source ON source.tenant_id = \(viewer.tenantId) AND source.id = made.id
                        WHERE NOT \(isShown("source", to: viewer))
                        UNION
                        SELECT source.id, source.tenant_id FROM origin
                        CROSS JOIN LATERAL asset_sources(\(viewer.tenantId), origin.id) AS made (id)
                        JOIN content_assets source ON source.tenant_id = \(viewer.tenantId) AND source.id = made.id
                        WHERE NOT \(isShown("source", to: viewer))
                    )
                    SELECT FROM origin WHERE NOT \(isUnlimited("origin", viewer))))))
            """
    }

    /// A condition on `media_jobs m` and `jobs j`: those that `viewer` has ordered, and those that read nothing but what is there for
    /// `viewer`.
    static func mayFollow(_ viewer: AssetViewer) -> SQL {
        if viewer.seesEverything { return "true" }
        return """
            (j.payload->>'subject' = \(viewer.subject) OR NOT EXISTS (
                SELECT FROM media_sources(\(viewer.tenantId), m.id) AS source (id)
                JOIN content_assets ON content_assets.tenant_id = \(viewer.tenantId) AND content_assets.id = source.id
                WHERE NOT (\(isVisible(to: viewer)))))
            """
    }

    /// No material limits it to some roles; for whoever speaks with customers: no material has it.
    private static func isUnlimited(_ asset: String, _ viewer: AssetViewer) -> SQL {
        if viewer.seesCustomerFacingOnly { return "(NOT EXISTS (SELECT \(materials(of: asset))))" }
        return "(NOT EXISTS (SELECT \(materials(of: asset)) AND m.audience <> '{}'))"
    }

    /// Whatever is limited to some roles: the viewer has brought it or ordered it, sees a material that has it, or a content shows it.
    private static func isShown(_ asset: String, to viewer: AssetViewer) -> SQL {
        """
        (\(unescaped: asset).created_by = \(viewer.subject)
            OR EXISTS (SELECT \(materials(of: asset)) AND \(isForThem(viewer)))
            OR EXISTS (SELECT FROM asset_uses u
                JOIN contents c ON c.tenant_id = u.tenant_id AND c.id = u.content_id AND c.version = u.version
                WHERE u.tenant_id = \(unescaped: asset).tenant_id AND u.asset_id = \(unescaped: asset).id AND c.deleted_at IS NULL))
        """
    }

    /// A condition on `materials m`.
    static func isForThem(_ viewer: AssetViewer) -> SQL {
        if viewer.seesCustomerFacingOnly {
            return """
                m.customer_facing AND \(unescaped: MaterialStore.isOffered) AND m.deleted_at IS NULL
                AND (m.audience = '{}' OR m.audience && \(viewer.roles))
                """
        }
        return "(m.audience = '{}' OR m.audience && \(viewer.roles) OR m.created_by = \(viewer.subject))"
    }

    private static func materials(of asset: String) -> SQL {
        """
        FROM material_assets h JOIN materials m ON m.tenant_id = h.tenant_id AND m.id = h.material_id
        WHERE h.tenant_id = \(unescaped: asset).tenant_id AND h.asset_id = \(unescaped: asset).id
        """
    }

    func asset(_ id: UUID, for viewer: AssetViewer) async throws -> LibraryAsset? {
        try await database.query(
            """
            SELECT \(unescaped: LibraryAsset.columns) FROM content_assets
            WHERE \(Self.isVisible(to: viewer)) AND content_assets.id = \(id)
            """, tenant: viewer.tenantId
        ).first.map(LibraryAsset.init)
    }
}
