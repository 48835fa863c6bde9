import DTO
import FoundationEssentials
import HTTPCore

/// What people say about a content while they work on it: about one version, and where they like about one place in it.
struct ContentComments: Sendable {
    let contents: Contents
    let store: CommentsStore

    func add(_ comment: NewContentComment, to id: UUID, by author: Author) async throws -> ContentComment {
        let newest = try await contents.content(id, of: author.tenantId)
        let version = comment.version ?? newest.version
        if version != newest.version || comment.pointer != nil {
            let text = try await contents.versions(of: id, before: version + 1, limit: 1, tenantId: author.tenantId).first
            guard let text, text.version == version else { throw CommentsError.noSuchVersion }
            if let pointer = comment.pointer, !CommentAnchor.leads(pointer, into: text) { throw CommentsError.leadsNowhere }
        }
        return try await store.insertOnce(comment, version: version, of: id, by: author)
    }

    /// Oldest first.
    func list(_ filter: CommentFilter, of id: UUID, tenantId: UUID) async throws -> [ContentComment] {
        _ = try await contents.content(id, of: tenantId)
        return try await store.list(filter, of: id, tenantId: tenantId)
    }

    /// Settled, or open again. What is so already stays as it is.
    func settle(_ comment: UUID, of id: UUID, isResolved: Bool, by author: Author) async throws -> ContentComment {
        guard let comment = try await store.settle(comment, of: id, isResolved: isResolved, by: author) else {
            throw CommentsError.notFound
        }
        return comment
    }

    /// Takes back one's own comment.
    ///
    /// - Parameter mayDeleteOthers: whether those of others too.
    func delete(_ comment: UUID, of id: UUID, by author: Author, mayDeleteOthers: Bool) async throws {
        guard let stored = try await store.comment(comment, of: id, tenantId: author.tenantId) else {
            throw CommentsError.notFound
        }
        guard stored.author == author.subject || mayDeleteOthers else { throw CommentsError.othersComment }
        try await store.delete(comment, tenantId: author.tenantId)
    }
}

struct CommentFilter: Sendable, Equatable {
    /// Only those that are settled, or only those that are not.
    var isResolved: Bool?
    /// Only comments that are newer than this one.
    var newerThan: UUID?
    var limit: Int
}

/// The place that a comment is about.
enum CommentAnchor {
    /// Whether the pointer (RFC 6901) names something in the version's `title` and `body`.
    static func leads(_ pointer: String, into version: ContentVersion) -> Bool {
        guard pointer.hasPrefix("/"), let whole = try? JSONValue(parsing: JSON.encode(version)) else { return false }
        let names = pointer.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(unescaped)
        guard let first = names.first, first == "title" || first == "body" else { return false }
        return names.reduce(JSONValue?.some(whole)) { value, name in
            switch value {
            case .object(let object)?: object[name]
            case .array?: Int(name).flatMap { "\($0)" == name ? value?[$0] : nil }
            default: nil
            }
        } != nil
    }

    private static func unescaped(_ name: Substring) -> String {
        name.split(separator: "~1", omittingEmptySubsequences: false).joined(separator: "/")
            .split(separator: "~0", omittingEmptySubsequences: false).joined(separator: "~")
    }
}

enum CommentsError: Error, Equatable {
    case notFound
    case noSuchVersion
    case leadsNowhere
    case othersComment
}

extension CommentsError: HTTPFailure {
    var problem: ProblemDescription {
        switch self {
        case .notFound:
            ProblemDescription(
                status: .notFound, code: "comment.not_found", title: LocalizedText(zh: "批注不存在", en: "No such comment"))
        case .noSuchVersion:
            ValidationFailure(pointer: "/version", code: "not_found", zh: "没有这个版本", en: "there is no such version").problem
        case .leadsNowhere:
            ValidationFailure(
                pointer: "/pointer", code: "not_found", zh: "该版本中没有这个位置", en: "leads nowhere in that version's title and body"
            ).problem
        case .othersComment:
            ProblemDescription(
                status: .forbidden, code: "comment.of_another",
                title: LocalizedText(zh: "只能删除自己的批注", en: "One deletes only one's own comments"))
        }
    }
}
