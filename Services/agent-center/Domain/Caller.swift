import ConcurrencySupport
import Cryptography
import FoundationEssentials

/// Who asks, on whose behalf, and until when an answer is of use.
struct Caller: Sendable {
    let tenantId: UUID
    let subject: String
    let operationId: UUID
    let deadline: Deadline

    /// The tenant as vendors may know it: always the same, and saying nothing.
    static func vendorName(of tenantId: UUID) -> String {
        SHA256.hash("agent-center/" + tenantId.uuidString.lowercased()).prefix(16).map { byte in
            let text = String(byte, radix: 16)
            return byte < 16 ? "0" + text : text
        }.joined()
    }
}

extension ModelCall {
    init(for caller: Caller, step: String, flow: String, task: AITask, scene: String, model: String) {
        self.init(
            tenantId: caller.tenantId, subject: caller.subject, operationId: caller.operationId, step: step, flow: flow,
            task: task,
            scene: scene, model: model, deadline: caller.deadline)
    }
}
