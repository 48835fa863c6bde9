import DTO
import FoundationEssentials

/// A flow whose work outlives the request that asked for it, and the process that began it: see ``Runs``.
protocol DurableFlow: Sendable {
    /// What was asked for, checked. It is kept as JSON with the run.
    associatedtype Input: Codable & Sendable
    /// What came of it. It is kept as JSON with the run.
    associatedtype Output: Codable & Sendable

    /// The flow's one name (design §2).
    static var name: String { get }

    /// What one must be allowed to do to have it done, and to have it taken up again: both may cost money.
    static var permissions: [String] { get }

    /// Every step that the flow may take, as people see them in the run.
    static func steps(for input: Input) -> [String]

    /// Those of them that put together what others made: where one of the others is taken again, so are these.
    static var closingSteps: Set<String> { get }

    /// Tells the story. It may begin again at any point, in another process: what it does outside of its steps must bear that, and
    /// what it does inside must be found by the run's id, which is the operation's.
    ///
    /// - Throws: ``FlowFailure`` or another failure that clients can be told: then the run has failed. Anything else is tried again.
    func run(_ input: Input, in run: RunContext) async throws -> Output
}

extension DurableFlow {
    static var closingSteps: Set<String> { [] }
}

/// What a step made.
struct StepResult<Value: Codable & Sendable>: Sendable {
    var value: Value
    /// The content that holds it, where there is one: the run shows it.
    var contentId: UUID?
}

/// What became of a step, as it is kept.
enum StepOutcome<Value: Codable & Sendable>: Codable, Sendable {
    case succeeded(Value)
    case failed(FlowProblem)

    /// - Throws: ``FlowFailure``.
    func value() throws -> Value {
        switch self {
        case .succeeded(let value): value
        case .failed(let problem): throw FlowFailure(problem)
        }
    }
}
