import HTTPServing
import Jobs
import Messaging
import PostgresStore
import ServiceDefaults

/// content-center, put together.
enum Application: ServiceApplication {
    static let name = ServiceName.contentCenter
    static let migrations = [
        m0001Contents, m0002ContentKinds, m0003Assets, m0004ContentReview, m0005UploadsInParts,
        m0006ContentSearch, m0007ContentFiling, m0008PublishStatus, m0009ContentBulk, m0010Materials, m0011AccountProfiles,
        m0012TenantLife, m0013SearchRanking, m0014AssetLibrary, m0015MediaJobs,
        m0016SearchFiles, m0017SearchSubtitles, m0018AssetFilters, m0019GarbageInTime, m0020AssetPreviews,
        m0021OutboxPostponed, m0022SearchBatches, m0023MediaSources, m0024SearchCost, m0025CheapClockAndLock,
        m0026SearchLabels, m0027PendingUploads, m0028SearchWords, m0029FingerprintMethod, m0030UploadsUnderWay,
        m0031SearchLists, m0032AssetPlans, m0033ContentVideos, m0034SearchAssets, m0035RestoredVersions,
        m0036AssetEdits, m0037OutboxRoom,
    ]
    static let topology = Topology(
        exchanges: [.marketingEvents, MediaTickets.exchange],
        queues: [.contentActivity, .semanticChanges, .tenantErasures, .agentTenantErasures] + MediaTickets.queues)
    static let commands = [
        ExtraCommand<Settings>(
            "quota", summary: "quota <tenant> <bytes>|plan:<name>|usual: what a tenant may keep", run: AssetQuota.run),
        SearchCommands.reindex,
    ]

    static func build(_ settings: Settings, _ runtime: ServiceRuntime) -> ServiceParts {
        let contents = Contents(store: ContentsStore(database: runtime.database) { runtime.outbox.wake() })
        let signer = ObjectSigner(key: settings.objectKey)
        let folder = folder(settings, signer)
        let inspector = FileInspector()
        let scanner = settings.scanAddress.map { VirusScanner(address: $0) }
        let uploads = AssetUploadStore(database: runtime.database, quotas: settings.assetQuotas) { runtime.outbox.wake() }
        let assets = assets(settings, runtime, folder: folder)
        let objects = assets.objects
        let media = media(settings, runtime, assets: assets, folder: folder, inspector: inspector, uploads: uploads)
        if settings.mediaOnly {
            return ServiceParts(
                router: runtime.makeRouter(), consumers: media.consumers, background: media.background, emitsEvents: true)
        }
        let upload = AssetUpload(
            store: uploads, objects: objects,
            inspect: { arrived, type in
                try await inspector.check(arrived, declared: type)
                try await scanner?.check(arrived)
            })
        let review = ContentReview(contents: contents, store: ReviewStore(database: runtime.database) { runtime.outbox.wake() })
        let filing = ContentFiling(contents: contents, store: FilingStore(database: runtime.database) { runtime.outbox.wake() })
        let rights = RightsExpiry(
            store: RightsExpiryStore(system: runtime.system, database: runtime.database) { runtime.outbox.wake() },
            logger: runtime.logger)
        let box = WorkerBox()
        let bulk = ContentBulk(
            contents: contents, review: review, filing: filing,
            store: BulkStore(
                database: runtime.database, onOrder: { box.value?.wake() }, onCancel: { box.value?.cancelRequested($0) },
                onCommit: { runtime.outbox.wake() }))
        let privacy = privacy(settings, assets, upload, box, runtime)
        let worker = JobWorker(
            app: runtime.database, system: runtime.system,
            handlers: [
                ContentBulk.kind: bulk.work,
                Privacy.exportKind: {
                    try await privacy.export($0); return nil
                },
                Privacy.erasureKind: {
                    try await privacy.erase($0); return nil
                },
            ],
            onEnd: { end, transaction in
                try await ExportStore.tell(of: end, in: transaction)
                try await BulkStore.tell(of: end, in: transaction)
            }, logger: runtime.logger, metrics: runtime.metrics)
        box.value = worker
        let accounts = AccountManagement(store: AccountStore(database: runtime.database), assets: assets)
        var router = runtime.makeRouter()
        Routes.register(
            on: &router, authentication: runtime.internalAuthentication, contents: contents,
            review: review,
            comments: ContentComments(contents: contents, store: CommentsStore(database: runtime.database)),
            publishStatus: PublishStatus(
                contents: contents, store: PublishStatusStore(database: runtime.database) { runtime.outbox.wake() }),
            filing: filing, bulk: bulk,
            similarity: SimilarityCheck(contents: contents, store: SimilarityStore(database: runtime.database)),
            assets: assets, upload: upload,
            assetFiling: AssetFiling(
                assets: assets, store: AssetFilingStore(database: runtime.database) { runtime.outbox.wake() },
                folders: FolderStore(database: runtime.database)),
            subtitles: SubtitleEditing(
                assets: assets, store: SubtitleEditingStore(database: runtime.database, quotas: settings.assetQuotas)),
            media: media.jobs,
            search: ContentSearch(store: ContentSearchStore(database: runtime.database), objects: objects),
            semanticIndex: SemanticIndex(store: SemanticIndexStore(database: runtime.database)),
            materials: MaterialLibrary(store: MaterialStore(database: runtime.database) { runtime.outbox.wake() }),
            accounts: accounts, privacy: privacy)
        let sweeper = AssetSweeper(store: AssetSweeperStore(system: runtime.system), objects: objects, logger: runtime.logger)
        return ServiceParts(
            router: router, consumers: Consumers.all(runtime, accounts: accounts) + media.consumers,
            background: [
                ObjectListener(settings: settings, objects: folder, signer: signer, media: media.jobs, runtime: runtime), sweeper,
                rights,
                BinSweeper(system: runtime.system, logger: runtime.logger),
                MaterialSweeper(
                    system: runtime.system, database: runtime.database, warningDays: settings.materialWarningDays,
                    onCommit: { runtime.outbox.wake() }, logger: runtime.logger),
                ExportSweeper(system: runtime.system, objects: objects, logger: runtime.logger),
                InboxSweeper(system: runtime.system, logger: runtime.logger), SearchIndexer(runtime, assets), worker,
            ] + media.background,
            emitsEvents: true)
    }

