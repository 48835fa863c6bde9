import ConcurrencySupport
import Cryptography
import FoundationEssentials
import Observability

/// Who asks, on whose behalf, and until when an answer is of use.
struct Caller: Sendable {
    let tenantId: UUID
    let subject: String
    let operationId: UUID
    let deadline: Deadline

    /// The tenant as vendors may know it, or one of its own customers: always the same, and saying nothing.
    static func vendorName(of tenantId: UUID, user: String? = nil) -> String {
        let name = "agent-center/" + tenantId.text + (user.map { "/\($0)" } ?? "")
        return SHA256.hash(name).prefix(16).map { byte in
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
