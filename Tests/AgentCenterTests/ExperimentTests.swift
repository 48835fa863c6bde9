import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import PostgresStore
import TestSupport
import Testing

@testable import AgentCenter

@Suite("Experiments")
struct ExperimentTests {
    private static let answering = [ScriptedVendor.Reply.says(ModelTitles.json())]

    /// The service with two versions of the title prompt beside the shipped one.
    private static func run(_ body: @escaping @Sendable (TitleService, PromptClient) async throws -> Void) async throws {
        let vendor = try ScriptedVendor(answering)
        try await TitleService.run(primary: vendor) { service in
            let client = PromptClient(service)
            _ = try await client.add(PromptSamples.title("甲版"), to: "title")
            _ = try await client.add(PromptSamples.title("乙版"), to: "title")
            try await body(service, client)
        }
    }

    private static let arms: JSONValue = [["name": "a", "version": 1], ["name": "b", "version": 2]]

    private static func create(_ client: PromptClient, _ members: [String: JSONValue] = [:]) async throws -> Experiment {
        var body = JSONObject()
        body["prompt"] = "title"
        body["arms"] = arms
        for (name, value) in members { body[name] = value }
        let response = try await client.send(.post, "/v1/experiments", .object(body))
        #expect(response.status == .created, "\(response.text)")
        let experiment = try response.decode(Experiment.self)
        #expect(response.headers["Location"] == "/api/experiments/\(experiment.id.uuidString.lowercased())")
        return experiment
    }

    private static func path(_ experiment: Experiment, _ end: String = "") -> String {
        "/v1/experiments/\(experiment.id.uuidString.lowercased())\(end)"
    }

    /// Exposures as the ledger holds them, without asking a model for each.
    private static func expose(
        _ service: TitleService, _ experiment: Experiment, _ arm: String, _ count: Int, provider: String = "openai",
        tenant: UUID = TestContext.tenant
    ) async throws -> [UUID] {
        let operations = (0..<count).map { _ in UUID.version7() }
        let (isTemplate, hash) = (provider == "template", [UInt8](repeating: 1, count: 32))
        try await service.database.app.query(
            """
            INSERT INTO ai_usage_ledger (tenant_id, operation_id, step, flow, task, scene, subject, provider, model_name, prompt_tokens,
                cached_prompt_tokens, completion_tokens, cost_nano, calls, spent_nano, currency, is_estimated, latency_ms, attempts,
                experiment_id, experiment_arm, prompt_version, prompt_sha256, completion_sha256, degraded, created_at)
            SELECT \(tenant), o, 'titles', 'TitleGeneration', 'title', 's', 'user-' || n, \(provider), 'm', 1, 0, 1, 0, 1, 0, 'USD',
                false, 1, '[]', \(experiment.id), \(arm), 'title@1', \(hash), \(hash), \(isTemplate), app_now()
            FROM unnest(\(operations)) WITH ORDINALITY AS x (o, n)
            """, tenant: tenant)
        return operations
    }

    private static func post(
        _ client: PromptClient, _ experiment: Experiment, _ operation: UUID, _ kind: String, value: Double? = nil
    ) async throws -> TestResponse {
        var body = JSONObject()
        body["operationId"] = .string(operation.uuidString.lowercased())
        body["kind"] = .string(kind)
        body["value"] = value.map { .number("\($0)") }
        return try await client.send(.post, path(experiment, "/outcomes"), .object(body))
    }

