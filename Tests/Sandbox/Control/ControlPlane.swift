import ConcurrencySupport
import Glibc

/// The state behind `/__control`: the rules, the log, and who is being served now.
final class ControlPlane: Sendable {
    private struct State {
        var seed: UInt64 = 0
        var rules: [FaultRule] = []
        /// How often each counted fault of a header or model name was used.
        var inlineUses: [String: Int] = [:]
        var since = 0
        var log = AttemptLog()
        var inFlight: [String: Int] = [:]
    }

    private let state: Lock<State>

    init() {
        var initial = State()
        initial.since = monotonicMilliseconds()
        state = Lock(initial)
    }

    var seed: UInt64 { state.withLock { $0.seed } }

    // MARK: For vendors

    /// The fault for this request, its use counted. The model's name comes before the header, the header before the rules.
    func rule(for request: IncomingRequest, profile: String, model: String?) -> (rule: FaultRule, use: Int)? {
        let now = monotonicMilliseconds()
        let inline = model.flatMap { $0.hasPrefix("fault:") ? String($0.dropFirst(6)) : nil } ?? request.header("x-sandbox-fault")
        return state.withLock { state in
            if let inline, let rule = FaultRule(inline: inline, since: state.since) {
                let uses = state.inlineUses[inline, default: 0]
                state.inlineUses[inline] = uses + 1
                if let limit = rule.remaining, uses >= limit { return nil }
                return (rule, uses)
            }
            guard let index = state.rules.firstIndex(where: { $0.applies(to: request, profile: profile, now: now) }) else {
                return nil
            }
            let rule = state.rules[index]
            let uses = state.rules[index].use()
            return (rule, uses)
        }
    }

    /// The parameters of a fault that holds for as long as it is ordered, whatever is asked; of several the last one's.
    func standing(_ fault: Fault, profile: String) -> FaultParameters? {
        let now = monotonicMilliseconds()
        return state.withLock { state in
            state.rules.last { $0.fault == fault && ($0.profile ?? profile) == profile && ($0.until ?? .max) > now }?.parameters
        }
    }

    func begin(_ request: IncomingRequest, profile: String) -> (attempt: Int, inFlight: Int) {
        let attempt = Attempt(request: request, profile: profile)
        return state.withLock { state in
            state.inFlight[profile, default: 0] += 1
            return (state.log.append(attempt), state.inFlight[profile, default: 0])
        }
    }

    func end(_ number: Int, profile: String, outcome: Attempt.Outcome) {
        state.withLock { state in
            state.inFlight[profile, default: 1] -= 1
            state.log.finish(number, outcome)
        }
    }

    // MARK: The control calls

    func answer(_ request: IncomingRequest) -> Answer {
        switch (request.method, request.path.dropFirst("/__control/".count)) {
        case ("POST", "config"): return configure(request.body)
        case ("POST", "reset"):
            state.withLock { state in
                let (inFlight, seed) = (state.inFlight, state.seed)
                state = State()
                state.since = monotonicMilliseconds()
                (state.inFlight, state.seed) = (inFlight, seed)
            }
            return Answer(status: 200, json: .make(["ok": .bool(true)]))
        case ("GET", "log"):
            let log = state.withLock { $0.log }
            return Answer(status: 200, json: log.json(filter: request.query))
        case ("GET", "config"):
            let (rules, seed) = state.withLock { ($0.rules, $0.seed) }
            return Answer(
                status: 200,
                json: .make(["seed": .number(String(seed)), "rules": .array(rules.map { $0.parameters.json })]))
        case ("GET", "faults"):
            let faults = Fault.allCases.map { JSON.make(["number": .int($0.number), "name": .string($0.rawValue)]) }
            return Answer(status: 200, json: .make(["faults": .array(faults)]))
        default:
            return Answer(status: 404, json: .make(["error": .string("no such control call")]))
        }
    }

    /// `{"seed": n}` sets the seed; an object with `fault` adds a rule; `{"rules": […]}` replaces all rules.
    private func configure(_ body: [UInt8]) -> Answer {
        do {
            let json = try JSON(parsing: body)
            let now = monotonicMilliseconds()
            if let seed = json["seed"]?.int { state.withLock { $0.seed = UInt64(bitPattern: Int64(seed)) } }
            if let list = json["rules"]?.array {
                var rules: [FaultRule] = []
                for item in list { rules.append(try FaultRule(item, now: now)) }
                state.withLock { $0.rules = rules }
            } else if json["fault"] != nil || json["seed"] == nil {
                let rule = try FaultRule(json, now: now)
                state.withLock { $0.rules.append(rule) }
            }
            return Answer(status: 200, json: .make(["ok": .bool(true)]))
        } catch let error as FaultRule.Invalid {
            return Answer(status: 400, json: .make(["error": .string(error.message)]))
        } catch {
            return Answer(status: 400, json: .make(["error": .string("the body is not JSON")]))
        }
    }
}

extension FaultRule {
    /// - Returns: how often it was used before.
    fileprivate mutating func use() -> Int {
        defer { uses += 1 }
        if let left = remaining { remaining = left - 1 }
        return uses
    }
}

func monotonicMilliseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
}

/// RFC 9110's date, some seconds from now.
func httpDate(inSeconds seconds: Int) -> String {
    var now = time(nil) + seconds
    var parts = tm()
    gmtime_r(&now, &parts)
    var buffer = [CChar](repeating: 0, count: 64)
    let count = strftime(&buffer, 64, "%a, %d %b %Y %H:%M:%S GMT", &parts)
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
