import Cryptography
import FoundationEssentials
import Observability

/// Who gets which version in a running experiment. Nothing is written down: the same subject of the same tenant always gets the same arm.
struct ExperimentPlan: Sendable, Equatable {
    struct Arm: Sendable, Equatable {
        let name: String
        /// 0 = the prompt that ships with the service.
        let version: Int
        /// Its part of the subjects, in proportion to the others'.
        let weight: Int
        let isControl: Bool
        /// Its guard has stopped it: its subjects get the control.
        let isStopped: Bool
    }

    let id: UUID
    /// Another salt makes another split.
    let salt: String
    /// At least two; one is the control.
    var arms: [Arm]

    /// The arm that the subject was drawn into.
    func drawn(_ subject: String, of tenantId: UUID) -> Arm {
        let digest = SHA256.hash("\(tenantId.text)/\(salt)/\(subject)")
        let point = digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let total = arms.reduce(0) { $0 + $1.weight }
        // The point as a fraction of 2^64, times the total.
        var rest = Int(point.multipliedFullWidth(by: UInt64(total)).high)
        for arm in arms {
            if rest < arm.weight { return arm }
            rest -= arm.weight
        }
        return arms[arms.count - 1]
    }

    /// The arm that the subject gets: the control's where its own was stopped.
    func arm(for subject: String, of tenantId: UUID) -> Arm {
        let drawn = drawn(subject, of: tenantId)
        guard drawn.isStopped, let control = arms.first(where: \.isControl) else { return drawn }
        return control
    }
}