    @Test("Subjects get the arm of their draw, every time; the ledger carries it; an outcome finds it by the operation")
    func split() async throws {
        try await Self.run { service, client in
            let experiment = try await Self.create(client, ["salt": "s"])
            #expect(experiment.state == "draft" && experiment.control == "a" && experiment.unit == "operation")
            #expect(try await service.write().promptVersion == ShippedPrompts.all["title"]?.reference)
            #expect(try await client.send(.post, Self.path(experiment, "/start")).status == .ok)
            let detail = try await client.get("/v1/prompts/title", as: PromptDetail.self)
            #expect(detail.runningExperiment == experiment.id)

            // By the salt, user-1 is drawn into the second arm: see the tests of the split.
            let operation = UUID()
            let answer = try await service.write(operation: operation)
            let reference = "title@2#\(experiment.id.uuidString.lowercased()):b"
            #expect(answer.promptVersion == reference)
            #expect(try await service.write().promptVersion == reference)

            let posted = try await Self.post(client, experiment, operation, "accepted", value: 0.5)
            #expect(posted.status == .created, "\(posted.text)")
            let outcome = try posted.decode(ExperimentOutcome.self)
            #expect(outcome.arm == "b" && outcome.unit == operation.uuidString.lowercased() && outcome.value == 0.5)
            // Once per operation and kind.
            #expect(try await Self.post(client, experiment, operation, "accepted", value: 0.5).status == .ok)
            let other = try await Self.post(client, experiment, operation, "accepted", value: 0.6)
            #expect(try other.problem().code == "experiments.other_value")
            #expect(try await Self.post(client, experiment, operation, "published").status == .created)
            let subject = try await client.send(
                .post, Self.path(experiment, "/outcomes"), ["subject": "user-1", "kind": "edited"])
            #expect(try subject.decode(ExperimentOutcome.self).arm == "b")

            let results = try await client.get(Self.path(experiment, "/results"), as: ExperimentResults.self)
            #expect(results.arms.map(\.exposures) == [0, 2] && results.arms.map(\.subjects) == [0, 1])
            #expect(results.arms[1].outcomes.map(\.count) == [1, 1, 0, 1])

            #expect(try await client.send(.post, Self.path(experiment, "/stop")).status == .ok)
            #expect(try await service.write().promptVersion == ShippedPrompts.all["title"]?.reference)
        }
    }

    @Test("A label asked for by name is not experimented with")
    func named() async throws {
        try await Self.run { service, client in
            #expect(try await client.move("canary", of: "title", to: 2).status == .ok)
            let experiment = try await Self.create(client)
            #expect(try await client.send(.post, Self.path(experiment, "/start")).status == .ok)
            let choice = try await service.repository().resolve(
                "title", for: TestContext.tenant, subject: "user-1", label: "canary")
            #expect(choice.ref == "title.canary@2" && choice.experiment == nil)
        }
    }

    @Test("Results: rates with Wilson's interval, differences with Newcombe's, means with Student's and Welch's")
    func results() async throws {
        try await Self.run { service, client in
            let experiment = try await Self.create(client)
            _ = try await client.send(.post, Self.path(experiment, "/start"))
            let (a, b) = (
                try await Self.expose(service, experiment, "a", 80), try await Self.expose(service, experiment, "b", 70)
            )
            // What no model wrote is nobody's arm.
            _ = try await Self.expose(service, experiment, "b", 5, provider: "template")
            for operation in a.prefix(48) { _ = try await Self.post(client, experiment, operation, "accepted") }
            for operation in b.prefix(56) { _ = try await Self.post(client, experiment, operation, "accepted") }
            for (index, operation) in a.prefix(5).enumerated() {
                _ = try await Self.post(client, experiment, operation, "edited", value: Double(2 * index + 2))
            }
            for (index, operation) in b.prefix(5).enumerated() {
                _ = try await Self.post(client, experiment, operation, "edited", value: Double(index + 1))
            }
            _ = try await Self.post(client, experiment, b[5], "edited")

            let results = try await client.get(Self.path(experiment, "/results"), as: ExperimentResults.self)
            #expect(results.arms.map(\.exposures) == [80, 70])
            #expect(results.arms.map(\.isControl) == [true, false])
            func near(_ estimate: Estimate?, _ value: Double, _ low: Double, _ high: Double) -> Bool {
                estimate.map { abs($0.value - value) < 5e-5 && abs($0.low - low) < 5e-5 && abs($0.high - high) < 5e-5 } ?? false
            }
            let (accepted, edited) = (results.arms[1].outcomes[0], results.arms[1].outcomes[1])
            #expect(accepted.kind == "accepted" && accepted.count == 56)
            // 0.8 + 3.84146/140 ± 1.95996·√(0.16/70 + 3.84146/19600), over 1 + 3.84146/70
            #expect(near(accepted.rate, 0.8, 0.69183, 0.87697))
            #expect(near(accepted.rateDifference, 0.2, 0.05243, 0.33387))
            #expect(edited.count == 6 && edited.values == 5 && edited.mean == 3)
            #expect(near(edited.meanInterval, 3, 1.036757, 4.963243))
            #expect(near(edited.meanDifference, -3, -7.064447, 1.064447))
            #expect(results.arms[0].outcomes.allSatisfy { $0.rateDifference == nil && $0.meanDifference == nil })
        }
    }

