/// What OpenAI and DeepSeek have in common: an attempt is logged, a fault chosen, the answer planned and played.
struct ModelVendor: Sendable {
    let dialect: Dialect
    let control: ControlPlane

    private var profile: String { dialect.rawValue }

    func answer(_ exchange: inout Exchange, path: String) throws {
        let request = exchange.request
        let (number, inFlight) = control.begin(request, profile: profile)
        var outcome = Attempt.Outcome(result: "200", fault: nil, clientClosedEarly: false)
        defer { control.end(number, profile: profile, outcome: outcome) }
        let json = try? JSON(parsing: request.body)
        let rule = control.rule(for: request, profile: profile, model: json?["model"]?.string)
        outcome.fault = rule?.rule.fault == Fault.none ? nil : rule?.rule.fault
        let plan = plan(request, path: path, json: json, rule: rule?.rule, use: rule?.use ?? 0, inFlight: inFlight)
        outcome.result = Self.describe(plan)
        do {
            try exchange.play(plan)
        } catch {
            outcome.clientClosedEarly = true
            throw error
        }
    }

    /// For the log: the status line's code, and how the connection ended if not in the normal way.
    private static func describe(_ plan: WirePlan) -> String {
        var status = "nothing"
        if case .send(let bytes)? = plan.steps.first(where: { if case .send = $0 { true } else { false } }), bytes.count > 12 {
            status = String(decoding: bytes[9..<12], as: UTF8.self)
        }
        return switch plan.ending {
        case .keepAlive, .keepAliveFor, .resetOnReuse: status
        case .close: "\(status), closed"
        case .reset: "\(status), reset"
        case .hold: "\(status), held"
        }
    }

    // MARK: Planning

    private func plan(
        _ request: IncomingRequest, path: String, json: JSON?, rule: FaultRule?, use: Int, inFlight: Int
    ) -> WirePlan {
        let parameters = rule?.parameters ?? FaultParameters(.null)
        if let rule, let plan = connectionFault(rule, use: use, inFlight: inFlight) { return plan }
        guard let key = request.header("authorization"), key.hasPrefix("Bearer "), key.count > 7, !key.contains("invalid") else {
            return whole(ErrorAnswers.answer(for: .unauthorized, parameters: parameters), rule)
        }
        switch (request.method, path) {
        case ("POST", "/chat/completions"): return chat(json ?? .null, body: request.body, rule: rule, use: use)
        case ("POST", "/embeddings") where dialect == .openAI:
            return whole(Embeddings.answer(json ?? .null, seed: control.seed), rule)
        case ("POST", "/images/generations") where dialect == .openAI:
            let host = request.header("host") ?? "127.0.0.1"
            return whole(Images.answer(json ?? .null, host: host, seed: control.seed, rule: rule), rule)
        case ("POST", "/audio/transcriptions") where dialect == .openAI: return whole(Transcriptions.answer(request), rule)
        case ("GET", "/models"): return whole(models, rule)
        case ("GET", "/user/balance") where dialect == .deepSeek: return whole(balance, rule)
        default: return whole(ErrorAnswers.invalid("Invalid URL (\(request.method) \(request.path))", status: 404), rule)
        }
    }

    /// Faults that need no look at the request.
    private func connectionFault(_ rule: FaultRule, use: Int, inFlight: Int) -> WirePlan? {
        switch rule.fault {
        case .resetBeforeHeaders: return WirePlan(steps: [], ending: .reset)
        case .neverAnswer: return WirePlan(steps: [], ending: .hold)
        case .rawBytes: return RawBytes.plan(rule.parameters, use: use)
        case .flapping:
            let down = rule.parameters.int("downMs") ?? 60_000
            let up = rule.parameters.int("upMs") ?? 60_000
            guard (monotonicMilliseconds() - rule.since) % (down + up) < down else { return nil }
            return whole(ErrorAnswers.answer(for: .overloaded, parameters: rule.parameters), rule)
        case .concurrencyLimit:
            guard inFlight > rule.parameters.int("limit") ?? 1 else { return nil }
            return whole(ErrorAnswers.answer(for: .rateLimitNoHint, parameters: rule.parameters), rule)
        default:
            return ErrorAnswers.answer(for: rule.fault, parameters: rule.parameters).map { whole($0, rule) }
        }
    }

