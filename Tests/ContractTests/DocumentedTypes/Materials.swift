import DTO
import HTTPCore

/// The closing materials of a tenant, and who its accounts are.
extension DocumentedTypes {
    static let materials: Types = [
        "Material": Material.self, "MaterialChanged": MaterialChanged.self, "MaterialEntry": MaterialEntry.self,
        "MaterialExpiring": MaterialExpiring.self, "MaterialOutcomes": MaterialOutcomes.self,
        "MaterialPage": Page<MaterialEntry>.self, "MaterialPatch": MaterialPatch.self,
        "MaterialRecommendation": MaterialRecommendation.self, "MaterialRecommendations": MaterialRecommendations.self,
        "NewMaterial": NewMaterial.self, "NewMaterialOutcome": NewMaterialOutcome.self,
    ]

    static let accounts: Types = [
        "AccountAvatar": AccountAvatar.self, "AccountMaterial": AccountMaterial.self,
        "AccountProfileTold": AccountProfileTold.self, "AccountUnbound": AccountUnbound.self,
    ]
}
