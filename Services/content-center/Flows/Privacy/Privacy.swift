import DTO
import FoundationEssentials
import Observability

/// The life of a tenant's data here: taken out as one archive, erased for good, counted.
struct Privacy: Sendable {
    static let exportKind = "tenant.export"
    static let erasureKind = "tenant.erase"
    /// How long an archive waits to be fetched.
    static let exportDays = 7
    /// How long a URL of it holds, in seconds.
    static let urlLifetime = 3_600

    let exports: ExportStore
    let erasures: ErasureStore
    let report: StorageReportStore
    let assets: Assets
    /// Where archives are written, on the file system of the objects.
    let scratch: String

    // MARK: Export

    /// One at a time. The repeat of an operation answers the export that it has ordered.
    func orderExport(by author: Author) async throws -> TenantExport {
        guard let id = try await exports.add(by: author) else { throw PrivacyError.exportRunning }
        return try await export(id, of: author.tenantId)
    }

    func export(_ id: UUID, of tenantId: UUID) async throws -> TenantExport {
        guard let export = try await exports.export(id, of: tenantId) else { throw PrivacyError.noSuchExport }
        return withAddress(export)
    }

    /// Newest first; those whose archives are gone are gone too.
    func listExports(before id: UUID?, limit: Int, of tenantId: UUID) async throws -> [TenantExport] {
        try await exports.list(before: id, limit: limit, of: tenantId).map(withAddress)
    }

    private func withAddress(_ export: TenantExport) -> TenantExport {
        guard export.size != nil else { return export }
        let expiresAt = Int(Date().timeIntervalSince1970) + Self.urlLifetime
        var export = export
        export.downloadUrl = assets.objects.downloadURL(
            ObjectGrant(
                method: .get, object: export.id, contentType: "application/zip", expiresAt: expiresAt,
                fileName: "export-\(export.id.text).zip"))
        return export
    }

    func cancelExport(_ id: UUID, of tenantId: UUID) async throws -> TenantExport {
        _ = try await export(id, of: tenantId)
        try await exports.cancel(id, of: tenantId)
        return try await export(id, of: tenantId)
    }

    // MARK: Erasure

    /// What must be confirmed.
    static func confirmation(of tenantId: UUID) -> String { "erase \(tenantId.text)" }

    /// From here on the tenant can write nothing any more. There is one erasure of a tenant, ever; the repeat of the operation that ordered it
    /// answers it.
    func orderErasure(_ order: TenantErasureOrder, by author: Author) async throws -> TenantErasure {
        guard order.confirmation == Self.confirmation(of: author.tenantId) else { throw PrivacyError.notConfirmed }
        guard try await erasures.add(by: author) else { throw PrivacyError.erasedBefore }
        return try await erasure(of: author.tenantId)
    }

    func erasure(of tenantId: UUID) async throws -> TenantErasure {
        guard let erasure = try await erasures.erasure(of: tenantId) else { throw PrivacyError.notErased }
        return erasure
    }

    // MARK: Storage

    func storage(of tenantId: UUID) async throws -> TenantStorage { try await report.storage(of: tenantId) }
}
