import ConcurrencySupport
import FoundationEssentials
import HTTPCore
import Lifecycle
import Observability

/// The prompts of the service: those that ship with it and the versions of tenants.
///
/// What a tenant has set is kept in memory by tenant; each replica learns within about a second that it has changed, and reads it anew with
/// the next call. Other calls ask no database.
final class PromptRepository: Service {
    /// The label that callers get who name none.
    static let productionLabel = "production"

    private struct State {
        /// Whether the changes were ever read.
        var isReady = false
        /// The newest change that was read.
        var seen: Int64 = 0
        /// The newest change of each tenant that ever set anything.
        var revisions: [UUID: Int64] = [:]
        var loaded: [UUID: TenantPrompts] = [:]
        var loading: [UUID: Load] = [:]
    }

    private struct Load {
        let revision: Int64
        let task: Task<TenantPrompts, any Error>
    }

    private enum Lookup {
        case nothing
        case known(TenantPrompts)
        case coming(Load, stale: TenantPrompts?)
    }

    let shipped: [String: PromptVersion]
    private let store: PromptStore
    private let logger: Logger
    private let state = Lock(State())

    private static let interval = Duration.seconds(1)
    private static let mostLoaded = 4_096

    init(shipped: [String: PromptVersion], store: PromptStore, logger: Logger) {
        self.shipped = shipped
        self.store = store
        self.logger = logger
    }

    /// The version that this subject of the tenant gets: an experiment's arm, the label's version, or the shipped one.
    ///
    /// - Parameter label: `nil` = `production`, and the only case in which experiments apply.
    /// - Throws: `NotFound` where neither the tenant nor the service has a prompt of this name, and for an unknown label.
    func resolve(_ name: String, for tenantId: UUID, subject: String, label: String? = nil) async throws -> PromptChoice {
        let own = try await prompts(of: tenantId)
        if label == nil, let plan = own?.experiments[name] {
            let arm = plan.arm(for: subject, of: tenantId)
            if let version = version(arm.version, of: name, own) {
                return PromptChoice(
                    version: version, label: nil, experiment: .init(experimentId: plan.id, arm: arm.name))
            }
        }
        let wanted = label ?? Self.productionLabel
        if let number = own?.labels[name]?[wanted], let version = version(number, of: name, own) {
            return PromptChoice(version: version, label: wanted, experiment: nil)
        }
        guard wanted == Self.productionLabel, let version = shipped[name] else { throw NotFound() }
        return PromptChoice(version: version, label: nil, experiment: nil)
    }

    /// The same for a call whose request may name a label.
    ///
    /// - Parameters:
    ///   - subject: whom the text is for, where that is not the caller.
    ///   - pointer: where the request names the label.
    /// - Throws: `ValidationFailure` for a label that leads to no usable version.
    func resolve(
        _ name: String, for call: ModelCall, subject: String? = nil, label: String?, at pointer: String = "/promptLabel"
    ) async throws -> PromptChoice {
        do {
            return try await resolve(name, for: call.tenantId, subject: subject ?? call.subject, label: label)
        } catch is NotFound {
            let label = label ?? Self.productionLabel
            throw ValidationFailure(
                pointer: pointer, code: "unknown_label", zh: "提示词“\(name)”没有可用的标签“\(label)”",
                en: "no label \(label) leads to a usable version of the prompt \(name)")
        }
    }

    /// Whether the service ships a prompt of this name or the tenant has labelled one.
    func knows(_ name: String, for tenantId: UUID) async throws -> Bool {
        if shipped[name] != nil { return true }
        return try await prompts(of: tenantId)?.labels[name]?.isEmpty == false
    }

    private func version(_ number: Int, of name: String, _ own: TenantPrompts?) -> PromptVersion? {
        number == 0 ? shipped[name] : own?.versions[name]?[number]
    }

    // MARK: Keeping up

    func run() async throws {
        await repeating(every: Self.interval, logger: logger, failure: "changes of prompts could not be read", refresh)
    }

    /// Learns who has changed something; what it is, is read when it is needed.
    func refresh() async throws {
        let changes = try await store.changes(after: state.withLock { $0.seen })
        state.withLock { state in
            for change in changes {
                state.revisions[change.tenantId] = max(state.revisions[change.tenantId] ?? 0, change.revision)
                state.seen = max(state.seen, change.revision)
            }
            state.isReady = true
        }
    }

    /// A change that was made at this replica holds for its next call.
    func note(_ revision: Int64, of tenantId: UUID) {
        state.withLock { $0.revisions[tenantId] = max($0.revisions[tenantId] ?? 0, revision) }
    }

