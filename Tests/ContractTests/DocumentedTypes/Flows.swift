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
        "NewDraft": NewDraft.self, "NewTitleSet": NewTitleSet.self,
        "ContentBrief": ContentBrief.self,
        "NewContent": NewContent.self, "TitleCandidate": TitleCandidate.self, "TitleGenerationAnswer": TitleGenerationAnswer.self,
        "TitleGenerationRequest": TitleGenerationRequest.self, "TitleRevision": TitleRevision.self,
        "TitleSetBody": TitleSetBody.self,
        "TitleSetCandidate": TitleSetCandidate.self, "TitleWritingAnswer": TitleWritingAnswer.self,
        "TitleWritingRequest": TitleWritingRequest.self, "TokenUsage": TokenUsage.self, "VersionSource": VersionSource.self,
    ]

    /// Copies, texts written again, and the words of all texts.
    static let copies: Types = [
        "ContentRegenerationRequest": ContentRegenerationRequest.self, "CopyGenerationAnswer": CopyGenerationAnswer.self,
        "CopyGenerationItem": CopyGenerationItem.self, "CopyGenerationRequest": CopyGenerationRequest.self,
        "BannedWordsChanged": BannedWordsChanged.self, "RunAccepted": RunAccepted.self, "VocabularyCount": VocabularyCount.self,
        "VocabularyPage": Page<VocabularyWord>.self,
        "VocabularyWord": VocabularyWord.self, "VocabularyWords": VocabularyWords.self,
    ]

    /// Texts with pictures, and scripts.
    static let imageTextsAndScripts: Types = [
        "ImageTextGenerationAnswer": ImageTextGenerationAnswer.self,
        "ImageTextGenerationRequest": ImageTextGenerationRequest.self,
        "ImageTextPicturesAnswer": ImageTextPicturesAnswer.self, "ImageTextPicturesRequest": ImageTextPicturesRequest.self,
        "VideoScriptGenerationAnswer": VideoScriptGenerationAnswer.self,
        "VideoScriptGenerationRequest": VideoScriptGenerationRequest.self,
    ]

    /// agent-center's writers.
    static let writers: Types = [
        "ComplianceFinding": ComplianceFinding.self, "CopyRevision": CopyRevision.self, "CopyRules": CopyRules.self,
        "CopyText": CopyText.self, "CopyWritingAnswer": CopyWritingAnswer.self, "CopyWritingRequest": CopyWritingRequest.self,
        "ImageSlotText": ImageSlotText.self, "ImageTextRevision": ImageTextRevision.self, "ImageTextText": ImageTextText.self,
        "ImageTextWritingAnswer": ImageTextWritingAnswer.self, "ImageTextWritingRequest": ImageTextWritingRequest.self,
        "TextCheck": TextCheck.self, "VideoScript": VideoScript.self, "VideoScriptRevision": VideoScriptRevision.self,
        "VideoScriptWritingAnswer": VideoScriptWritingAnswer.self, "VideoScriptWritingRequest": VideoScriptWritingRequest.self,
    ]
}
