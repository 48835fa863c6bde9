import DTO
import FoundationEssentials
import HTTPCore
import Observability

/// A/B tests of prompts (seed 001 §5.2): subjects are split by a sticky hash over versions of one prompt; what became of the texts is posted
/// back; the results say by how much the arms differ, and how sure that is. A guard stops an arm that does harm.
struct Experiments: Sendable {
    struct Draft: Sendable {
        struct Arm: Sendable {
            let name: String
            let version: Int
            let weight: Int
        }

        let prompt: String
        let description: String
        let arms: [Arm]
        /// The arm that the others are compared with.
        let control: String
        let unit: ExperimentUnit
        let salt: String?
        let rule: GuardRule?
    }

    /// What became of one text, or of what one subject got.
    struct Outcome: Sendable {
        enum About: Sendable {
            case operation(UUID)
            case subject(String)
        }

        let about: About
        let kind: OutcomeKind
        let value: Double?
    }

    let store: ExperimentStore
    let repository: PromptRepository
    let logger: Logger

    /// - Throws: `ValidationFailure` for an unknown prompt, and where an arm names a version that is not there.
    func create(_ draft: Draft, by author: Prompts.Author) async throws -> Experiment {
        let known = try await store.versions(Set(draft.arms.map(\.version)), of: draft.prompt, tenantId: author.tenantId)
        let isShipped = repository.shipped[draft.prompt] != nil
        let issues = draft.arms.enumerated().compactMap { index, arm -> FieldIssue? in
            guard arm.version == 0 ? !isShipped : !known.contains(arm.version) else { return nil }
            return FieldIssue(
                pointer: "/arms/\(index)/version", code: "unknown_version",
                message: LocalizedText(zh: "没有这个版本", en: "there is no such version"))
        }
        if !issues.isEmpty, !isShipped, try await !store.knows(draft.prompt, tenantId: author.tenantId) {
            throw ValidationFailure(pointer: "/prompt", code: "unknown_prompt", zh: "没有这个提示词", en: "there is no such prompt")
        }
        guard issues.isEmpty else { throw ValidationFailure(issues) }
        return try await store.create(draft, by: author)
    }

    func experiment(_ id: UUID, of tenantId: UUID) async throws -> Experiment {
        guard let experiment = try await store.experiment(id, tenantId: tenantId) else { throw NotFound() }
        return experiment
    }

    /// Newest first.
    func list(_ filter: ExperimentStore.Filter, of tenantId: UUID) async throws -> [Experiment] {
        try await store.list(filter, tenantId: tenantId)
    }

    /// - Throws: ``ExperimentsError/wrongState`` or ``ExperimentsError/anotherRuns``.
    func apply(_ event: ExperimentState.Event, to id: UUID, by author: Prompts.Author) async throws -> Experiment {
        let (experiment, revision) = try await store.apply(event, to: id, by: author)
        repository.note(revision, of: author.tenantId)
        return experiment
    }

    /// Counts an outcome once per unit and kind; then the guard looks at the arm.
    ///
    /// - Returns: the outcome as it is counted, and whether it was new.
    /// - Throws: ``ExperimentsError``; `ValidationFailure` for what never was in the experiment.
    func record(
        _ outcome: Outcome, in id: UUID, by author: Prompts.Author
    ) async throws -> (outcome: ExperimentOutcome, isNew: Bool) {
        let recorded = try await store.record(outcome, in: id, by: author)
        if let stopped = recorded.stopped {
            repository.note(stopped.revision, of: author.tenantId)
            logger.warning(
                "a guard has stopped an arm of an experiment",
                ["experiment": id.text, "arm": recorded.outcome.arm, "reason": stopped.reason])
        }
        return (recorded.outcome, recorded.isNew)
    }

    func results(_ id: UUID, of tenantId: UUID) async throws -> ExperimentResults {
        let experiment = try await experiment(id, of: tenantId)
        let counts = try await store.counts(of: experiment, tenantId: tenantId)
        return ExperimentResults(experiment, counts)
    }
}

