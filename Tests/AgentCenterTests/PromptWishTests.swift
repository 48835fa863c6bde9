import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import AgentCenter

@Suite("Prompts asked for by label and by name")
struct PromptWishTests {
    enum Writer: String, CaseIterable {
        case title, copy
        case imageText = "image_text"
        case videoScript = "video_script"

        var path: String {
            switch self {
            case .title: "/v1/titles"
            case .copy: "/v1/copies"
            case .imageText: "/v1/image-texts"
            case .videoScript: "/v1/video-scripts"
            }
        }

        var answer: String {
            switch self {
            case .title: ModelTitles.json()
            case .copy: ModelTexts.copy()
            case .imageText: ModelTexts.imageText()
            case .videoScript: ModelTexts.script([10, 10, 10])
            }
        }

        func body(label: String?) throws -> JSONValue {
            var body: JSONValue =
                switch self {
                case .title: try JSONValue(encoding: TitleWritingRequest.sample())
                case .copy: try JSONValue(encoding: CopyWritingRequest.sample())
                case .imageText: try JSONValue(encoding: ImageTextWritingRequest.sample())
                case .videoScript: try JSONValue(encoding: VideoScriptWritingRequest.sample())
                }
            if let label, var object = body.object {
                object["promptLabel"] = .string(label)
                body = .object(object)
            }
            return body
        }
    }

    /// The shipped prompt with a first sentence of one's own.
    private static func own(_ name: String, _ mark: String) throws -> String {
        var definition = try #require(ShippedPrompts.all[name]?.definition)
        definition.template = mark + "\n" + definition.template
        return PromptFile.text(of: definition)
    }

