import HTTPServing
import Messaging
import PostgresStore
import ServiceDefaults

/// content-center, put together.
enum Application: ServiceApplication {
    static let name = ServiceName.contentCenter
    static let migrations = [
        m0001Contents, m0002ContentKinds, m0003Assets, m0004ContentReview, m0005UploadsInParts,
        m0006ContentSearch,
    ]
    static let topology = Topology(queues: [.contentActivity])
    static let commands = [
        ExtraCommand<Settings>("quota", summary: "quota <tenant> <bytes>|usual: what a tenant may keep", run: AssetQuota.run),
        SearchCommands.reindex,
    ]

    static func build(_ settings: Settings, _ runtime: ServiceRuntime) -> ServiceParts {
        let contents = Contents(store: ContentsStore(database: runtime.database) { runtime.outbox.wake() })
        let signer = ObjectSigner(key: settings.objectKey)
        let folder = LocalObjectStore(directory: settings.objectDirectory, publicURL: settings.objectURL, signer: signer)
        let objects: any ObjectStore =
            if let location = settings.s3 {
                S3ObjectStore(location: location, http: runtime.http, local: folder, now: ObjectRoutes.clock)
            } else { folder }
        let inspector = FileInspector()
        let scanner = settings.scanAddress.map { VirusScanner(address: $0) }
        let upload = AssetUpload(
            store: AssetUploadStore(database: runtime.database, usualQuota: settings.assetQuota) { runtime.outbox.wake() },
            objects: objects,
            inspect: { arrived, type in
                try await inspector.check(arrived, declared: type)
                try await scanner?.check(arrived)
            })
        var router = runtime.makeRouter()
        Routes.register(
            on: &router, authentication: runtime.internalAuthentication, contents: contents,
            review: ContentReview(contents: contents, store: ReviewStore(database: runtime.database) { runtime.outbox.wake() }),
            comments: ContentComments(contents: contents, store: CommentsStore(database: runtime.database)),
            assets: Assets(store: AssetsStore(database: runtime.database), objects: objects), upload: upload,
            search: ContentSearch(store: ContentSearchStore(database: runtime.database)))
        let sweeper = AssetSweeper(store: AssetSweeperStore(system: runtime.system), objects: objects, logger: runtime.logger)
        return ServiceParts(
            router: router,
            background: [
                ObjectListener(settings: settings, objects: folder, signer: signer, runtime: runtime), sweeper,
                SearchIndexer(runtime),
            ],
            emitsEvents: true)
    }
}

/// The roles that the migrations grant rights to.
enum DatabaseRoles {
    static let app = "content_app"
    static let system = "content_system"
}
