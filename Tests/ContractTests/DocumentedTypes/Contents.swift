import DTO
import HTTPCore

/// The life of contents in content-center, besides what flows write.
extension DocumentedTypes {
    static let contents: Types = [
        "ChangeRequest": ChangeRequest.self, "ContentComment": ContentComment.self,
        "ContentCommentPage": Page<ContentComment>.self, "ContentReviewEntry": ContentReviewEntry.self,
        "ContentReviewPage": Page<ContentReviewEntry>.self, "ContentStatusChanged": ContentStatusChanged.self,
        "NewContentComment": NewContentComment.self, "ReviewNote": ReviewNote.self,
    ]
}
