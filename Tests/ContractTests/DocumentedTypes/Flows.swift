import DTO
import HTTPCore

/// The flows of orchestration-service and what content-center keeps of them.
extension DocumentedTypes {
    static let flows: Types = [
        "Asset": Asset.self, "Content": Content.self, "ContentBodyPatch": ContentBodyPatch.self, "CopyBody": CopyBody.self,
        "ImageSlot": ImageSlot.self, "ImageTextBody": ImageTextBody.self, "NewVersion": NewVersion.self,
        "FlowProblem": FlowProblem.self, "Run": Run.self, "RunPage": Page<Run>.self, "RunProgressed": RunProgressed.self,
        "RunStep": RunStep.self, "SceneEdit": SceneEdit.self, "VideoScene": VideoScene.self,
        "VideoScriptBody": VideoScriptBody.self,
        "ContentDraftCreated": ContentDraftCreated.self, "ContentPage": Page<ContentSummary>.self,
        "ContentPatch": ContentPatch.self, "ContentSummary": ContentSummary.self, "ContentVersion": ContentVersion.self,
        "ContentVersionCreated": ContentVersionCreated.self, "ContentVersionPage": Page<ContentVersion>.self,
        "NewContent": NewContent.self, "TitleCandidate": TitleCandidate.self, "TitleGenerationAnswer": TitleGenerationAnswer.self,
        "TitleGenerationRequest": TitleGenerationRequest.self, "TitleRevision": TitleRevision.self,
        "TitleSetBody": TitleSetBody.self,
        "TitleSetCandidate": TitleSetCandidate.self, "TitleWritingAnswer": TitleWritingAnswer.self,
        "TitleWritingRequest": TitleWritingRequest.self, "TokenUsage": TokenUsage.self, "VersionSource": VersionSource.self,
    ]
}