    @Test(
        "A guard over posted numbers: few, low or without a number do nothing; a mean above the limit beyond doubt stops the arm")
    func guardedByNumbers() async throws {
        try await Self.run { service, client in
            let rule: JSONValue = ["kind": "published", "measure": "mean", "above": 2, "minExposures": 5]
            let experiment = try await Self.create(client, ["salt": "s", "guard": rule])
            #expect(experiment.guard == ExperimentGuard(kind: "published", measure: "mean", above: 2, minExposures: 5))
            _ = try await client.send(.post, Self.path(experiment, "/start"))
            func post(_ arm: String, _ values: [Double?]) async throws -> [String?] {
                for (operation, value) in zip(try await Self.expose(service, experiment, arm, values.count), values) {
                    var outcome = JSONObject()
                    (outcome["operationId"], outcome["kind"]) = (.string(operation.uuidString), "published")
                    if let value { outcome["value"] = .number("\(value)") }
                    #expect(try await client.send(.post, Self.path(experiment, "/outcomes"), .object(outcome)).status == .created)
                }
                let read = try await client.get(Self.path(experiment), as: Experiment.self)
                return read.arms.map(\.stoppedReason)
            }
            // The control is never stopped, however bad; numbers about the limit leave doubt; outcomes without one are none.
            #expect(try await post("a", [9, 9, 9, 9, 9, 9]) == [nil, nil])
            #expect(try await post("b", [1, 3, nil, nil, 1, 3, 2, 3]) == [nil, nil])
            let reasons = try await post("b", [5, 6, 5, 6, 5, 6])
            #expect(reasons[0] == nil && reasons[1]?.hasPrefix("published 的数值") == true)
        }
    }

    @Test("The guard stops an arm: its subjects get the control, and results and changes say so")
    func guarded() async throws {
        try await Self.run { service, client in
            let experiment = try await Self.create(
                client, ["salt": "s", "guard": ["kind": "rejected", "above": 0.2, "minExposures": 10]])
            _ = try await client.send(.post, Self.path(experiment, "/start"))
            let (a, b) = (
                try await Self.expose(service, experiment, "a", 10), try await Self.expose(service, experiment, "b", 10)
            )
            // The control is never stopped.
            for operation in a { _ = try await Self.post(client, experiment, operation, "rejected") }
            // Low end 0.168 of 4 of 10; 0.237 of 5.
            for operation in b.prefix(4) { _ = try await Self.post(client, experiment, operation, "rejected") }
            #expect(try await service.write().promptVersion.hasSuffix(":b"))
            // That call was an eleventh exposure; with it, 0.213 of 5 of 11.
            _ = try await Self.post(client, experiment, b[4], "rejected")
            let answer = try await service.write()
            #expect(answer.promptVersion == "title@1#\(experiment.id.uuidString.lowercased()):a")

            let results = try await client.get(Self.path(experiment, "/results"), as: ExperimentResults.self)
            #expect(results.experiment.state == "running")
            #expect(results.arms.map(\.servedBy) == ["a", "a"])
            #expect(results.arms[1].stoppedReason == "rejected 5/11，95% 下限 21.3% 高于 20.0%")
            #expect(results.experiment.arms[1].stoppedAt != nil && results.experiment.arms[0].stoppedAt == nil)
            #expect(results.experiment.changes?.map(\.change) == ["created", "start", "arm_stopped"])
            #expect(results.experiment.changes?.last?.actor == "guard" && results.experiment.changes?.last?.arm == "b")
        }
    }

