import HTTPCore
import HTTPServing
import ServiceDefaults

/// The table of contents, in the order of `openapi/content-center.yaml`.
enum Routes {
    static func register(
        on router: inout Router, authentication: InternalAuthentication, contents: Contents, review: ContentReview,
        comments: ContentComments, publishStatus: PublishStatus, filing: ContentFiling, bulk: ContentBulk,
        similarity: SimilarityCheck, assets: Assets, upload: AssetUpload, assetFiling: AssetFiling, subtitles: SubtitleEditing,
        media: MediaJobs, search: ContentSearch, semanticIndex: SemanticIndex, materials: MaterialLibrary,
        accounts: AccountManagement, privacy: Privacy
    ) {
        let (bulk, similarity) = (BulkRoutes(bulk: bulk), SimilarityRoutes(check: similarity))
        let (filing, publishStatus) = (FilingRoutes(filing: filing), PublishStatusRoutes(publishStatus: publishStatus))
        let (review, comments) = (ReviewRoutes(review: review), CommentsRoutes(comments: comments))
        let exports = ContentExportRoutes(contents: contents)
        let contents = ContentsRoutes(contents: contents, media: media)
        let assets = AssetsRoutes(assets: assets)
        let upload = AssetUploadRoutes(upload: upload)
        let assetFiling = AssetFilingRoutes(filing: assetFiling)
        let body = RouteOptions.write("Contents", maximumBodyBytes: ContentBodyInput.largestRequest)
        router.group(authentication, ErasedTenants()) { group in
            group.on(.post, "/v1/contents", options: body, contents.create)
            group.on(.get, "/v1/contents", options: .read("Contents").takingQuery, contents.list)
            group.on(.post, "/v1/drafts", options: body, contents.draft)
            group.on(.get, "/v1/contents/{id}", options: .read("Contents"), contents.get)
            group.on(.patch, "/v1/contents/{id}", options: body, contents.edit)
            group.on(.get, "/v1/contents/{id}/export", options: .read("ContentExport").takingQuery, exports.export)
            group.on(.get, "/v1/contents/{id}/versions", options: .read("Contents").takingQuery, contents.versions)
            group.on(.post, "/v1/contents/{id}/versions", options: body, contents.write)
            let version = "/v1/contents/{id}/versions/{version}"
            group.on(.get, version, options: .read("Contents"), contents.version)
            group.on(.post, version + "/restore", options: .write("Contents"), contents.restore)
            for action in ReviewAction.allCases {
                group.on(
                    .post, "/v1/contents/{id}/\(action.rawValue)", options: .write("ContentReview"), review.move(by: action))
            }
            group.on(.get, "/v1/contents/{id}/reviews", options: .read("ContentReview").takingQuery, review.history)
            group.on(.get, "/v1/contents/{id}/diff", options: .read("Contents").takingQuery, contents.diff)
            group.on(.delete, "/v1/contents/{id}", options: .write("ContentFiling"), filing.delete)
            group.on(.post, "/v1/contents/{id}/restore", options: .write("ContentFiling"), filing.restore)
            group.on(.patch, "/v1/contents/{id}/labels", options: .write("ContentFiling"), filing.label)
            let published = "/v1/contents/{id}/publish-status"
            group.on(.get, published, options: .read("PublishStatus").takingQuery, publishStatus.accounts)
            group.on(.get, published + "/history", options: .read("PublishStatus").takingQuery, publishStatus.history)
            group.on(.get, "/v1/contents/{id}/similar", options: .read("SimilarityCheck").takingQuery, similarity.similar)
            group.on(.post, "/v1/contents/bulk", options: .write("ContentBulk"), bulk.order)
            group.on(.get, "/v1/content-jobs/{id}", options: .read("ContentBulk"), bulk.job)
            group.on(.post, "/v1/content-jobs/{id}/cancel", options: .write("ContentBulk"), bulk.cancel)
            group.on(.get, "/v1/spaces", options: .read("ContentFiling").takingQuery, filing.spaces)
            group.on(.post, "/v1/spaces", options: .write("ContentFiling"), filing.createSpace)
            group.on(.get, "/v1/spaces/{id}", options: .read("ContentFiling"), filing.space)
            group.on(.patch, "/v1/spaces/{id}", options: .write("ContentFiling"), filing.changeSpace)
            group.on(.delete, "/v1/spaces/{id}", options: .write("ContentFiling"), filing.deleteSpace)
            let comment = "/v1/contents/{id}/comments/{commentId}"
            group.on(.get, "/v1/contents/{id}/comments", options: .read("ContentComments").takingQuery, comments.list)
            group.on(.post, "/v1/contents/{id}/comments", options: .write("ContentComments"), comments.add)
            group.on(.delete, comment, options: .write("ContentComments"), comments.delete)
            group.on(.post, comment + "/resolve", options: .write("ContentComments"), comments.resolve)
            group.on(.post, comment + "/reopen", options: .write("ContentComments"), comments.reopen)
            group.on(.post, "/v1/assets", options: .write("Assets", maximumBodyBytes: Assets.maximumSize), assets.keep)
            group.on(.get, "/v1/assets", options: .read("Assets").takingQuery, assets.list)
            group.on(.post, "/v1/assets/presign", options: .write("AssetUpload"), upload.presign)
            group.on(.post, "/v1/assets/multipart", options: .write("AssetUpload"), upload.begin)
            group.on(.get, "/v1/assets/usage", options: .read("AssetUpload"), upload.usage)
            group.on(.get, "/v1/assets/{id}/part-urls", options: .read("AssetUpload").takingQuery, upload.partURLs)
            group.on(.get, "/v1/assets/{id}/parts", options: .read("AssetUpload"), upload.parts)
            group.on(.post, "/v1/assets/organize", options: .write("AssetFiling"), assetFiling.organize)
            group.on(.get, "/v1/assets/tags", options: .read("AssetFiling").takingQuery, assetFiling.tags)
            group.on(.post, "/v1/assets/tags/rename", options: .write("AssetFiling"), assetFiling.renameTags)
            group.on(.get, "/v1/assets/{id}", options: .read("Assets"), assets.get)
            group.on(.patch, "/v1/assets/{id}", options: .write("AssetFiling"), assetFiling.edit)
            group.on(.delete, "/v1/assets/{id}", options: .write("Assets"), assets.delete)
            group.on(.get, "/v1/assets/{id}/uses", options: .read("Assets").takingQuery, assets.uses)
            group.on(.get, "/v1/assets/{id}/content", options: .read("Assets"), assets.content)
            group.on(.get, "/v1/assets/{id}/download-url", options: .read("Assets").takingQuery, assets.downloadURL)
            group.on(.post, "/v1/assets/{id}/complete", options: .write("AssetUpload", deadline: .seconds(120)), upload.complete)
            group.on(.get, "/v1/asset-folders", options: .read("AssetFiling").takingQuery, assetFiling.folders)
            group.on(.post, "/v1/asset-folders", options: .write("AssetFiling"), assetFiling.createFolder)
            group.on(.get, "/v1/asset-folders/{id}", options: .read("AssetFiling"), assetFiling.folder)
            group.on(.patch, "/v1/asset-folders/{id}", options: .write("AssetFiling"), assetFiling.changeFolder)
            group.on(.delete, "/v1/asset-folders/{id}", options: .write("AssetFiling"), assetFiling.deleteFolder)
            register(ContentSearchRoutes(search: search), SemanticIndexRoutes(index: semanticIndex), on: &group)
            register(SubtitleEditingRoutes(editing: subtitles), on: &group)
            register(MediaJobsRoutes(jobs: media), on: &group)
            register(MaterialRoutes(library: materials), on: &group)
            group.on(
                .get, "/v1/accounts/{id}/material", options: .read("AccountManagement"),
                AccountRoutes(accounts: accounts).material)
            register(PrivacyRoutes(privacy: privacy), on: &group)
        }
    }

