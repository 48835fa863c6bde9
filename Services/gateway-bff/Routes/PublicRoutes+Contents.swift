import HTTPCore
import HTTPServing
import ServiceDefaults

/// What the tenant made: content-center.
extension PublicRoutes {
    /// As much as content-center reads of a content's body: whatever its rules allow (200,000 characters in all texts), however it is
    /// written in JSON.
    static let wholeBody = 3 << 20

    static let contents = [
        PublicRoute(
            method: .get, path: "/api/contents", flow: "Contents", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/contents"), rateClass: .read),
        // What a person writes; the service's own `POST /v1/contents` is the flows', which say themselves who wrote it.
        PublicRoute(
            method: .post, path: "/api/contents", flow: "Contents", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/drafts"), rateClass: .write, idempotency: .optional, isFoundAgain: true,
            maximumBodyBytes: wholeBody),
        PublicRoute(
            method: .get, path: "/api/contents/{id}", flow: "Contents", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/contents/{id}"), rateClass: .read),
        PublicRoute(
            method: .patch, path: "/api/contents/{id}", flow: "Contents", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/contents/{id}"), rateClass: .write, maximumBodyBytes: wholeBody),
        PublicRoute(
            method: .get, path: "/api/contents/{id}/export", flow: "ContentExport", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/contents/{id}/export"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/contents/{id}/versions", flow: "Contents", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/contents/{id}/versions"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/contents/{id}/versions/{version}", flow: "Contents", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/contents/{id}/versions/{version}"), rateClass: .read),
        PublicRoute(
            method: .post, path: "/api/contents/{id}/versions/{version}/restore", flow: "Contents",
            access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/contents/{id}/versions/{version}/restore"), rateClass: .write,
            idempotency: .optional, isFoundAgain: true),
        PublicRoute(
            method: .get, path: "/api/search", flow: "ContentSearch", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/search"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/search/semantic", flow: "ContentSearch", access: .member(.callModels),
            target: .upstream(.orchestrationService, path: "/v1/search/semantic"), rateClass: .generate, deadline: .seconds(30)),
    ]

    /// Where contents are kept, and what changed in them.
    static let filing = [
        PublicRoute(
            method: .get, path: "/api/contents/{id}/similar", flow: "SimilarityCheck", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/contents/{id}/similar"), rateClass: .read),
        PublicRoute(
            method: .post, path: "/api/contents/bulk", flow: "ContentBulk", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/contents/bulk"), rateClass: .write, idempotency: .optional,
            isFoundAgain: true),
        PublicRoute(
            method: .get, path: "/api/content-jobs/{id}", flow: "ContentBulk", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/content-jobs/{id}"), rateClass: .read),
        PublicRoute(
            method: .post, path: "/api/content-jobs/{id}/cancel", flow: "ContentBulk", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/content-jobs/{id}/cancel"), rateClass: .write, isFoundAgain: true),
        PublicRoute(
            method: .get, path: "/api/contents/{id}/publish-status", flow: "PublishStatus", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/contents/{id}/publish-status"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/contents/{id}/publish-status/history", flow: "PublishStatus",
            access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/contents/{id}/publish-status/history"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/contents/{id}/diff", flow: "Contents", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/contents/{id}/diff"), rateClass: .read),
        PublicRoute(
            method: .delete, path: "/api/contents/{id}", flow: "ContentFiling", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/contents/{id}"), rateClass: .write),
        PublicRoute(
            method: .post, path: "/api/contents/{id}/restore", flow: "ContentFiling", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/contents/{id}/restore"), rateClass: .write, isFoundAgain: true),
        PublicRoute(
            method: .patch, path: "/api/contents/{id}/labels", flow: "ContentFiling", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/contents/{id}/labels"), rateClass: .write),
        PublicRoute(
            method: .get, path: "/api/spaces", flow: "ContentFiling", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/spaces"), rateClass: .read),
        PublicRoute(
            method: .post, path: "/api/spaces", flow: "ContentFiling", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/spaces"), rateClass: .write, idempotency: .optional, isFoundAgain: true),
        PublicRoute(
            method: .get, path: "/api/spaces/{id}", flow: "ContentFiling", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/spaces/{id}"), rateClass: .read),
        PublicRoute(
            method: .patch, path: "/api/spaces/{id}", flow: "ContentFiling", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/spaces/{id}"), rateClass: .write),
        PublicRoute(
            method: .delete, path: "/api/spaces/{id}", flow: "ContentFiling", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/spaces/{id}"), rateClass: .write),
    ]

    /// The review of a content (审批), and what is said about it.
    static let review =
        [
            ("submit", Permission.writeContents), ("withdraw", .writeContents), ("approve", .approveContents),
            ("request-changes", .approveContents), ("hold", .approveContents), ("release", .approveContents),
        ].map { action, permission in
            PublicRoute(
                method: .post, path: "/api/contents/{id}/\(action)", flow: "ContentReview", access: .member(permission),
                target: .upstream(.contentCenter, path: "/v1/contents/{id}/\(action)"), rateClass: .write, idempotency: .optional,
                isFoundAgain: true)
        } + [
            PublicRoute(
                method: .get, path: "/api/contents/{id}/reviews", flow: "ContentReview", access: .member(.readContents),
                target: .upstream(.contentCenter, path: "/v1/contents/{id}/reviews"), rateClass: .read),
            PublicRoute(
                method: .get, path: "/api/contents/{id}/comments", flow: "ContentComments", access: .member(.readContents),
                target: .upstream(.contentCenter, path: "/v1/contents/{id}/comments"), rateClass: .read),
            PublicRoute(
                method: .post, path: "/api/contents/{id}/comments", flow: "ContentComments", access: .member(.writeContents),
                target: .upstream(.contentCenter, path: "/v1/contents/{id}/comments"), rateClass: .write, idempotency: .optional,
                isFoundAgain: true),
            PublicRoute(
                method: .delete, path: "/api/contents/{id}/comments/{commentId}", flow: "ContentComments",
                access: .member(.writeContents),
                target: .upstream(.contentCenter, path: "/v1/contents/{id}/comments/{commentId}"), rateClass: .write),
        ]
        + ["resolve", "reopen"].map { action in
            PublicRoute(
                method: .post, path: "/api/contents/{id}/comments/{commentId}/\(action)", flow: "ContentComments",
                access: .member(.writeContents),
                target: .upstream(.contentCenter, path: "/v1/contents/{id}/comments/{commentId}/\(action)"), rateClass: .write,
                isFoundAgain: true)
        }
}

/// The files of the tenant: content-center. Their bytes do not come this way, they go to and from the store under signed URLs.
extension PublicRoutes {
    static let assets = [
        PublicRoute(
            method: .get, path: "/api/assets", flow: "Assets", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/assets"), rateClass: .read),
        PublicRoute(
            method: .post, path: "/api/assets/presign", flow: "AssetUpload", access: .member(.writeContents),
            // The signed address lives for an hour, keys for a day.
            target: .upstream(.contentCenter, path: "/v1/assets/presign"), rateClass: .write, idempotency: .answeredAnew,
            isFoundAgain: true),
        PublicRoute(
            method: .post, path: "/api/assets/multipart", flow: "AssetUpload", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/assets/multipart"), rateClass: .write, idempotency: .optional,
            isFoundAgain: true),
        PublicRoute(
            method: .get, path: "/api/assets/usage", flow: "AssetUpload", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/assets/usage"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/assets/{id}/part-urls", flow: "AssetUpload", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/assets/{id}/part-urls"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/assets/{id}/parts", flow: "AssetUpload", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/assets/{id}/parts"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/assets/{id}", flow: "Assets", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/assets/{id}"), rateClass: .read),
        PublicRoute(
            method: .patch, path: "/api/assets/{id}", flow: "AssetFiling", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/assets/{id}"), rateClass: .write),
        PublicRoute(
            method: .post, path: "/api/assets/organize", flow: "AssetFiling", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/assets/organize"), rateClass: .write),
        PublicRoute(
            method: .get, path: "/api/assets/tags", flow: "AssetFiling", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/assets/tags"), rateClass: .read),
        PublicRoute(
            method: .post, path: "/api/assets/tags/rename", flow: "AssetFiling", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/assets/tags/rename"), rateClass: .write),
        PublicRoute(
            method: .get, path: "/api/assets/{id}/uses", flow: "Assets", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/assets/{id}/uses"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/asset-folders", flow: "AssetFiling", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/asset-folders"), rateClass: .read),
        PublicRoute(
            method: .post, path: "/api/asset-folders", flow: "AssetFiling", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/asset-folders"), rateClass: .write, idempotency: .optional,
            isFoundAgain: true),
        PublicRoute(
            method: .get, path: "/api/asset-folders/{id}", flow: "AssetFiling", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/asset-folders/{id}"), rateClass: .read),
        PublicRoute(
            method: .patch, path: "/api/asset-folders/{id}", flow: "AssetFiling", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/asset-folders/{id}"), rateClass: .write),
        PublicRoute(
            method: .delete, path: "/api/asset-folders/{id}", flow: "AssetFiling", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/asset-folders/{id}"), rateClass: .write),
        PublicRoute(
            method: .delete, path: "/api/assets/{id}", flow: "Assets", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/assets/{id}"), rateClass: .write),
        PublicRoute(
            method: .get, path: "/api/assets/{id}/content", flow: "Assets", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/assets/{id}/content"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/assets/{id}/download-url", flow: "Assets", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/assets/{id}/download-url"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/assets/{id}/cues", flow: "SubtitleEditing", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/assets/{id}/cues"), rateClass: .read),
        PublicRoute(
            method: .post, path: "/api/assets/{id}/cues", flow: "SubtitleEditing", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/assets/{id}/cues"), rateClass: .write, idempotency: .optional,
            isFoundAgain: true,
            maximumBodyBytes: wholeBody),
        PublicRoute(
            method: .post, path: "/api/assets/{id}/complete", flow: "AssetUpload", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/assets/{id}/complete"), rateClass: .write, isFoundAgain: true,
            // A large file is read once more.
            deadline: .seconds(125)),
    ]
    /// Work on videos, pictures and sound.
    static let media = [
        PublicRoute(
            method: .post, path: "/api/media/jobs", flow: "MediaJobs", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/media/jobs"), rateClass: .write, idempotency: .optional,
            isFoundAgain: true),
        PublicRoute(
            method: .get, path: "/api/media/jobs", flow: "MediaJobs", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/media/jobs"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/media/jobs/{id}", flow: "MediaJobs", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/media/jobs/{id}"), rateClass: .read),
        PublicRoute(
            method: .post, path: "/api/media/jobs/{id}/cancel", flow: "MediaJobs", access: .member(.writeContents),
            target: .upstream(.contentCenter, path: "/v1/media/jobs/{id}/cancel"), rateClass: .write, isFoundAgain: true),
        PublicRoute(
            method: .get, path: "/api/media/jobs/{id}/hls/{playlist}", flow: "MediaJobs", access: .member(.readContents),
            target: .upstream(.contentCenter, path: "/v1/media/jobs/{id}/hls/{playlist}"), rateClass: .read),
    ]
}