    /// `nil`: the tenant has set nothing.
    private func prompts(of tenantId: UUID) async throws -> TenantPrompts? {
        if !state.withLock({ $0.isReady }) { try await refresh() }
        let lookup = state.withLock { state -> Lookup in
            guard let revision = state.revisions[tenantId] else { return .nothing }
            let loaded = state.loaded[tenantId]
            if let loaded, loaded.revision >= revision { return .known(loaded) }
            if let load = state.loading[tenantId], load.revision >= revision { return .coming(load, stale: loaded) }
            // Detached: it serves many callers and has nobody's deadline.
            let load = Load(revision: revision, task: Task.detached { try await self.load(tenantId) })
            state.loading[tenantId] = load
            return .coming(load, stale: loaded)
        }
        switch lookup {
        case .nothing: return nil
        case .known(let prompts): return prompts
        case .coming(let load, let stale):
            do {
                return try await load.task.value
            } catch {
                // Where the database is away, the last state stays.
                guard let stale else { throw error }
                logger.warning("the prompts of a tenant could not be read", ["tenant": "\(tenantId)", "error": "\(error)"])
                return stale
            }
        }
    }

    private func load(_ tenantId: UUID) async throws -> TenantPrompts {
        let result: Result<TenantPrompts, any Error>
        do {
            let prompts = TenantPrompts(try await store.prompts(of: tenantId), shipped: shipped)
            for reference in prompts.unusable {
                logger.warning(
                    "a prompt's version does not fit its flow any more", ["tenant": "\(tenantId)", "prompt": reference])
            }
            result = .success(prompts)
        } catch { result = .failure(error) }
        return try state.withLock { state in
            state.loading[tenantId] = nil
            let prompts = try result.get()
            if state.loaded[tenantId].map({ $0.revision > prompts.revision }) != true {
                if state.loaded.count >= Self.mostLoaded, let other = state.loaded.keys.first { state.loaded[other] = nil }
                state.loaded[tenantId] = prompts
            }
            return prompts
        }
    }
}

/// What a tenant has set, as far as calls need it: labels, running experiments, and the versions that these name.
struct TenantPrompts: Sendable {
    /// As it is kept.
    struct Stored: Sendable {
        struct Version: Sendable {
            let name: String
            let number: Int
            let text: String
        }

        var revision: Int64 = 0
        /// By prompt and label.
        var labels: [String: [String: Int]] = [:]
        var versions: [Version] = []
        /// By prompt.
        var experiments: [String: ExperimentPlan] = [:]
    }

    let revision: Int64
    let labels: [String: [String: Int]]
    let experiments: [String: ExperimentPlan]
    let versions: [String: [Int: PromptVersion]]
    /// References of versions that the flow of today could not use.
    let unusable: [String]

    init(_ stored: Stored, shipped: [String: PromptVersion]) {
        revision = stored.revision
        labels = stored.labels
        experiments = stored.experiments
        var versions: [String: [Int: PromptVersion]] = [:]
        var unusable: [String] = []
        for kept in stored.versions {
            if let version = PromptVersion(kept.name, kept.number, text: kept.text, standingInFor: shipped[kept.name]),
                version.breaches(of: shipped[kept.name]).isEmpty
            {
                versions[kept.name, default: [:]][kept.number] = version
            } else {
                unusable.append("\(kept.name)@\(kept.number)")
            }
        }
        self.versions = versions
        self.unusable = unusable
    }
}

extension PromptVersion {
    /// A tenant's version as it is kept.
    ///
    /// - Parameter shipped: the one in whose place a flow renders it: it takes every value that this one takes.
    /// - Returns: `nil` for a text that cannot be read.
    init?(_ name: String, _ number: Int, text: String, standingInFor shipped: PromptVersion?) {
        guard let definition = try? PromptText(parsing: text).definition else { return nil }
        self.init(name, number, definition: definition, standingInFor: shipped)
    }

    init?(_ name: String, _ number: Int, definition: PromptDefinition, standingInFor shipped: PromptVersion?) {
        let own = Set(definition.variables.map(\.name))
        let others = shipped?.variables.filter { !own.contains($0.name) } ?? []
        try? self.init(name: name, number: number, definition: definition, accepting: definition.variables + others)
    }

    func breaches(of shipped: PromptVersion?) -> [FieldIssue] {
        shipped.map { PromptContract.breaches(of: definition, against: $0.definition) } ?? []
    }
}