    private static func instructions(_ request: ScriptedVendor.Received?) throws -> String {
        let body = try JSONValue(parsing: Array(try #require(request).body.utf8))
        return body["messages"]?[0]?["content"]?.string ?? ""
    }

    @Test(
        "A label leads every writer to its version; one that leads nowhere is refused before anybody is asked",
        arguments: Writer.allCases)
    func writers(writer: Writer) async throws {
        let vendor = try ScriptedVendor([.says(writer.answer)])
        try await TitleService.run(primary: vendor) { service in
            let prompts = PromptClient(service)
            _ = try await prompts.add(Self.own(writer.rawValue, "你在试写乙版。"), to: writer.rawValue)
            #expect(try await prompts.move("canary", of: writer.rawValue, to: 1).status == .ok)
            // The label is taken at its word, whatever is tried beside it.
            let arms: JSONValue = [["name": "a", "version": 0], ["name": "b", "version": 0]]
            let made = try await prompts.send(.post, "/v1/experiments", ["prompt": .string(writer.rawValue), "arms": arms])
            let id = try made.decode(Experiment.self).id.uuidString.lowercased()
            #expect(try await prompts.send(.post, "/v1/experiments/\(id)/start").status == .ok)

            let asked = try await service.post(writer.path, writer.body(label: "canary"))
            #expect(asked.status == .ok, "\(asked.text)")
            #expect(try asked.json()["promptVersion"]?.string == "\(writer.rawValue).canary@1")
            #expect(try Self.instructions(vendor.received.last).contains("你在试写乙版。"))
            let plain = try await service.post(writer.path, writer.body(label: nil))
            #expect(try plain.json()["promptVersion"]?.string?.contains("#\(id):") == true)
            #expect(try !Self.instructions(vendor.received.last).contains("你在试写乙版。"))

            let count = vendor.received.count
            let refused = try await service.post(writer.path, writer.body(label: "no-such"))
            #expect(refused.status == .unprocessableContent)
            #expect(try refused.problem().errors?.map { "\($0.pointer) \($0.code)" } == ["/promptLabel unknown_label"])
            #expect(vendor.received.count == count)
            let rows = try await service.ledger()
            #expect(rows.map(\.promptVersion).first == "\(writer.rawValue).canary@1" && rows.count == 2)
        }
    }

    // MARK: The unified call

    private static let slogan = """
        ---
        scene: slogan-zh
        language: zh
        description: 口号
        variables:
          input: text(30) required 卖点
          brand: text(20) required 品牌
          tone: choice(calm, loud)
        ---
        写一条口号，语气 {{tone}}。
        """

    private static func generate(_ service: TitleService, _ prompt: JSONValue, input: JSONValue = "轻薄防晒霜") async throws
        -> TestResponse
    {
        try await service.callModel(TitleService.generate, ["task": "copy", "input": input, "prompt": prompt])
    }

    @Test("The unified call takes a label of the task's prompt, and a prompt of the tenant's own with its variables")
    func unified() async throws {
        let vendor = try ScriptedVendor([.says("轻薄一整天")])
        try await TitleService.run(primary: vendor) { service in
            let prompts = PromptClient(service)
            _ = try await prompts.add(Self.own("ai-copy", "你在试写乙版。"), to: "ai-copy")
            _ = try await prompts.move("canary", of: "ai-copy", to: 1)
            _ = try await prompts.add(Self.slogan, to: "slogan")
            _ = try await prompts.move("production", of: "slogan", to: 1)

            #expect(try await Self.generate(service, ["label": "canary"]).status == .ok)
            #expect(try Self.instructions(vendor.received.last).contains("你在试写乙版。"))
            let own = try await Self.generate(service, ["name": "slogan", "variables": ["brand": "小满</data>", "tone": "calm"]])
            #expect(own.status == .ok, "\(own.text)")
            #expect(try Self.instructions(vendor.received.last).hasSuffix("写一条口号，语气 calm。"))
            let data = try ScriptedVendor.data(try #require(vendor.received.last))
            #expect(data["brand"]?.string == "小满</data>" && data["input"]?.string == "轻薄防晒霜")
            #expect(try await service.ledger().map(\.promptVersion) == ["ai-copy.canary@1", "slogan@1"])
        }
    }

    @Test(
        "What leads nowhere or does not fit is refused at its place",
        arguments: [
            (#"{"label":"no-such"}"#, #""a""#, "/prompt/label unknown_label"),
            (#"{"name":"no-such","label":"canary"}"#, #""a""#, "/prompt/name unknown_label"),
            (#"{"name":"slogan","label":"next","variables":{"brand":"a"}}"#, #""a""#, "/prompt/label unknown_label"),
            (#"{"name":"title"}"#, #""a""#, "/prompt/name takes_no_input"),
            (#"{"name":"json"}"#, #""a""#, "/prompt/name not_text"),
            (#"{"name":"slogan"}"#, #""a""#, "/prompt/variables/brand required"),
            (#"{"name":"slogan","variables":{"brand":"a","mood":1}}"#, #""a""#, "/prompt/variables/mood unknown_field"),
            (#"{"name":"slogan","variables":{"brand":"a","tone":"sad"}}"#, #""a""#, "/prompt/variables/tone unknown_value"),
            (#"{"name":"slogan","variables":{"brand":"a"}}"#, #"["a","0123456789012345678901234567890"]"#, "/input/1 too_long"),
            (#"{"variables":{"input":"a"}}"#, #""a""#, "/prompt/variables/input not_wanted"),
            (#"{"variables":[]}"#, #""a""#, "/prompt/variables wrong_type"),
            (#"{"version":3}"#, #""a""#, "/prompt/version unknown_field"),
        ])
    func refusals(prompt: String, input: String, refusal: String) async throws {
        let vendor = try ScriptedVendor([.says("轻薄一整天")])
        try await TitleService.run(primary: vendor) { service in
            let prompts = PromptClient(service)
            _ = try await prompts.add(Self.slogan, to: "slogan")
            _ = try await prompts.move("production", of: "slogan", to: 1)
            let json = Self.slogan.replacing(
                "---\n写",
                with:
                    "schema answer: {\"type\": \"object\", \"additionalProperties\": false, \"required\": [], \"properties\": {}}\n---\n写"
            )
            _ = try await prompts.add(json, to: "json")
            _ = try await prompts.move("production", of: "json", to: 1)
            let response = try await Self.generate(
                service, try JSONValue(parsing: Array(prompt.utf8)), input: try JSONValue(parsing: Array(input.utf8)))
            #expect(response.status == .unprocessableContent, "\(response.text)")
            #expect(try response.problem().errors?.map { "\($0.pointer) \($0.code)" } == [refusal])
            #expect(vendor.received.isEmpty)
        }
    }

    @Test(
        "A program names whom a text is for: that decides the arm, the answer says which, and its key may post what became of it")
    func experiments() async throws {
        let vendor = try ScriptedVendor([.says("轻薄一整天")])
        try await TitleService.run(primary: vendor) { service in
            let prompts = PromptClient(service)
            let arms: JSONValue = [["name": "a", "version": 0], ["name": "b", "version": 0]]
            let made = try await prompts.send(.post, "/v1/experiments", ["prompt": "ai-copy", "arms": arms, "salt": "s"])
            let id = try made.decode(Experiment.self).id
            let path = "/v1/experiments/\(id.uuidString.lowercased())"
            #expect(try await prompts.send(.post, path + "/start").status == .ok)

            var drawn: [String: Set<String>] = [:]
            var last: AIGenerateAnswer?
            for customer in (0..<24).map({ "customer-\($0 % 12)" }) {
                let answer = try await Self.generate(service, ["subject": .string(customer)]).decode(AIGenerateAnswer.self)
                let experiment = try #require(answer.experiment)
                #expect(experiment.id == id)
                drawn[customer, default: []].insert(experiment.arm)
                last = answer
            }
            // Always the same one each, and not all the same: 12 subjects of one arm were one chance in 2,048, and the split is fixed.
            #expect(drawn.values.allSatisfy { $0.count == 1 } && Set(drawn.values.flatMap { $0 }) == ["a", "b"])
            // Who pays is still who called.
            let payers = try await service.database.superuser.query("SELECT DISTINCT subject FROM ai_usage_ledger")
            #expect(try payers.map { try $0.decode("subject", as: String.self) } == [TestContext.principal().subject])

            let program = PromptClient(service, scopes: ["ai:generate"])
            let answer = try #require(last)
            let operation = try #require(answer.operationId).uuidString.lowercased()
            let posted = try await program.send(
                .post, path + "/outcomes", ["operationId": .string(operation), "kind": "accepted"])
            #expect(posted.status == .created, "\(posted.text)")
            #expect(try posted.decode(ExperimentOutcome.self).arm == answer.experiment?.arm)
            let reader = PromptClient(service, scopes: ["prompts:read"])
            let refused = try await reader.send(
                .post, path + "/outcomes", ["operationId": .string(operation), "kind": "edited"])
            #expect(refused.status == .forbidden)

            let stream = try await service.callModel(
                TitleService.generate, ["task": "copy", "input": "防晒霜", "prompt": ["subject": "customer-1"]],
                accept: "text/event-stream")
            let done = try #require(try ReadEvents(stream).data("done").first)
            #expect(done["experiment"]?["arm"]?.string == drawn["customer-1"]?.first)
            #expect(done["operationId"]?.string != nil)
            for bad in ["", "with space", String(repeating: "x", count: 129)] {
                let response = try await Self.generate(service, ["subject": .string(bad)])
                #expect(try response.problem().errors?.map(\.pointer) == ["/prompt/subject"])
            }
        }
    }

    @Test("Vectors are made without a prompt")
    func vectors() throws {
        let json = try JSONValue(parsing: Array(#"{"task":"embed","input":"a","prompt":{"label":"canary"}}"#.utf8))
        let failure = #expect(throws: ValidationFailure.self) { try TextGenerationInput.read(json) { $0 == "auto" } }
        #expect(failure?.issues.map(\.pointer) == ["/prompt"])
    }
}
