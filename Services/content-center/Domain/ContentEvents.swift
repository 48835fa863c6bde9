import DTO
import FoundationEssentials
import HTTPCore
import Messaging
import PostgresStore

/// What content-center tells the others.
enum ContentEvent: Sendable, Equatable {
    case draftCreated(Content)
    case versionCreated(Content)
    case statusChanged(Content, ReviewChange)
}

extension ContentEvent {
    /// The event as it goes into the outbox: the content's id is the subject and its revision the aggregate's version.
    func cloudEvent(by author: Author) throws -> CloudEvent {
        let content: Content
        let type: String
        let data: [UInt8]
        switch self {
        case .draftCreated(let draft):
            content = draft
            type = ContentDraftCreated.type
            data = try JSON.encode(
                ContentDraftCreated(
                    contentId: draft.id, kind: draft.kind.rawValue, status: draft.status, version: draft.version,
                    title: draft.title,
                    operationId: author.operationId))
        case .versionCreated(let edited):
            content = edited
            type = ContentVersionCreated.type
            data = try JSON.encode(
                ContentVersionCreated(
                    contentId: edited.id, kind: edited.kind.rawValue, status: edited.status, version: edited.version,
                    title: edited.title))
        case .statusChanged(let reviewed, let change):
            content = reviewed
            type = ContentStatusChanged.type
            data = try JSON.encode(
                ContentStatusChanged(
                    contentId: reviewed.id, kind: reviewed.kind.rawValue, action: change.event.rawValue, from: change.from,
                    status: reviewed.status, version: reviewed.version, title: reviewed.title, note: change.note))
        }
        return CloudEvent(
            id: UUID.version7(), source: "content-center", type: type, subject: content.id.uuidString.lowercased(),
            time: content.updatedAt, tenantId: author.tenantId, operationId: author.operationId, version: Int64(content.revision),
            data: data)
    }
}
