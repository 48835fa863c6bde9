import DTO
import FoundationEssentials
import HTTPCore
import Messaging
import Observability
import PostgresStore

/// What content-center tells the others.
enum ContentEvent: Sendable, Equatable {
    case draftCreated(Content)
    case versionCreated(Content)
    case statusChanged(Content, ReviewChange)
    case publishMoved(ContentStatusChanged, revision: Int, at: Date)
    case deleted(Content)
    case restored(UUID, kind: String, title: String, revision: Int, at: Date)
}

extension ContentEvent {
    /// The event as it goes into the outbox: the content's id is the subject and its revision the aggregate's version.
    func cloudEvent(by author: Author) throws -> CloudEvent {
        switch self {
        case .draftCreated(let draft):
            try event(
                ContentDraftCreated.type, of: draft,
                ContentDraftCreated(
                    contentId: draft.id, kind: draft.kind.rawValue, status: draft.status, version: draft.version,
                    title: draft.title, operationId: author.operationId), by: author)
        case .versionCreated(let edited):
            try event(
                ContentVersionCreated.type, of: edited,
                ContentVersionCreated(
                    contentId: edited.id, kind: edited.kind.rawValue, status: edited.status, version: edited.version,
                    title: edited.title), by: author)
        case .statusChanged(let reviewed, let change):
            try event(
                ContentStatusChanged.type, of: reviewed,
                ContentStatusChanged(
                    contentId: reviewed.id, kind: reviewed.kind.rawValue, action: change.event.rawValue, from: change.from,
                    status: reviewed.status, version: reviewed.version, title: reviewed.title, note: change.note), by: author)
        case .publishMoved(let change, let revision, let time):
            try event(ContentStatusChanged.type, subject: change.contentId, revision: revision, at: time, change, by: author)
        case .deleted(let content):
            try event(
                ContentBinned.deletedType, of: content,
                ContentBinned(contentId: content.id, kind: content.kind.rawValue, title: content.title), by: author)
        case .restored(let id, let kind, let title, let revision, let time):
            try event(
                ContentBinned.restoredType, subject: id, revision: revision, at: time,
                ContentBinned(contentId: id, kind: kind, title: title), by: author)
        }
    }

    private func event(_ type: String, of content: Content, _ data: some Encodable, by author: Author) throws -> CloudEvent {
        try event(type, subject: content.id, revision: content.revision, at: content.updatedAt, data, by: author)
    }

    private func event(
        _ type: String, subject: UUID, revision: Int, at time: Date, _ data: some Encodable, by author: Author
    ) throws -> CloudEvent {
        CloudEvent(
            id: UUID.version7(), source: "content-center", type: type, subject: subject.text, time: time,
            tenantId: author.tenantId, operationId: author.operationId, version: Int64(revision), data: try JSON.encode(data))
    }
}