    private func whole(_ answer: Answer?, _ rule: FaultRule?) -> WirePlan {
        let answer = answer ?? ErrorAnswers.invalid("the sandbox has no answer", status: 500)
        let parameters = rule?.parameters ?? FaultParameters(.null)
        return ending(BodyWriter(answer: answer, fault: rule?.fault, parameters: parameters).plan(), rule)
    }

    private func ending(_ plan: WirePlan, _ rule: FaultRule?) -> WirePlan {
        guard let rule, rule.fault == .staleConnection, plan.ending == .keepAlive else { return plan }
        var plan = plan
        plan.ending =
            rule.parameters.bool("resetOnReuse")
            ? .resetOnReuse : .keepAliveFor(milliseconds: rule.parameters.int("idleMs") ?? 50)
        return plan
    }

    private func chat(_ json: JSON, body: [UInt8], rule: FaultRule?, use: Int) -> WirePlan {
        let request = ChatRequest(json, dialect: dialect)
        if let refusal = request.refusal(dialect: dialect) { return whole(refusal, rule) }
        let parameters = rule?.parameters ?? FaultParameters(.null)
        var answer = ChatAnswer(to: request, body: body, dialect: dialect, seed: control.seed)
        var wire = ChatWire(dialect: dialect, request: request)
        AnswerFaults.apply(rule, use: use, request: request, answer: &answer, wire: &wire)
        if request.streams {
            return ending(StreamWriter(wire: wire, answer: answer, fault: rule?.fault, parameters: parameters).plan(), rule)
        }
        if let status = AnswerFaults.scripted(rule, use: use)?["status"]?.int, status != 200 {
            return whole(ErrorAnswers.make(status, type: "server_error", "scripted status"), rule)
        }
        return whole(Answer(status: 200, headers: wire.headers(id: answer.id), json: wire.body(answer)), rule)
    }

    private var models: Answer {
        let names =
            dialect == .openAI
            ? ["gpt-4o-mini", "gpt-4.1-mini", "gpt-5-mini", "text-embedding-3-small", "text-embedding-3-large"]
            : ["deepseek-flash", "deepseek-v4-pro"]
        let list = names.map { name in
            JSON.make([
                "id": .string(name), "object": .string("model"), "created": .int(1_790_000_000),
                "owned_by": .string(dialect.rawValue),
            ])
        }
        return Answer(status: 200, json: .make(["object": .string("list"), "data": .array(list)]))
    }

    private var balance: Answer {
        let info = JSON.make([
            "currency": .string("CNY"), "total_balance": .string("110.00"), "granted_balance": .string("10.00"),
            "topped_up_balance": .string("100.00"),
        ])
        return Answer(status: 200, json: .make(["is_available": .bool(true), "balance_infos": .array([info])]))
    }
}

/// `/openai/v1/…`
struct OpenAIVendor: Vendor {
    private let models: ModelVendor

    init(control: ControlPlane) { models = ModelVendor(dialect: .openAI, control: control) }

    func localPath(of path: String) -> String? {
        path.hasPrefix("/openai/v1/") ? String(path.dropFirst("/openai/v1".count)) : nil
    }

    func answer(_ exchange: inout Exchange, path: String) throws { try models.answer(&exchange, path: path) }
}

/// `/deepseek/…`, also with `/v1` and `/beta` between, as the vendor has it.
struct DeepSeekVendor: Vendor {
    private let models: ModelVendor

    init(control: ControlPlane) { models = ModelVendor(dialect: .deepSeek, control: control) }

    func localPath(of path: String) -> String? {
        for base in ["/deepseek/v1", "/deepseek/beta", "/deepseek"] where path.hasPrefix(base + "/") {
            return String(path.dropFirst(base.count))
        }
        return nil
    }

    func answer(_ exchange: inout Exchange, path: String) throws { try models.answer(&exchange, path: path) }
}
