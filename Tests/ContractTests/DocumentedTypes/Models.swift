import DTO
import HTTPCore

/// Model calls, budgets and what was used: agent-center.
extension DocumentedTypes {
    static let models: Types = [
        "AIGenerateAnswer": AIGenerateAnswer.self, "AIGenerateMetadata": AIGenerateMetadata.self,
        "AIGenerateParams": AIGenerateParams.self, "AIGeneratePrompt": AIGeneratePrompt.self,
        "AIGenerateExperiment": AIGenerateExperiment.self,
        "AIGenerateRequest": AIGenerateRequest.self, "AIUsage": AIUsage.self,
        "CatalogueModel": CatalogueModel.self, "CatalogueModelSetting": CatalogueModelSetting.self, "ModelAlias": ModelAlias.self,
        "ModelCatalogueView": ModelCatalogueView.self, "ModelPrice": ModelPrice.self, "ModelProvider": ModelProvider.self,
        "ModelProviderSetting": ModelProviderSetting.self, "ProviderKeySetting": ProviderKeySetting.self,
        "NewModelAlias": NewModelAlias.self, "PeakHours": PeakHours.self, "PeakRange": PeakRange.self,
        "RouteSetting": RouteSetting.self, "RoutingPolicySetting": RoutingPolicySetting.self,
        "RoutingPolicyView": RoutingPolicyView.self, "TokenRates": TokenRates.self,
        "BudgetPage": Page<Budget>.self, "UsageRecordPage": Page<UsageRecord>.self,
        "NewBudget": NewBudget.self, "BudgetSetting": BudgetSetting.self, "BudgetStanding": BudgetStanding.self,
        "BudgetSubjectStanding": BudgetSubjectStanding.self, "Budget": Budget.self, "UsageSums": UsageSums.self,
        "UsageGroup": UsageGroup.self, "UsageReport": UsageReport.self, "UsageAttempt": UsageAttempt.self,
        "UsageRecordDetail": UsageRecordDetail.self, "UsageRecord": UsageRecord.self, "UsageOperation": UsageOperation.self,
        "ErasedTexts": ErasedTexts.self, "AISettings": AISettings.self,
        "SpendingHold": SpendingHold.self, "SpendingHoldRequest": SpendingHoldRequest.self,
        "SpendingRelease": SpendingRelease.self, "SpendingSettlement": SpendingSettlement.self,
        "EmbeddingsRequest": EmbeddingsRequest.self, "EmbeddingsAnswer": EmbeddingsAnswer.self,
        "EmbeddingsItem": EmbeddingsItem.self, "EmbeddingsUsage": EmbeddingsUsage.self, "OpenAIModel": OpenAIModel.self,
        "OpenAIModelList": OpenAIModelList.self, "OpenAIError": OpenAIError.self, "OpenAIErrorBody": OpenAIErrorBody.self,
    ]
}
