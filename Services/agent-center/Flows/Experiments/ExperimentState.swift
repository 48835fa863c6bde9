/// Where an experiment stands. Only a running one decides which version a call gets; one runs per prompt.
enum ExperimentState: String, Sendable, CaseIterable {
    case draft
    case running
    /// No call is sent through it; late outcomes still count, and it may be started again.
    case stopped
    /// For good.
    case finished

    enum Event: String, Sendable, CaseIterable {
        case start
        case stop
        case finish
    }

    /// All there are. A step to where it stands already is a repeat, and changes nothing.
    static let transitions: [(from: ExperimentState, event: Event, to: ExperimentState)] = [
        (.draft, .start, .running),
        (.running, .start, .running),
        (.stopped, .start, .running),
        (.running, .stop, .stopped),
        (.stopped, .stop, .stopped),
        (.running, .finish, .finished),
        (.stopped, .finish, .finished),
        (.finished, .finish, .finished),
    ]

    /// `nil`: not from here.
    func next(_ event: Event) -> ExperimentState? {
        Self.transitions.first { $0.from == self && $0.event == event }?.to
    }

    var chineseName: String {
        switch self {
        case .draft: "仍是草稿"
        case .running: "正在进行"
        case .stopped: "已停止"
        case .finished: "已结束"
        }
    }

    /// Whether outcomes are taken.
    var takesOutcomes: Bool { self == .running || self == .stopped }
}
