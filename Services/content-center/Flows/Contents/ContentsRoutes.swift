import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import ServiceDefaults

struct ContentsRoutes: Sendable {
    static let read = "contents:read"
    static let write = "contents:write"

    let contents: Contents
    let media: MediaJobs

    /// `POST /v1/contents`: what a flow wrote, by whom it says.
    func create(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: Self.write))
        let content = try await contents.saveDraft(ContentsInput.newContent(request.json()), by: author)
        return try .content(content, .created, location: true)
    }

    /// `POST /v1/drafts`
    func draft(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: Self.write))
        let content = try await contents.saveDraft(ContentsInput.newDraft(request.json()), by: author)
        return try .content(content, .created, location: true)
    }

    /// `GET /v1/contents/{id}`
    func get(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        var content = try await contents.content(request.parameters.uuid("id"), of: principal.tenantId)
        if content.kind == .video {
            content.media = try await media.media(of: content.id, for: AssetViewer(principal), in: request.language)
            // It moves without the content, and has signed addresses: no tag says what it was.
            if content.media != nil { return try .content(content, unstored: true) }
        }
        guard !ContentsInput.isKnown(content, request.headers) else {
            return Response(.notModified, headers: ["ETag": EntityTag(content).description])
        }
        return try .content(content)
    }

    /// `PATCH /v1/contents/{id}`
    func edit(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: Self.write))
        let id = try request.parameters.uuid("id")
        let patch = try ContentPatchInput.read(request.json())
        let tags = try ContentsInput.tagsToEdit(request.headers)
        return try .content(await contents.edit(id, with: patch, ifMatch: tags, by: author))
    }

    /// `POST /v1/contents/{id}/versions`
    func write(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: Self.write))
        let id = try request.parameters.uuid("id")
        let version = try ContentsInput.newVersion(request.json())
        let tags = try ContentsInput.tagsToEdit(request.headers)
        return try .content(await contents.write(version, of: id, ifMatch: tags, by: author))
    }

    /// `GET /v1/contents`
    func list(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        let filter = try ContentsInput.list(request.query)
        let page = try await Page.ofAtMost(filter.limit) { limit in
            var filter = filter
            filter.limit = limit
            return try await contents.list(filter, of: principal.tenantId)
        } cursor: {
            try PageCursor.encode($0.id, as: ContentsInput.contentsCursor)
        }
        return try .json(.ok, page)
    }

    /// `GET /v1/contents/{id}/diff`
    func diff(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        let id = try request.parameters.uuid("id")
        let versions = try ContentsInput.diff(request.query)
        return try .json(.ok, await contents.diff(of: id, from: versions.from, to: versions.to, tenantId: principal.tenantId))
    }

    /// `GET /v1/contents/{id}/versions/{version}`
    func version(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        let (id, number) = try (request.parameters.uuid("id"), Self.number(request))
        return try .json(.ok, await contents.version(number, of: id, tenantId: principal.tenantId))
    }

    /// `POST /v1/contents/{id}/versions/{version}/restore`
    func restore(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: Self.write))
        let (id, number) = try (request.parameters.uuid("id"), Self.number(request))
        let tags = try ContentsInput.tagsToEdit(request.headers)
        return try .content(await contents.restore(number, of: id, ifMatch: tags, by: author))
    }

    private static func number(_ request: Request) throws -> Int {
        try request.parameters.integer("version", in: 1...Int(Int32.max))
    }

    /// `GET /v1/contents/{id}/versions`
    func versions(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        let id = try request.parameters.uuid("id")
        let query = try ContentsInput.versions(request.query)
        let page = try await Page.ofAtMost(query.limit) { limit in
            try await contents.versions(of: id, before: query.before, limit: limit, tenantId: principal.tenantId)
        } cursor: {
            try PageCursor.encode($0.version, as: ContentsInput.versionsCursor)
        }
        return try .json(.ok, page)
    }
}

extension Page {
    /// Fetches one row more than the page holds: it tells whether another page follows.
    static func ofAtMost(
        _ limit: Int, fetch: (Int) async throws -> [Item], cursor: (Item) throws -> String
    ) async throws -> Page<Item> {
        let rows = try await fetch(limit + 1)
        let items = Array(rows.prefix(limit))
        return Page(items: items, nextCursor: rows.count > limit ? try items.last.map(cursor) : nil)
    }
}

extension Response {
    /// A content, with its `ETag`.
    static func content(
        _ content: Content, _ status: HTTPStatus = .ok, location: Bool = false, unstored: Bool = false
    ) throws -> Response {
        var headers: HTTPHeaders = ["ETag": EntityTag(content).description]
        if location { headers["Location"] = "/v1/contents/\(content.id.text)" }
        if unstored { headers["Cache-Control"] = "no-store" }
        return try .json(status, content, headers: headers)
    }
}

extension Author {
    init(_ principal: Principal) {
        self.init(
            tenantId: principal.tenantId, subject: principal.subject, operationId: CallContext.current?.operationId,
            roles: principal.roles, seesAllAudiences: principal.scopes.contains(MaterialRoutes.approve))
    }
}
