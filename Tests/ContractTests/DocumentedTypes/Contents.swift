import DTO
import HTTPCore

/// The life of contents in content-center, besides what flows write.
extension DocumentedTypes {
    static let contents: Types = [
        "ChangeRequest": ChangeRequest.self, "ContentComment": ContentComment.self,
        "ContentCommentPage": Page<ContentComment>.self, "ContentReviewEntry": ContentReviewEntry.self,
        "ContentReviewPage": Page<ContentReviewEntry>.self, "ContentStatusChanged": ContentStatusChanged.self,
        "ContentPublishStatus": ContentPublishStatus.self, "ContentPublishStatusPage": Page<ContentPublishStatus>.self,
        "PublishStatusChanged": PublishStatusChanged.self, "ContentPerformanceMeasured": ContentPerformanceMeasured.self,
        "ContentJobMoved": ContentJobMoved.self, "ContentBulkItem": ContentBulkItem.self, "ContentBulkJob": ContentBulkJob.self,
        "ContentBulkRequest": ContentBulkRequest.self, "ContentSimilarity": ContentSimilarity.self,
        "SimilarContent": SimilarContent.self, "SimilarPassage": SimilarPassage.self,
        "ContentBinned": ContentBinned.self, "ContentDiff": ContentDiff.self, "ContentFieldDiff": ContentFieldDiff.self,
        "ContentLabels": ContentLabels.self, "ContentSpace": ContentSpace.self, "ContentSpacePage": Page<ContentSpace>.self,
        "ContentSpacePatch": ContentSpacePatch.self, "ContentTextRun": ContentTextRun.self,
        "NewContentSpace": NewContentSpace.self, "ReplyTemplateBody": ReplyTemplateBody.self,
        "ReplyVariable": ReplyVariable.self, "VideoBody": VideoBody.self, "VideoFile": VideoFile.self,
        "NewContentComment": NewContentComment.self, "ReviewNote": ReviewNote.self,
    ]
}
