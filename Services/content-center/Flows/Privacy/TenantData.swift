/// Every table of a tenant's data: what of it an export shows, and how an erasure takes it. A test compares the list with the database, so
/// that no table is forgotten.
struct TenantData: Sendable, Equatable {
    enum Erasure: Sendable, Equatable {
        /// By its own rows, a batch at a time.
        case rows
        /// With the rows of another table that it hangs from.
        case with(String)
        /// Rows of this table name objects in the store: they become garbage, and then go.
        case objects(column: String)
        /// All jobs but the erasure itself.
        case otherJobs
        /// Emptied by taking the objects out of the store.
        case garbage
        /// Not the tenant's to erase; why.
        case kept(String)
    }

    let table: String
    let isExported: Bool
    let erasure: Erasure
    /// An expression of JSON for an exported row `t`.
    let json: String

    private init(_ table: String, exported isExported: Bool = false, json: String? = nil, _ erasure: Erasure) {
        self.table = table
        self.isExported = isExported
        self.erasure = erasure
        self.json = json ?? "to_jsonb(t) - 'tenant_id' - 'operation_id'"
    }

    /// In the order in which an erasure takes them: first what hangs from others.
    static let all: [TenantData] = [
        TenantData("search_changes", .rows),
        TenantData("jobs", .otherJobs), TenantData("job_steps", .with("jobs")), TenantData("job_due", .with("jobs")),
        TenantData("media_jobs", exported: true, .with("jobs")), TenantData("media_outputs", exported: true, .with("media_jobs")),
        TenantData("contents", exported: true, .rows),
        TenantData("content_versions", exported: true, .with("contents")),
        TenantData("content_reviews", exported: true, .with("contents")),
        TenantData("content_comments", exported: true, .with("content_versions")),
        TenantData("content_publish_status", exported: true, .with("contents")),
        TenantData("content_publish_changes", exported: true, .with("contents")),
        TenantData("content_performance", exported: true, .with("contents")), TenantData("content_points", .with("contents")),
        TenantData("search_vectors", .with("contents")), TenantData("content_fingerprints", .with("contents")),
        TenantData("content_fingerprint_bands", .with("content_fingerprints")),
        TenantData("search_documents", .with("contents")), TenantData("search_words", .rows),
        TenantData("search_segments", .rows),
        TenantData("content_spaces", exported: true, .rows),
        TenantData(
            "materials", exported: true, json: "to_jsonb(t) - '{tenant_id,operation_id,last_operation_id,rank}'::text[]", .rows),
        TenantData("material_assets", exported: true, .with("materials")),
        TenantData("material_outcomes", exported: true, .with("materials")),
        TenantData("account_profiles", exported: true, .rows),
        TenantData("content_asset_bytes", .rows), TenantData("asset_previews", .rows),
        TenantData(
            "content_assets", exported: true,
            json: """
                to_jsonb(t) - '{tenant_id,operation_id,object_id}'::text[] || jsonb_build_object('sha256', encode(t.sha256, 'hex'))
                """, .rows),
        // An asset that goes lists itself.
        TenantData("search_asset_changes", .rows), TenantData("search_asset_documents", .rows),
        TenantData("search_asset_segments", .rows),
        TenantData("asset_edits", exported: true, .with("content_assets")), TenantData("asset_ancestors", .rows),
        TenantData("subtitle_texts", .with("content_assets")),
        TenantData("asset_keys", .with("content_assets")),
        TenantData("asset_uses", .with("content_versions")), TenantData("asset_folders", exported: true, .rows),
        TenantData("asset_objects", .objects(column: "id")), TenantData("tenant_exports", .objects(column: "id")),
        TenantData("asset_garbage", .garbage), TenantData("asset_usage", .rows), TenantData("inbox", .rows),
        TenantData("asset_quotas", .kept("what the plan allows, set by whoever runs the platform")),
        TenantData("tenant_erasures", .kept("that it was erased, and how much there had been")),
    ]

    /// What an export shows, as files.
    static let exported = all.filter(\.isExported)
}
