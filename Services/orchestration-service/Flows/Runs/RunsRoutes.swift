import ConcurrencySupport
import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import ServiceDefaults

struct RunsRoutes: Sendable {
    static let read = "runs:read"
    static let cancel = "runs:cancel"

    private static let cursor = PageCursor.Kind("runs", of: UUID.self)

    let runs: Runs

    /// `GET /v1/runs`
    func list(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        var query = request.queryReader()
        let limit = query.integer("limit", in: 1...100, default: 20)
        let olderThan = query.cursor(Self.cursor)
        try query.finish()
        let found = try await runs.list(olderThan: olderThan, limit: limit + 1, of: principal.tenantId)
        let items = Array(found.prefix(limit))
        let nextCursor = found.count > limit ? try items.last.map { try PageCursor.encode($0.id, as: Self.cursor) } : nil
        return try .json(.ok, Page(items: items, nextCursor: nextCursor))
    }

    /// `GET /v1/runs/{id}`
    func show(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        return try .json(.ok, try await runs.run(request.parameters.uuid("id"), of: principal.tenantId))
    }

    /// `POST /v1/runs/{id}/cancel`
    func cancel(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.cancel)
        return try .json(.ok, try await runs.cancel(request.parameters.uuid("id"), of: principal.tenantId))
    }

    /// `POST /v1/runs/{id}/retry`
    func retry(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.cancel)
        let run = try await runs.retry(request.parameters.uuid("id"), as: principal)
        return try .json(.accepted, run, headers: ["Location": "/api/runs/\(run.id.text)"])
    }
}

extension Runs {
    /// Runs a flow for a request.
    ///
    /// With `Prefer: respond-async` (RFC 7240) the answer is 202 at once. Without it the request waits for the run's end; if that has not
    /// come when the request's time is up, the answer is 202 too, because the run goes on and can be watched under its `Location`.
    ///
    /// - Parameter finished: makes the answer from what the flow made.
    func answer<Flow: DurableFlow>(
        _ request: Request, with flow: Flow.Type, _ input: Flow.Input, as principal: Principal,
        _ finished: (_ id: UUID, Flow.Output) throws -> Response
    ) async throws -> Response {
        if request.prefersAsync { return try await accept(flow, input, as: principal) }
        let run = try await start(flow, input, as: principal)
        let remaining = request.deadline.remaining
        let end = try await end(of: run, until: .after(remaining - min(.seconds(1), remaining / 10)))
        switch end {
        case .succeeded(let output): return try finished(run.id, try JSON.decode(Flow.Output.self, from: output))
        case .failed(let problem): throw FlowFailure(problem)
        case .canceled: throw RunError.canceled(run.id)
        case nil: return try .accepted(run, flow.name, applied: false)
        }
    }

    /// Runs a flow for a request that does not wait: 202 at once.
    func accept<Flow: DurableFlow>(_ flow: Flow.Type, _ input: Flow.Input, as principal: Principal) async throws -> Response {
        try .accepted(try await start(flow, input, as: principal), flow.name, applied: true)
    }
}

extension Request {
    /// For whom this request is made, if he may have the flow done.
    ///
    /// - Throws: 401 without a context, 403 `auth.permission_missing`.
    func principal<Flow: DurableFlow>(mayDo flow: Flow.Type) throws -> Principal {
        for permission in flow.permissions { _ = try principal(with: permission) }
        return try principal
    }
}

extension Response {
    fileprivate static func accepted(_ run: StartedRun, _ flow: String, applied: Bool) throws -> Response {
        var headers: HTTPHeaders = ["Location": "/api/runs/\(run.id.text)"]
        if applied { headers["Preference-Applied"] = "respond-async" }
        return try .json(.accepted, RunAccepted(runId: run.id, flow: flow, state: .running), headers: headers)
    }
}

extension Request {
    /// `Prefer: respond-async` (RFC 7240).
    var prefersAsync: Bool {
        headers.values(of: "Prefer").joined(separator: ",").split(separator: ",").contains { preference in
            preference.split(separator: ";").first.map { $0.lowercased().filter { $0 != " " && $0 != "\t" } } == "respond-async"
        }
    }
}
