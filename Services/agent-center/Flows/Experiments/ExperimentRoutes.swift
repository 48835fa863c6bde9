import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import ServiceDefaults

struct ExperimentRoutes: Sendable {
    let experiments: Experiments

    /// `POST /v1/experiments`
    func create(_ request: Request) async throws -> Response {
        let author = try Prompts.Author(request, with: PromptRoutes.write)
        let experiment = try await experiments.create(ExperimentInput.draft(request.json()), by: author)
        return try .json(
            .created, experiment, headers: ["Location": "/api/experiments/\(experiment.id.text)"])
    }

    /// `GET /v1/experiments`
    func list(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: PromptRoutes.read)
        var filter = try ExperimentInput.list(request.query)
        let limit = filter.limit
        filter.limit += 1
        let rows = try await experiments.list(filter, of: principal.tenantId)
        return try .json(
            .ok, Page(rows, ofAtMost: limit) { try PageCursor.encode($0.id, as: ExperimentInput.cursor) })
    }

    /// `GET /v1/experiments/{id}`
    func show(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: PromptRoutes.read)
        return try .json(.ok, try await experiments.experiment(request.parameters.uuid("id"), of: principal.tenantId))
    }

    /// `POST /v1/experiments/{id}/start`
    func start(_ request: Request) async throws -> Response {
        let author = try Prompts.Author(request, with: PromptRoutes.write)
        let id = try request.parameters.uuid("id")
        return try .json(.ok, try await experiments.apply(.start, to: id, by: author))
    }

    /// `POST /v1/experiments/{id}/stop`
    func stop(_ request: Request) async throws -> Response {
        let author = try Prompts.Author(request, with: PromptRoutes.write)
        let id = try request.parameters.uuid("id")
        return try .json(
            .ok, try await experiments.apply(ExperimentInput.stop(request.optionalJSON()), to: id, by: author))
    }

    /// `POST /v1/experiments/{id}/outcomes`: 201, or 200 for one that was counted before.
    ///
    /// Also for whoever may have texts written: a program that gets them learns what became of them.
    func record(_ request: Request) async throws -> Response {
        let isCaller = try request.principal.scopes.contains(GenerateRoutes.permission)
        let author = try Prompts.Author(request, with: isCaller ? GenerateRoutes.permission : PromptRoutes.write)
        let id = try request.parameters.uuid("id")
        let (outcome, isNew) = try await experiments.record(
            ExperimentInput.outcome(request.json()), in: id, by: author)
        return try .json(isNew ? .created : .ok, outcome)
    }

    /// `GET /v1/experiments/{id}/results`
    func results(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: PromptRoutes.read)
        return try .json(.ok, try await experiments.results(request.parameters.uuid("id"), of: principal.tenantId))
    }
}
