import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import PostgresStore
import ServiceDefaults

struct PromptRoutes: Sendable {
    static let read = "prompts:read"
    static let write = "prompts:write"

    let prompts: Prompts

    /// `GET /v1/prompts`
    func list(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        let (limit, after) = try PromptInput.page(request.query, PromptInput.namesCursor)
        let rows = try await prompts.list(after: after, limit: limit + 1, of: principal.tenantId)
        return try .json(.ok, Page(rows, ofAtMost: limit) { try PageCursor.encode($0.name, as: PromptInput.namesCursor) })
    }

    /// `GET /v1/prompts/{name}`
    func show(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        return try .json(.ok, try await prompts.prompt(Self.name(request), of: principal.tenantId))
    }

    // MARK: Versions

    /// `GET /v1/prompts/{name}/versions`
    func versions(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        let (limit, before) = try PromptInput.page(request.query, PromptInput.versionsCursor)
        let rows = try await prompts.versions(
            of: Self.name(request), before: before, limit: limit + 1, tenantId: principal.tenantId)
        return try .json(
            .ok, Page(rows, ofAtMost: limit) { try PageCursor.encode($0.version, as: PromptInput.versionsCursor) })
    }

    /// `POST /v1/prompts/{name}/versions`
    func add(_ request: Request) async throws -> Response {
        let author = try Prompts.Author(request, with: Self.write)
        let name = try Self.nameToWrite(request)
        let json = try request.json()
        let (definition, note) = try PromptInput.draft(json, of: name)
        do {
            let version = try await prompts.add(definition, note: note, to: name, by: author)
            return try .json(
                .created, version, headers: ["Location": "/api/prompts/\(name)/versions/\(version.version)"])
        } catch let broken as PromptContractBroken {
            throw PromptInput.refusal(of: broken, in: json)
        }
    }

    /// `GET /v1/prompts/{name}/versions/{version}`
    func version(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        return try .json(
            .ok, try await prompts.version(Self.number(request), of: Self.name(request), tenantId: principal.tenantId))
    }

    /// `POST /v1/prompts/{name}/versions/{version}/preview`
    func preview(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        let (name, number) = (try Self.name(request), try Self.number(request))
        let values = try PromptInput.values(request.json())
        do {
            return try .json(
                .ok, try await prompts.preview(number, of: name, values: values, tenantId: principal.tenantId))
        } catch let error as PromptVariableError {
            throw PromptInput.failure(error)
        }
    }

    /// `GET /v1/prompts/{name}/diff?from=&to=`
    func diff(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        let name = try Self.name(request)
        let (from, to) = try PromptInput.versions(toCompare: request.query)
        return try .json(.ok, try await prompts.diff(name, from: from, to: to, tenantId: principal.tenantId))
    }

    // MARK: Labels

    /// `GET /v1/prompts/{name}/labels/{label}`
    func label(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        return try .label(try await prompts.label(Self.label(request), of: Self.name(request), tenantId: principal.tenantId))
    }

    /// `PUT /v1/prompts/{name}/labels/{label}`
    func move(_ request: Request) async throws -> Response {
        let author = try Prompts.Author(request, with: Self.write)
        let (name, label) = (try Self.nameToWrite(request), try Self.labelToWrite(request))
        let (version, expected) = try PromptInput.labelChange(request.json())
        let expectation = Prompts.Expectation(revisions: try PromptInput.revisions(request.headers), version: expected)
        return try .label(try await prompts.move(label, of: name, to: version, expecting: expectation, by: author))
    }

    /// `DELETE /v1/prompts/{name}/labels/{label}`
    func remove(_ request: Request) async throws -> Response {
        let author = try Prompts.Author(request, with: Self.write)
        let (name, label) = (try Self.name(request), try Self.label(request))
        let expectation = Prompts.Expectation(revisions: try PromptInput.revisions(request.headers))
        try await prompts.remove(label, of: name, expecting: expectation, by: author)
        return .noContent
    }

    /// `GET /v1/prompts/{name}/labels/{label}/history`
    func history(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        let (name, label) = (try Self.name(request), try Self.label(request))
        let (limit, before) = try PromptInput.page(request.query, PromptInput.movesCursor)
        let rows = try await prompts.history(
            of: label, name, before: before, limit: limit + 1, tenantId: principal.tenantId)
        return try .json(
            .ok, Page(rows, ofAtMost: limit) { try PageCursor.encode($0.revision, as: PromptInput.movesCursor) })
    }

    /// `POST /v1/prompts/{name}/rollback`
    func rollBack(_ request: Request) async throws -> Response {
        let author = try Prompts.Author(request, with: Self.write)
        let name = try Self.name(request)
        let expected = try PromptInput.rollback(request.optionalJSON())
        let expectation = Prompts.Expectation(revisions: try PromptInput.revisions(request.headers), version: expected)
        return try .label(try await prompts.rollBack(name, expecting: expectation, by: author))
    }

    // MARK: Parts

    /// What is no name of a prompt names nothing.
    private static func name(_ request: Request) throws -> String {
        let name = try request.parameters.string("name")
        guard PromptDefinition.isPromptName(name) else { throw NotFound() }
        return name
    }

    private static func label(_ request: Request) throws -> String {
        let label = try request.parameters.string("label")
        guard PromptInput.isLabel(label) else { throw NotFound() }
        return label
    }

    /// Where something is to be made under it, whoever chose the name learns what names look like.
    private static func nameToWrite(_ request: Request) throws -> String {
        let name = try request.parameters.string("name")
        guard PromptDefinition.isPromptName(name) else { throw PromptInput.notAName("{name}", atMost: 64) }
        return name
    }

    private static func labelToWrite(_ request: Request) throws -> String {
        let label = try request.parameters.string("label")
        guard PromptInput.isLabel(label) else {
            throw PromptInput.notAName("{label}", atMost: PromptInput.labelLength.upperBound)
        }
        return label
    }

    private static func number(_ request: Request) throws -> Int {
        try request.parameters.integer("version", in: 0...1_000_000)
    }
}

extension Prompts.Author {
    init(_ request: Request, with permission: String) throws {
        let principal = try request.principal(with: permission)
        self.init(
            tenantId: principal.tenantId, subject: principal.subject,
            // A caller that names no operation cannot repeat one either.
            operationId: CallContext.current?.operationId ?? .version7())
    }
}

extension Request {
    /// The body as JSON; without a body an empty object.
    func optionalJSON() throws -> JSONValue { body.isEmpty ? .object(JSONObject()) : try json() }
}

extension Response {
    fileprivate static func label(_ label: PromptLabel) throws -> Response {
        try .json(.ok, label, headers: ["ETag": "\"\(label.revision)\""])
    }
}

extension Page {
    /// - Parameter rows: one more than the page holds tells that another page follows.
    init(_ rows: [Item], ofAtMost limit: Int, cursor: (Item) throws -> String) rethrows {
        let items = Array(rows.prefix(limit))
        self.init(items: items, nextCursor: rows.count > limit ? try items.last.map(cursor) : nil)
    }
}