    /// A tenant's data as a whole.
    private static func register(_ privacy: PrivacyRoutes, on group: inout RouteGroup) {
        let (read, write) = (RouteOptions.read("Privacy"), RouteOptions.write("Privacy"))
        group.on(.post, "/v1/tenant/exports", options: write, privacy.orderExport)
        group.on(.get, "/v1/tenant/exports", options: read.takingQuery, privacy.exports)
        group.on(.get, "/v1/tenant/exports/{id}", options: read, privacy.export)
        group.on(.post, "/v1/tenant/exports/{id}/cancel", options: write, privacy.cancelExport)
        group.on(.post, "/v1/tenant/erasure", options: write, privacy.orderErasure)
        group.on(.get, "/v1/tenant/erasure", options: read, privacy.erasure)
        group.on(.get, "/v1/tenant/storage", options: read, privacy.storage)
    }

    /// Subtitle files cue by cue.
    private static func register(_ subtitles: SubtitleEditingRoutes, on group: inout RouteGroup) {
        let cues = "/v1/assets/{id}/cues"
        group.on(.get, cues, options: .read("SubtitleEditing"), subtitles.cues)
        group.on(
            .post, cues, options: .write("SubtitleEditing", maximumBodyBytes: SubtitleEditingInput.largestRequest),
            subtitles.edit)
    }

