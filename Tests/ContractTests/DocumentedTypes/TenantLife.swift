import DTO
import HTTPCore

/// A tenant's data taken out, erased, counted.
extension DocumentedTypes {
    static let tenantLife: Types = [
        "AssetStorage": AssetStorage.self, "ContentStorage": ContentStorage.self, "StorageSum": StorageSum.self,
        "TenantContentErased": TenantContentErased.self, "TenantCount": TenantCount.self, "TenantErasure": TenantErasure.self,
        "TenantErasureOrder": TenantErasureOrder.self, "TenantErasureOrdered": TenantErasureOrdered.self,
        "TenantExport": TenantExport.self,
        "TenantExportPage": Page<TenantExport>.self, "TenantExportFailed": TenantExportFailed.self,
        "TenantExportCompleted": TenantExportCompleted.self, "TenantStorage": TenantStorage.self,
    ]
}
