public import FoundationEssentials

// What agent-center serves under `/v1/experiments`, and the gateway under `/api/experiments`.

/// `POST /api/experiments`.
public struct NewExperiment: Codable, Sendable, Equatable {
    public var prompt: String
    public var description: String?
    /// 2–10.
    public var arms: [NewExperimentArm]
    /// The arm that the others are compared with; the first one when absent.
    public var control: String?
    /// What outcomes are counted per: `operation` (when absent) or `subject`.
    public var unit: String?
    /// Goes into the split beside tenant and subject; the experiment's id when absent. Two experiments with one salt split alike.
    public var salt: String?
    public var `guard`: ExperimentGuard?

    public init(
        prompt: String, description: String? = nil, arms: [NewExperimentArm], control: String? = nil, unit: String? = nil,
        salt: String? = nil, `guard`: ExperimentGuard? = nil
    ) {
        self.prompt = prompt
        self.description = description
        self.arms = arms
        self.control = control
        self.unit = unit
        self.salt = salt
        self.guard = `guard`
    }
}

public struct NewExperimentArm: Codable, Sendable, Equatable {
    public var name: String
    /// 0 = the prompt that ships with the service.
    public var version: Int
    /// Its part of the subjects, in proportion to the others'; 1 when absent.
    public var weight: Int?

    public init(name: String, version: Int, weight: Int? = nil) {
        self.name = name
        self.version = version
        self.weight = weight
    }
}

/// Stops an arm when the low end of the interval of this outcome's rate, or of the mean of its numbers, is above the limit.
public struct ExperimentGuard: Codable, Sendable, Equatable {
    /// `accepted`, `edited`, `rejected` or `published`.
    public var kind: String
    /// `rate`, when absent, or `mean`: of the numbers posted with the outcomes.
    public var measure: String?
    /// A rate is 0–1.
    public var above: Double
    /// Of a mean: numbers.
    public var minExposures: Int

    public init(kind: String, measure: String? = nil, above: Double, minExposures: Int) {
        self.kind = kind
        self.measure = measure
        self.above = above
        self.minExposures = minExposures
    }
}

public struct Experiment: Codable, Sendable, Equatable {
    public var id: UUID
    public var prompt: String
    public var description: String
    /// `draft`, `running`, `stopped` or `finished`.
    public var state: String
    public var arms: [ExperimentArm]
    public var control: String
    public var unit: String
    public var salt: String
    public var `guard`: ExperimentGuard?
    public var createdBy: String
    public var createdAt: Date
    /// The first time.
    public var startedAt: Date?
    /// The last time.
    public var stoppedAt: Date?
    /// Who did what, oldest first; absent in lists.
    public var changes: [ExperimentChange]?

    public init(
        id: UUID, prompt: String, description: String, state: String, arms: [ExperimentArm], control: String, unit: String,
        salt: String, `guard`: ExperimentGuard?, createdBy: String, createdAt: Date, startedAt: Date?, stoppedAt: Date?,
        changes: [ExperimentChange]?
    ) {
        self.id = id
        self.prompt = prompt
        self.description = description
        self.state = state
        self.arms = arms
        self.control = control
        self.unit = unit
        self.salt = salt
        self.guard = `guard`
        self.createdBy = createdBy
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.stoppedAt = stoppedAt
        self.changes = changes
    }
}

public struct ExperimentArm: Codable, Sendable, Equatable {
    public var name: String
    public var version: Int
    public var weight: Int
    /// When its guard stopped it; its subjects get the control since.
    public var stoppedAt: Date?
    public var stoppedReason: String?

    public init(name: String, version: Int, weight: Int, stoppedAt: Date? = nil, stoppedReason: String? = nil) {
        self.name = name
        self.version = version
        self.weight = weight
        self.stoppedAt = stoppedAt
        self.stoppedReason = stoppedReason
    }
}

public struct ExperimentChange: Codable, Sendable, Equatable {
    public var at: Date
    /// A user, or `guard`.
    public var actor: String
    /// `created`, `start`, `stop`, `finish` or `arm_stopped`.
    public var change: String
    public var arm: String?
    public var reason: String?