/// What was counted in an experiment, by arm.
struct ExperimentCounts: Sendable {
    struct Arm: Sendable, Equatable {
        /// Operations that a model answered.
        var exposures = 0
        var subjects = 0
        var outcomes: [OutcomeKind: Tally] = [:]
    }

    struct Tally: Sendable, Equatable {
        var count: Int
        var values: Sample
    }

    var arms: [String: Arm] = [:]
}

extension ExperimentResults {
    /// The figures of what was counted.
    init(_ experiment: Experiment, _ counts: ExperimentCounts) {
        let unit = ExperimentUnit(rawValue: experiment.unit) ?? .operation
        func total(_ arm: ExperimentCounts.Arm) -> Int { unit == .operation ? arm.exposures : arm.subjects }
        let control = counts.arms[experiment.control] ?? ExperimentCounts.Arm()
        let nothing = ExperimentCounts.Tally(count: 0, values: Sample(count: 0, mean: 0, squares: 0))
        self.init(
            experiment: experiment,
            arms: experiment.arms.map { arm in
                let counted = counts.arms[arm.name] ?? ExperimentCounts.Arm()
                let isControl = arm.name == experiment.control
                return ArmResult(
                    name: arm.name, version: arm.version, isControl: isControl, exposures: counted.exposures,
                    subjects: counted.subjects, servedBy: arm.stoppedAt == nil ? arm.name : experiment.control,
                    stoppedReason: arm.stoppedReason,
                    outcomes: OutcomeKind.allCases.map { kind in
                        let (mine, theirs) = (counted.outcomes[kind] ?? nothing, control.outcomes[kind] ?? nothing)
                        let rate = Proportion(count: mine.count, total: total(counted))
                        return OutcomeResult(
                            kind: kind.rawValue, count: mine.count, rate: rate.estimate.map { Estimate($0) },
                            rateDifference: isControl
                                ? nil
                                : rate.difference(to: Proportion(count: theirs.count, total: total(control))).map {
                                    Estimate($0)
                                },
                            values: mine.values.count, mean: mine.values.count > 0 ? mine.values.mean : nil,
                            meanInterval: mine.values.estimate.map { Estimate($0) },
                            meanDifference: isControl
                                ? nil : mine.values.difference(to: theirs.values).map { Estimate($0) })
                    })
            })
    }
}

extension Estimate {
    init(_ estimate: IntervalEstimate) { self.init(value: estimate.value, low: estimate.low, high: estimate.high) }
}

enum ExperimentsError: HTTPFailure, Equatable {
    /// Not from where the experiment stands.
    case wrongState(ExperimentState)
    /// Another one runs on the same prompt.
    case anotherRuns
    /// Outcomes come before its start or after its end.
    case takesNoOutcomes(ExperimentState)
    /// The outcome was counted before, with another number.
    case otherValue

    var problem: ProblemDescription {
        switch self {
        case .wrongState(let state):
            Conflict(
                code: "experiments.wrong_state",
                title: LocalizedText(zh: "实验\(state.chineseName)，不能这样做", en: "The experiment is \(state.rawValue) now")
            ).problem
        case .anotherRuns:
            Conflict(
                code: "experiments.another_runs",
                title: LocalizedText(zh: "这个提示词上已有实验在进行", en: "Another experiment runs on this prompt")
            ).problem
        case .takesNoOutcomes(let state):
            Conflict(
                code: "experiments.takes_no_outcomes",
                title: LocalizedText(
                    zh: "实验\(state.chineseName)，不接收结果", en: "The experiment is \(state.rawValue) and takes no outcomes")
            ).problem
        case .otherValue:
            Conflict(
                code: "experiments.other_value",
                title: LocalizedText(zh: "这个结果已用另一个数值记录过", en: "This outcome was counted before, with another number")
            ).problem
        }
    }
}