    /// Work on videos, pictures and sound.
    private static func register(_ media: MediaJobsRoutes, on group: inout RouteGroup) {
        group.on(.post, "/v1/media/jobs", options: .write("MediaJobs"), media.order)
        group.on(.get, "/v1/media/jobs", options: .read("MediaJobs").takingQuery, media.list)
        group.on(.get, "/v1/media/jobs/{id}", options: .read("MediaJobs"), media.job)
        group.on(.post, "/v1/media/jobs/{id}/cancel", options: .write("MediaJobs"), media.cancel)
        group.on(.get, "/v1/media/jobs/{id}/hls/{playlist}", options: .read("MediaJobs"), media.playlist)
    }

    /// Finding contents.
    private static func register(_ search: ContentSearchRoutes, _ index: SemanticIndexRoutes, on group: inout RouteGroup) {
        group.on(.get, "/v1/search", options: .read("ContentSearch").takingQuery, search.find)
        group.on(.get, "/v1/search/vectors/pending", options: .read("ContentSearch").takingQuery, index.pending)
        group.on(
            .put, "/v1/search/vectors", options: .write("ContentSearch", maximumBodyBytes: SemanticIndexRoutes.largestBody),
            index.keep)
        group.on(.post, "/v1/search/semantic", options: .read("ContentSearch"), index.nearest)
    }

    /// The closing materials.
    private static func register(_ materials: MaterialRoutes, on group: inout RouteGroup) {
        let (read, write) = (RouteOptions.read("MaterialLibrary"), RouteOptions.write("MaterialLibrary"))
        group.on(.post, "/v1/materials", options: write, materials.create)
        group.on(.get, "/v1/materials", options: read.takingQuery, materials.list)
        group.on(.get, "/v1/materials/recommended", options: read.takingQuery, materials.recommend)
        group.on(.get, "/v1/materials/{id}", options: read, materials.get)
        group.on(.patch, "/v1/materials/{id}", options: write, materials.edit)
        group.on(.delete, "/v1/materials/{id}", options: write, materials.delete)
        group.on(.post, "/v1/materials/{id}/approve", options: write, materials.review(.approve))
        group.on(.post, "/v1/materials/{id}/reject", options: write, materials.review(.reject))
        group.on(.post, "/v1/materials/{id}/restore", options: write, materials.restore)
        group.on(.get, "/v1/materials/{id}/outcomes", options: read, materials.outcomes)
        group.on(.post, "/v1/materials/{id}/outcomes", options: write, materials.record)
    }
}

extension RouteOptions {
    fileprivate static func read(_ flow: String) -> RouteOptions { RouteOptions(deadline: .seconds(20), flow: flow) }

    /// Who leaves in the middle of a write still wants it; a repeat finds it.
    fileprivate static func write(
        _ flow: String, maximumBodyBytes: Int = defaultMaxBodyBytes, deadline: Duration = .seconds(20)
    ) -> RouteOptions {
        RouteOptions(deadline: deadline, maxBodyBytes: maximumBodyBytes, flow: flow, hangUp: .runsToEnd)
    }
}