    public init(at: Date, actor: String, change: String, arm: String? = nil, reason: String? = nil) {
        self.at = at
        self.actor = actor
        self.change = change
        self.arm = arm
        self.reason = reason
    }
}

/// `POST /api/experiments/{id}/stop`.
public struct ExperimentStop: Codable, Sendable, Equatable {
    /// For good: it takes no outcomes any more and cannot be started again.
    public var final: Bool?

    public init(final: Bool? = nil) { self.final = final }
}

/// `POST /api/experiments/{id}/outcomes`: either `operationId` or `subject`.
public struct NewOutcome: Codable, Sendable, Equatable {
    /// The operation that the text came from; its arm stands in the ledger.
    public var operationId: UUID?
    /// Whose last text of the experiment it is about.
    public var subject: String?
    /// `accepted`, `edited`, `rejected` or `published`.
    public var kind: String
    /// A number that goes with it, e.g. the share of the text that was edited, or plays.
    public var value: Double?

    public init(operationId: UUID? = nil, subject: String? = nil, kind: String, value: Double? = nil) {
        self.operationId = operationId
        self.subject = subject
        self.kind = kind
        self.value = value
    }
}

/// An outcome as it is counted.
public struct ExperimentOutcome: Codable, Sendable, Equatable {
    public var experimentId: UUID
    public var arm: String
    /// The operation's id or the subject: whichever the experiment counts per.
    public var unit: String
    public var kind: String
    public var value: Double?
    public var recordedAt: Date

    public init(experimentId: UUID, arm: String, unit: String, kind: String, value: Double?, recordedAt: Date) {
        self.experimentId = experimentId
        self.arm = arm
        self.unit = unit
        self.kind = kind
        self.value = value
        self.recordedAt = recordedAt
    }
}

/// `GET /api/experiments/{id}/results`.
public struct ExperimentResults: Codable, Sendable, Equatable {
    public var experiment: Experiment
    public var arms: [ArmResult]

    public init(experiment: Experiment, arms: [ArmResult]) {
        self.experiment = experiment
        self.arms = arms
    }
}

public struct ArmResult: Codable, Sendable, Equatable {
    public var name: String
    public var version: Int
    public var isControl: Bool
    /// Operations that a model answered with this arm's version.
    public var exposures: Int
    public var subjects: Int
    /// The arm that its subjects get: the control, if its guard has stopped it.
    public var servedBy: String
    public var stoppedReason: String?
    public var outcomes: [OutcomeResult]

    public init(
        name: String, version: Int, isControl: Bool, exposures: Int, subjects: Int, servedBy: String, stoppedReason: String?,
        outcomes: [OutcomeResult]
    ) {
        self.name = name
        self.version = version
        self.isControl = isControl
        self.exposures = exposures
        self.subjects = subjects
        self.servedBy = servedBy
        self.stoppedReason = stoppedReason
        self.outcomes = outcomes
    }
}

public struct OutcomeResult: Codable, Sendable, Equatable {
    public var kind: String
    public var count: Int
    /// Of the exposures, or subjects; absent without any.
    public var rate: Estimate?
    /// To the control's.
    public var rateDifference: Estimate?
    /// How many numbers came with them.
    public var values: Int
    public var mean: Double?
    /// Absent for fewer than two numbers.
    public var meanInterval: Estimate?
    public var meanDifference: Estimate?

    public init(
        kind: String, count: Int, rate: Estimate?, rateDifference: Estimate?, values: Int, mean: Double?, meanInterval: Estimate?,
        meanDifference: Estimate?
    ) {
        self.kind = kind
        self.count = count
        self.rate = rate
        self.rateDifference = rateDifference
        self.values = values
        self.mean = mean
        self.meanInterval = meanInterval
        self.meanDifference = meanDifference
    }
}

/// A figure and the range in which the true one lies with 95 % confidence.
public struct Estimate: Codable, Sendable, Equatable {
    public var value: Double
    public var low: Double
    public var high: Double

    public init(value: Double, low: Double, high: Double) {
        self.value = value
        self.low = low
        self.high = high
    }
}
