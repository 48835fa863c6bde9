import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import PostgresStore
import TestSupport
import Testing

@testable import AgentCenter

@Suite("Compliance of the unified call and of titles")
struct TextComplianceTests {
    private static let cost: Int64 = 34_500
    private static let draft = "夏季防晒霜怎么选？坚持用能根治晒斑。出门前十五分钟涂好。"
    private static let clean = "夏季防晒霜怎么选？坚持用能少一点晒黑的烦恼。出门前十五分钟涂好。"
    private static let passage = "坚持用能少一点晒黑的烦恼。"

    private static func body(_ input: JSONValue = "防晒霜", task: String = "copy", scene: String? = nil) -> JSONValue {
        var body = JSONObject()
        (body["task"], body["input"]) = (.string(task), input)
        if let scene { body["metadata"] = ["scene": .string(scene)] }
        return .object(body)
    }

    private static func findings(_ answer: JSONValue) throws -> [ComplianceFinding] {
        try (answer["findings"]?.array ?? []).map { try JSON.decode(ComplianceFinding.self, from: $0) }
    }

    @Test("A forbidden word with a substitute is replaced without asking again, also in the third text of a list")
    func replaced() async throws {
        let vendor = try ScriptedVendor([
            .answers { request in
                let isThird = request.body.contains("丙")
                return ScriptedVendor.Reply.httpText(
                    200,
                    ScriptedVendor.Reply.completion(isThird ? "这是夏天最好用的防晒霜。" : "出门前涂好。", model: "gpt-4o-mini", finish: "stop"))
            }
        ])
        try await TitleService.run(primary: vendor) { service in
            let answer = try await service.callModel(TitleService.generate, Self.body(["甲", "乙", "丙"])).json()
            #expect(answer["output"]?.array?.compactMap(\.string) == ["出门前涂好。", "出门前涂好。", "这是夏天很好用的防晒霜。"])
            let findings = try Self.findings(answer)
            #expect(findings.map(\.pointer) == ["/output/2"] && findings.map(\.action) == [.replaced])
            #expect(findings.first?.word == "最" && findings.first?.start == 4 && findings.first?.end == 5)
            #expect(answer["degraded"]?.bool == false)
            #expect(try await service.ledgerChecks().count == 1)
            let metrics = try await service.app.client.send(.get, "/metrics").text
            #expect(
                metrics.contains(
                    #"agent_compliance_findings_total{flow="AIGeneration",category="superlative",action="replaced"} 1"#))
        }
        #expect(vendor.received.count == 3)
    }

    @Test(
        "One without is written anew; whoever reads along is told to begin again; both calls are billed",
        arguments: [true, false])
    func rewritten(streamed: Bool) async throws {
        let vendor = try ScriptedVendor([
            streamed ? .bytes(ModelFault.stream(Self.draft)) : .says(Self.draft), .says(ModelTexts.passages(Self.passage)),
        ])
        try await TitleService.run(primary: vendor) { service in
            let response = try await service.callModel(
                TitleService.generate, Self.body(), accept: streamed ? "text/event-stream" : nil)
            #expect(response.status == .ok, "\(response.text)")
            let end: JSONValue
            if streamed {
                let events = try ReadEvents(response)
                #expect(events.names == ["delta", "delta", "restart", "delta", "usage", "done"])
                #expect(try events.text() == Self.clean)
                #expect(try events.data("usage").first?["costNano"]?.string == "\(2 * Self.cost)")
                end = try #require(try events.data("done").first)
            } else {
                end = try response.json()
                #expect(end["output"]?.string == Self.clean && end["usage"]?["costNano"]?.string == "\(2 * Self.cost)")
            }
            let findings = try Self.findings(end)
            #expect(findings.map(\.action) == [.rewritten] && findings.map(\.pointer) == ["/output"])
            #expect(end["degraded"]?.bool == false)
            let row = try #require(try await service.ledger().first)
            #expect(row.cost == 2 * Self.cost && row.spent == 2 * Self.cost)
            #expect(row.attempts.map(\.purpose) == [.ask, .rewrite])
        }
        // The second question holds the one sentence, not the whole text.
        let asked = try ScriptedVendor.data(try #require(vendor.received.last))
        #expect(asked["passages"]?["p1"]?["text"]?.string == "坚持用能根治晒斑。")
    }

    @Test(
        "Where that does not help a template writes, says so and costs nothing; what was spent stands", arguments: [true, false])
    func discarded(streamed: Bool) async throws {
        let vendor = try ScriptedVendor([
            streamed ? .bytes(ModelFault.stream(Self.draft)) : .says(Self.draft), .says(ModelTexts.passages("坚持用能根治晒斑。")),
        ])
        try await TitleService.run(primary: vendor) { service in
            let response = try await service.callModel(
                TitleService.generate, Self.body(), accept: streamed ? "text/event-stream" : nil)
            let end = streamed ? try #require(try ReadEvents(response).data("done").first) : try response.json()
            if streamed { #expect(try ReadEvents(response).names == ["delta", "delta", "restart", "delta", "usage", "done"]) }
            #expect(end["provider"]?.string == "template" && end["degraded"]?.bool == true)
            #expect(end["degradedReason"]?.string == "模型文本含“根治”，改写后仍不合规，内容由模板生成")
            #expect(try Self.findings(end).map(\.action) == [.discarded])
            let row = try #require(try await service.ledger().first)
            #expect(row.cost == 0 && row.spent == 2 * Self.cost && row.promptVersion == "ai.template@1")
        }
    }

    @Test("A scene that begins with a platform adds that platform's bans")
    func platform() async throws {
        let vendor = try ScriptedVendor([.says("喜欢的话加微信聊聊。")])
        try await TitleService.run(primary: vendor) { service in
            let listed = Compliance(platform: .douyin).blocks("喜欢的话加微信聊聊。").map(\.word)
            let plain = Compliance(platform: nil).blocks("喜欢的话加微信聊聊。").map(\.word)
            let answer = try await service.callModel(TitleService.generate, Self.body(scene: "douyin-copy-zh")).json()
            #expect(try Set(Self.findings(answer).map(\.word)) == Set(listed))
            #expect(listed != plain)
        }
    }

    @Test(
        "The templates, which repeat the caller's words, repeat no forbidden ones",
        arguments: ["copy", "title", "summary", "reply"])
    func templates(task: String) async throws {
        try await TitleService.run { service in
            for input in ["全国第一的防晒霜，根治晒斑。成膜快，不搓泥。", "根治晒斑", "史上最好用"] {
                let answer = try await service.callModel(TitleService.generate, Self.body(.string(input), task: task)).json()
                let output = try #require(answer["output"]?.string)
                #expect(!output.isEmpty && Compliance(platform: nil).allows(output), "\(output)")
            }
        }
    }

    // MARK: Titles

    private static func titles(_ texts: [String]) -> String {
        let items = texts.map { text -> JSONValue in ["title": .string(text), "formula": "question"] }
        let object: JSONValue = ["titles": .array(items)]
        return String(decoding: object.encode(), as: UTF8.self)
    }

    private static let bad = "夏季防晒霜根治晒斑吗"

    private static func blocked(_ answer: TitleWritingAnswer) -> [String] {
        (answer.findings ?? []).filter { $0.severity == .block }.map { "\($0.word) \($0.pointer) \($0.action.rawValue)" }
    }

    @Test("A title left out for a forbidden word is told, though there were enough without it")
    func leftOut() async throws {
        let vendor = try ScriptedVendor([.says(Self.titles([ModelTitles.texts[0], Self.bad] + ModelTitles.texts.dropFirst()))])
        try await TitleService.run(primary: vendor) { service in
            let answer = try await service.write()
            #expect(!answer.candidates.map(\.title).contains(Self.bad) && !answer.degraded)
            #expect(Self.blocked(answer) == ["根治 /candidates/1/title discarded"])
            #expect(try await service.ledgerChecks().contains { $0["action"]?.string == "discarded" })
        }
    }

    @Test("One that made the model write again, and one that left the titles to the templates")
    func writtenAgain() async throws {
        let short = Self.titles(Array(ModelTitles.texts.prefix(4)) + [Self.bad])
        let healed = try ScriptedVendor([.says(short), .says(ModelTitles.json())])
        try await TitleService.run(primary: healed) { service in
            let answer = try await service.write()
            #expect(answer.provider == "openai" && Self.blocked(answer) == ["根治 /candidates/4/title rewritten"])
            #expect(answer.usage.costNano == "\(2 * Self.cost)")
        }
        let stubborn = try ScriptedVendor([.says(short)])
        try await TitleService.run(primary: stubborn) { service in
            let answer = try await service.write()
            let found = Self.blocked(answer)
            #expect(answer.provider == "template" && found.count == 2 && Set(found) == ["根治 /candidates/4/title discarded"])
        }
    }
}
