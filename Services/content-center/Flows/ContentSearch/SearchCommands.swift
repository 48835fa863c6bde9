import FoundationEssentials
import Observability
import ServiceDefaults

/// Words of the executable's command line.
enum SearchCommands {
    /// `content-center reindex [tenant]`: after the rules of SearchTokens have changed, or PostgreSQL's hashes. Where it ends before its end, the
    /// running service goes on with what was listed; searches keep working meanwhile.
    static let reindex = ExtraCommand<Settings>(
        "reindex", summary: "take every content and asset into the search index anew; of one tenant: reindex <id>"
    ) {
        settings, runtime, arguments in
        var tenantId: UUID?
        if let argument = arguments.first {
            guard arguments.count == 1, let id = UUID(text: argument) else { throw WrongArguments() }
            tenantId = id
        }
        let indexer = SearchIndexer(runtime, Application.assets(settings, runtime))
        let count = try await indexer.listAll(of: tenantId)
        let assets = try await indexer.listAllAssets(of: tenantId)
        runtime.logger.info("contents and assets listed for the index", ["count": count, "assets": assets])
        try await indexer.takeInAll()
        runtime.logger.info("index is up to date")
    }

    private struct WrongArguments: Error, CustomStringConvertible {
        let description = "reindex takes nothing, or the id of a tenant"
    }
}

extension SearchIndexer {
    init(_ runtime: ServiceRuntime, _ assets: Assets) {
        self.init(
            store: SearchIndexerStore(app: runtime.database, system: runtime.system), subtitles: SubtitleTexts(assets: assets),
            logger: runtime.logger)
    }
}