    @Test("Counted per subject, an outcome counts once for a subject, whichever of its operations it names")
    func perSubject() async throws {
        try await Self.run { service, client in
            let experiment = try await Self.create(client, ["unit": "subject", "salt": "s"])
            _ = try await client.send(.post, Self.path(experiment, "/start"))
            let operations = [UUID(), UUID()]
            for operation in operations { _ = try await service.write(operation: operation) }
            #expect(try await Self.post(client, experiment, operations[0], "accepted").status == .created)
            let second = try await Self.post(client, experiment, operations[1], "accepted")
            #expect(second.status == .ok)
            #expect(try second.decode(ExperimentOutcome.self).unit == "user-1")
            let results = try await client.get(Self.path(experiment, "/results"), as: ExperimentResults.self)
            #expect(results.arms[1].exposures == 2 && results.arms[1].subjects == 1)
            #expect(results.arms[1].outcomes[0].rate?.value == 1)
        }
    }

    @Test("One runs per prompt; steps that do not exist are refused; an ended one takes no outcomes")
    func states() async throws {
        try await Self.run { service, client in
            let (first, second) = (try await Self.create(client), try await Self.create(client))
            #expect(try await Self.post(client, first, UUID(), "accepted").problem().code == "experiments.takes_no_outcomes")
            #expect(try await client.send(.post, Self.path(first, "/stop")).problem().code == "experiments.wrong_state")
            #expect(try await client.send(.post, Self.path(first, "/start")).status == .ok)
            #expect(try await client.send(.post, Self.path(first, "/start")).status == .ok)
            #expect(try await client.send(.post, Self.path(second, "/start")).problem().code == "experiments.another_runs")
            let operations = try await Self.expose(service, first, "a", 2)
            #expect(try await client.send(.post, Self.path(first, "/stop")).status == .ok)
            // Late outcomes still count.
            #expect(try await Self.post(client, first, operations[0], "accepted").status == .created)
            #expect(try await client.send(.post, Self.path(second, "/start")).status == .ok)
            let finished = try await client.send(.post, Self.path(first, "/stop"), ["final": true])
            #expect(try finished.decode(Experiment.self).state == "finished")
            #expect(try await Self.post(client, first, operations[1], "accepted").status == .conflict)
            #expect(try await client.send(.post, Self.path(first, "/start")).status == .conflict)
            let changes = try await client.get(Self.path(first), as: Experiment.self).changes
            #expect(changes?.map(\.change) == ["created", "start", "stop", "finish"])
            let running = try await client.get("/v1/experiments?state=running", as: Page<Experiment>.self)
            #expect(running.items.map(\.id) == [second.id])
            let page = try await client.get("/v1/experiments?limit=1&prompt=title", as: Page<Experiment>.self)
            #expect(page.items.map(\.id) == [second.id])
            let next = try await client.get("/v1/experiments?cursor=\(page.nextCursor ?? "")", as: Page<Experiment>.self)
            #expect(next.items.map(\.id) == [first.id] && next.nextCursor == nil)
        }
    }

