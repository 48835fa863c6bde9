import DTO
import HTTPCore

/// Model calls, budgets and what was used: agent-center.
extension DocumentedTypes {
    static let models: Types = [
        "CatalogueModel": CatalogueModel.self, "CatalogueModelSetting": CatalogueModelSetting.self, "ModelAlias": ModelAlias.self,
        "ModelCatalogueView": ModelCatalogueView.self, "ModelPrice": ModelPrice.self, "ModelProvider": ModelProvider.self,
        "ModelProviderSetting": ModelProviderSetting.self, "ProviderKeySetting": ProviderKeySetting.self,
        "RouteSetting": RouteSetting.self, "RoutingPolicySetting": RoutingPolicySetting.self,
        "RoutingPolicyView": RoutingPolicyView.self, "TokenRates": TokenRates.self,
    ]
}
