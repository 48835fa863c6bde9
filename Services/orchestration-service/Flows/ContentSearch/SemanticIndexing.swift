import ConcurrencySupport
import DTO
import FoundationEssentials
import HTTPCore
import Lifecycle
import Observability
import ServiceDefaults

/// Has vectors made of contents that have none yet, tenant by tenant. Any number of replicas may run it. A batch that is lost half way
/// costs nothing: agent-center remembers the vectors that it has paid for.
struct SemanticIndexing: Service {
    static let batch = 32
    /// How long a change may wait at rest, where no event told of it.
    static let pause = Duration.seconds(2)
    /// After a failure that may mend by itself, and after one that somebody has to mend.
    static let (shortPause, longPause) = (Duration.seconds(15), Duration.seconds(600))
    /// Then others have their turn.
    static let mostBatches = 4

    let tenants: SemanticTenantsStore
    let agentCenter: any AgentCenter
    let contentCenter: any ContentCenter
    let logger: Logger

    func run() async throws {
        await repeating(pausing: Self.pause, logger: logger, failure: "contents could not be taken in by meaning", takeIn)
    }

    /// - Returns: whether there was anything to do.
    @discardableResult
    func takeIn() async throws -> Bool {
        guard let tenant = try await tenants.claim() else { return false }
        do {
            try await takeIn(tenant)
        } catch {
            try Task.checkCancellation()
            let pause = Self.pause(after: error)
            logger.warning(
                "contents wait to be taken in by meaning",
                [
                    "tenant": tenant.tenantId.text, "reason": "\(error)",
                    "seconds": "\(pause.components.seconds)",
                ])
            try await tenants.putOff(tenant, for: pause)
        }
        return true
    }

    private func takeIn(_ tenant: SemanticTenant) async throws {
        let principal = Principal(
            tenantId: tenant.tenantId, subject: "service:\(ServiceName.orchestrationService.rawValue)",
            scopes: [SemanticSearchRoutes.permission, SemanticSearchRoutes.modelPermission, "contents:write"],
            actingJob: "semantic-index")
        for _ in 0..<Self.mostBatches {
            let texts = try await contentCenter.pendingTexts(for: tenant.model, limit: Self.batch, as: principal).items
            if !texts.isEmpty {
                let items = try await vectors(of: texts[...], for: tenant, as: principal)
                try await contentCenter.keep(SemanticVectors(model: tenant.model, items: items), as: principal)
            }
            if texts.count < Self.batch { return try await tenants.finish(tenant) }
        }
        try await tenants.putOff(tenant, for: .zero)
    }

    /// One text that the model does not take must not keep the others waiting: the halves are asked for apart, down to the one that is
    /// refused, which is kept as such.
    private func vectors(
        of texts: ArraySlice<SemanticText>, for tenant: SemanticTenant, as principal: Principal
    ) async throws -> [SemanticVector] {
        // An operation of its own: agent-center answers the repeat of one with what it has paid for.
        let context = CallContext(
            requestId: TraceContext.makeRoot().traceId, operationId: UUID(), tenantId: tenant.tenantId, flow: "ContentSearch")
        do {
            let made = try await CallContext.$current.withValue(context) {
                try await agentCenter.embed(texts.map(\.text), as: principal)
            }
            // The policy has changed since the last search; the next one names the new model.
            guard made.model == tenant.model else { throw OtherModel(asked: tenant.model, answered: made.model) }
            return zip(texts, made.vectors).map {
                SemanticVector(contentId: $0.contentId, version: $0.version, vector: $1)
            }
        } catch let problem as UpstreamProblem where Self.refusalsOfTexts.contains(problem.code) {
            guard texts.count > 1 else { return texts.map { SemanticVector(contentId: $0.contentId, version: $0.version) } }
            let middle = texts.startIndex + texts.count / 2
            return try await vectors(of: texts[..<middle], for: tenant, as: principal)
                + vectors(of: texts[middle...], for: tenant, as: principal)
        }
    }

    /// agent-center's words for what is wrong with a text and not with the call.
    private static let refusalsOfTexts: Set = ["context_length_exceeded", "content_policy_violation", "model.refused_request"]

    private static func pause(after error: any Error) -> Duration {
        switch error {
        case is OtherModel: longPause
        // No model, no money: a person has to do something.
        case let problem as UpstreamProblem
        where problem.code == "embeddings.not_configured" || problem.code == "budget.exhausted":
            longPause
        case let problem as UpstreamProblem where (400..<500).contains(problem.status.code) && problem.status.code != 429:
            longPause
        default: shortPause
        }
    }
}

struct OtherModel: Error, CustomStringConvertible {
    let asked: String
    let answered: String

    var description: String { "vectors of \(answered) came instead of \(asked)" }
}