    @Test("Bad input is told field by field")
    func badInput() async throws {
        try await Self.run { _, client in
            let cases: [(JSONValue, [String])] = [
                ([:], ["/prompt required", "/arms required"]),
                (["prompt": "Title", "arms": Self.arms], ["/prompt malformed"]),
                (["prompt": "title", "arms": [["name": "a", "version": 1]]], ["/arms too_few_items"]),
                (
                    ["prompt": "title", "arms": [["name": "a", "version": 1], ["name": "a", "version": 2, "weight": 0]]],
                    ["/arms/1/weight out_of_range"]
                ),
                (
                    ["prompt": "title", "arms": [["name": "a", "version": 1], ["name": "a", "version": 2]]], ["/arms/1 repeated"]
                ),
                (["prompt": "title", "arms": Self.arms, "control": "c"], ["/control unknown_value"]),
                (
                    ["prompt": "title", "arms": [["name": "a", "version": 1], ["name": "b", "version": 9]]],
                    ["/arms/1/version unknown_version"]
                ),
                (
                    ["prompt": "none", "arms": [["name": "a", "version": 0], ["name": "b", "version": 1]]],
                    ["/prompt unknown_prompt"]
                ),
                (
                    ["prompt": "title", "arms": Self.arms, "guard": ["kind": "loved", "above": 1.5, "minExposures": 0]],
                    ["/guard/kind unknown_value", "/guard/above out_of_range", "/guard/minExposures out_of_range"]
                ),
            ]
            for (body, expected) in cases { #expect(try await client.refusal(.post, "/v1/experiments", body) == expected) }
            let experiment = try await Self.create(client)
            _ = try await client.send(.post, Self.path(experiment, "/start"))
            let outcomes: [(JSONValue, [String])] = [
                (["kind": "accepted"], ["/operationId required"]),
                (["subject": "x", "kind": "loved", "value": "many"], ["/kind unknown_value", "/value wrong_type"]),
                (["subject": "nobody", "kind": "accepted"], ["/subject not_in_experiment"]),
                (["operationId": .string(UUID().uuidString), "kind": "accepted"], ["/operationId not_in_experiment"]),
            ]
            for (body, expected) in outcomes {
                #expect(try await client.refusal(.post, Self.path(experiment, "/outcomes"), body) == expected)
            }
        }
    }

    @Test("Many outcomes at once are each counted once")
    func atOnce() async throws {
        try await Self.run { service, client in
            let experiment = try await Self.create(client)
            _ = try await client.send(.post, Self.path(experiment, "/start"))
            let operations = try await Self.expose(service, experiment, "b", 20)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for operation in operations + operations {
                    group.addTask {
                        let response = try await Self.post(client, experiment, operation, "accepted", value: 2)
                        #expect(response.status.isSuccess, "\(response.text)")
                    }
                }
                try await group.waitForAll()
            }
            let results = try await client.get(Self.path(experiment, "/results"), as: ExperimentResults.self)
            let accepted = results.arms[1].outcomes[0]
            #expect(accepted.count == 20 && accepted.values == 20 && accepted.mean == 2)
            #expect(accepted.meanInterval == Estimate(value: 2, low: 2, high: 2))
        }
    }

    @Test("Another tenant's experiment does not exist, decides nothing of theirs, and takes no outcome of theirs")
    func tenants() async throws {
        try await Self.run { service, client in
            let experiment = try await Self.create(client)
            _ = try await client.send(.post, Self.path(experiment, "/start"))
            let operations = try await Self.expose(service, experiment, "b", 1)
            let theirs = PromptClient(service, tenant: TestContext.otherTenant)
            for (method, end, body): (HTTPMethod, String, JSONValue?) in [
                (.get, "", nil), (.get, "/results", nil), (.post, "/start", nil), (.post, "/stop", nil),
                (.post, "/outcomes", ["operationId": .string(operations[0].uuidString), "kind": "accepted"]),
            ] {
                #expect(try await theirs.send(method, Self.path(experiment, end), body).status == .notFound, "\(end)")
            }
            #expect(try await theirs.get("/v1/experiments", as: Page<Experiment>.self).items.isEmpty)
            #expect(
                try await service.write(tenant: TestContext.otherTenant).promptVersion == ShippedPrompts.all["title"]?.reference)
            // Versions of another tenant cannot be an arm.
            #expect(
                try await theirs.refusal(.post, "/v1/experiments", ["prompt": "title", "arms": Self.arms]) == [
                    "/arms/0/version unknown_version", "/arms/1/version unknown_version",
                ])
            // Their own experiment: my operation was never in it.
            let own = try await Self.create(theirs, ["arms": [["name": "a", "version": 0], ["name": "b", "version": 0]]])
            _ = try await theirs.send(.post, Self.path(own, "/start"))
            #expect(
                try await theirs.refusal(
                    .post, Self.path(own, "/outcomes"),
                    ["operationId": .string(operations[0].uuidString), "kind": "accepted"]) == ["/operationId not_in_experiment"])
            #expect(try await client.get(Self.path(experiment), as: Experiment.self).state == "running")
        }
    }
}
