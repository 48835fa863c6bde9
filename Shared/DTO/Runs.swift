public import FoundationEssentials

// Runs of flows: what is going on, how far it is, and how it is stopped.

public enum RunState: String, Codable, Sendable, CaseIterable {
    case queued
    case running
    case succeeded
    case failed
    case canceled
}

/// `GET /api/runs/{id}`. The id is that of the operation.
public struct Run: Codable, Sendable, Equatable {
    public var id: UUID
    /// The flow's one name, e.g. `CopyGeneration`.
    public var flow: String
    public var state: RunState
    /// Percent.
    public var progress: Int
    public var steps: [RunStep]
    /// What it made so far.
    public var contentIds: [UUID]
    public var cancelRequested: Bool
    /// Why it failed.
    public var problem: FlowProblem?
    public var createdAt: Date
    public var startedAt: Date?
    public var finishedAt: Date?
    /// Whether a step's text came from another model than the first choice, or from the template; ``steps`` say which and why.
    public var degraded: Bool
    /// Why the first of them is.
    public var degradedReason: String?

    public init(
        id: UUID, flow: String, state: RunState, progress: Int, steps: [RunStep], contentIds: [UUID], cancelRequested: Bool,
        problem: FlowProblem?, createdAt: Date, startedAt: Date?, finishedAt: Date?, degraded: Bool = false,
        degradedReason: String? = nil
    ) {
        self.id = id
        self.flow = flow
        self.state = state
        self.progress = progress
        self.steps = steps
        self.contentIds = contentIds
        self.cancelRequested = cancelRequested
        self.problem = problem
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.degraded = degraded
        self.degradedReason = degradedReason
    }
}

/// One step of a run, e.g. `copy:douyin` or `image:2`.
public struct RunStep: Codable, Sendable, Equatable {
    public var name: String
    public var state: RunState
    public var contentId: UUID?
    public var problem: FlowProblem?
    /// Of a step that wrote a text; events do not tell it.
    public var degraded: Bool?
    public var degradedReason: String?

    public init(
        name: String, state: RunState, contentId: UUID? = nil, problem: FlowProblem? = nil, degraded: Bool? = nil,
        degradedReason: String? = nil
    ) {
        self.name = name
        self.state = state
        self.contentId = contentId
        self.problem = problem
        self.degraded = degraded
        self.degradedReason = degradedReason
    }
}

/// The answer of a flow that was asked to go on by itself (`Prefer: respond-async`): 202, `Location: /api/runs/{id}`.
public struct RunAccepted: Codable, Sendable, Equatable {
    public var runId: UUID
    public var flow: String
    public var state: RunState

    public init(runId: UUID, flow: String, state: RunState) {
        self.runId = runId
        self.flow = flow
        self.state = state
    }
}

/// `data` of `run.progressed.v1`; subject is the run's id.
public struct RunProgressed: Codable, Sendable, Equatable {
    public static let type = "run.progressed.v1"

    public var runId: UUID
    public var flow: String
    public var state: RunState
    /// Percent.
    public var progress: Int
    /// The step that moved, if one did.
    public var step: RunStep?

    public init(runId: UUID, flow: String, state: RunState, progress: Int, step: RunStep?) {
        self.runId = runId
        self.flow = flow
        self.state = state
        self.progress = progress
        self.step = step
    }
}

/// `POST /api/contents/{id}/regenerate`.
public struct ContentRegenerationRequest: Codable, Sendable, Equatable {
    /// What the editor wants changed, 1–500 characters.
    public var feedback: String
    /// `auto` or a model's name.
    public var model: String?
    /// As in ``TitleGenerationRequest``.
    public var promptLabel: String?

    public init(feedback: String, model: String? = nil, promptLabel: String? = nil) {
        self.feedback = feedback
        self.model = model
        self.promptLabel = promptLabel
    }
}
