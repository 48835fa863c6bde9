import DTO
import FoundationEssentials
import HTTPCore
import Messaging
import Observability
import PostgresStore

/// What content-center tells of closing materials: the material's id is the subject and its version the aggregate's.
enum MaterialEvent: Sendable {
    case changed(MaterialChange)
    case expiring(MaterialExpiring, version: Int, at: Date)
}

extension MaterialEvent {
    func cloudEvent(by author: Author) throws -> CloudEvent {
        switch self {
        case .changed(let change):
            let material = change.after
            let data = MaterialChanged(
                materialId: material.id, kind: material.kind.rawValue, title: material.audience.isEmpty ? material.title : nil,
                action: change.action,
                status: material.status, customerFacing: material.customerFacing, expiresAt: material.expiresAt)
            return Self.event(
                MaterialChanged.type, of: material.id, version: material.version, at: material.updatedAt,
                try JSON.encode(data), by: author)
        case .expiring(let data, let version, let time):
            return Self.event(
                MaterialExpiring.type, of: data.materialId, version: version, at: time, try JSON.encode(data), by: author)
        }
    }

    private static func event(
        _ type: String, of id: UUID, version: Int, at time: Date, _ data: [UInt8], by author: Author
    ) -> CloudEvent {
        CloudEvent(
            id: UUID.version7(), source: "content-center", type: type, subject: id.text, time: time,
            tenantId: author.tenantId, operationId: author.operationId, version: Int64(version), data: data)
    }
}