    private static func folder(_ settings: Settings, _ signer: ObjectSigner) -> LocalObjectStore {
        LocalObjectStore(directory: settings.objectDirectory, publicURL: settings.objectURL, signer: signer)
    }

    /// The files, in the folder or in a bucket.
    static func assets(_ settings: Settings, _ runtime: ServiceRuntime, folder: LocalObjectStore? = nil) -> Assets {
        let folder = folder ?? Self.folder(settings, ObjectSigner(key: settings.objectKey))
        let objects: any ObjectStore =
            if let location = settings.s3 {
                S3ObjectStore(location: location, http: runtime.http, local: folder, now: ObjectRoutes.clock)
            } else { folder }
        return Assets(
            store: AssetsStore(database: runtime.database, quotas: settings.assetQuotas),
            uses: AssetUsesStore(database: runtime.database), objects: objects)
    }

    private static func privacy(
        _ settings: Settings, _ assets: Assets, _ upload: AssetUpload, _ worker: WorkerBox, _ runtime: ServiceRuntime
    ) -> Privacy {
        Privacy(
            exports: ExportStore(
                database: runtime.database, onOrder: { worker.value?.wake() }, onCancel: { worker.value?.cancelRequested($0) },
                onCommit: { runtime.outbox.wake() }),
            erasures: ErasureStore(
                database: runtime.database, onOrder: { worker.value?.wake() }, onCommit: { runtime.outbox.wake() }),
            report: StorageReportStore(database: runtime.database, upload: upload.store), assets: assets,
            scratch: "\(settings.objectDirectory)/writing")
    }
}

/// The roles that the migrations grant rights to.
enum DatabaseRoles {
    static let app = "content_app"
    static let system = "content_system"
}
