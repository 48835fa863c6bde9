import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import PostgresStore
import TestSupport
import Testing

@testable import AgentCenter

@Suite("POST /v1/video-scripts")
struct VideoScriptServiceTests {
    @Test("A model's slips in numbering, starts and total are computed away")
    func model() async throws {
        let vendor = try ScriptedVendor([.says(ModelTexts.script([4, 8, 10, 8], total: 77))])
        try await TitleService.run(primary: vendor) { service in
            let answer = try await service.script()
            #expect(answer.script.scenes.map(\.index) == [1, 2, 3, 4])
            #expect(answer.script.scenes.map(\.startSecond) == [0, 4, 12, 22])
            #expect(answer.script.totalSeconds == 30)
            #expect(answer.checks.allSatisfy { $0.passed }, "\(answer.checks)")
            #expect(answer.promptVersion == "video_script@0.2" && answer.usage.costNano == "\(CopyServiceTests.cost)")
            #expect(try await service.ledgerSteps() == ["video_script"])
        }
        let data = try ScriptedVendor.data(#require(vendor.received.first))
        #expect(data["minScenes"]?.int == 3 && data["maxScenes"]?.int == 19 && data["durationSeconds"]?.int == 30)
    }

    @Test(
        "Real misfits are asked for again, by number",
        arguments: [
            (ModelTexts.script([5, 5, 5]), "总时长 15 秒，要求 27–33 秒"),
            (ModelTexts.script([10, 10, 10], line: { _ in String(repeating: "说", count: 51) }), "第 1 镜台词 51 字，10 秒最多 50 字"),
            (ModelTexts.script([15, 15]), "分镜 2 个，要求 3–19 个"),
            (ModelTexts.script([10, 10, 10], line: { _ in "说了十九个字说了十九个字说了十九个字啊" }), "台词共 57 字，30 秒至少 60 字"),
            (ModelTexts.script([10, 0, 10, 10]), "第 2 镜：缺少 1–900 的 durationSeconds"),
            (#"{"hook":"x","scenes":[],"cta":"y","hashtags":["防晒","通勤"],"totalSeconds":30}"#, "缺少数组 scenes"),
        ])
    func reasked(first: String, fault: String) async throws {
        let vendor = try ScriptedVendor([.says(first), .says(ModelTexts.script([10, 10, 10]))])
        try await TitleService.run(primary: vendor) { service in
            let answer = try await service.script()
            #expect(answer.script.totalSeconds == 30 && !answer.degraded)
            #expect(answer.usage.costNano == "\(2 * CopyServiceTests.cost)")
        }
        let correction = try ScriptedVendor.data(#require(vendor.received.last))["correction"]?.string
        #expect(correction?.contains(fault) == true, "\(correction ?? "")")
    }

    @Test(
        "Within ten percent is accepted; one second beyond is not", arguments: [(27, true), (33, true), (26, false), (34, false)])
    func tolerance(total: Int, isAccepted: Bool) throws {
        let request = WritingRequest.sample()
        let writer = VideoScriptWriter(
            brief: request.brief, order: VideoScriptOrder(request: request, scriptType: .product, durationSeconds: 30))
        let answer = try #require(ModelJSON.parse(ModelTexts.script([10, 10, total - 20])))
        let timing = try #require(writer.rules(for: try writer.read(answer)).first { $0.check.rule == "timing" })
        #expect(timing.check.passed == isAccepted)
    }

    @Test(
        "Marks and blanks are not spoken; two characters a second must be said, silent scenes or not; below three is advice",
        arguments: [(0, false, true), (59, false, true), (60, false, false), (89, false, false), (90, true, false)])
    func pace(spoken: Int, isPassed: Bool, isBroken: Bool) throws {
        #expect(SceneTiming.spoken("你好，SPF 50！✨") == 7)
        let request = WritingRequest.sample()
        let writer = VideoScriptWriter(
            brief: request.brief, order: VideoScriptOrder(request: request, scriptType: .vlog, durationSeconds: 30))
        // One scene says nothing; the others take turns.
        let lines = [
            9: "", 10: String(repeating: "说", count: spoken / 2) + "，", 11: String(repeating: "说", count: spoken - spoken / 2),
        ]
        let answer = try #require(ModelJSON.parse(ModelTexts.script([9, 10, 11], line: { lines[$0] ?? "" })))
        let rules = writer.rules(for: try writer.read(answer))
        #expect(rules.filter(\.isBroken).map(\.check.rule) == (isBroken ? ["pace"] : []))
        #expect(rules.filter { !$0.check.passed }.map(\.check.rule) == (isPassed ? [] : ["pace"]))
    }

    @Test(
        "The number of scenes follows type and length",
        arguments: [
            (VideoScriptType.product, 10, 2...7), (.product, 60, 6...37), (.tutorial, 60, 4...25), (.story, 180, 7...43),
            (.product, 900, 20...60),
        ])
    func counts(type: VideoScriptType, seconds: Int, range: ClosedRange<Int>) {
        #expect(SceneTiming.counts(type, seconds: seconds) == range)
    }

    @Test("A forbidden word in a line, by its scene's pointer")
    func finding() async throws {
        let lines = ModelTexts.script([10, 10, 10], line: { _ in "这款防晒霜确实顶级，用着放心，出门前十五分钟涂好就行" })
        let vendor = try ScriptedVendor([.says(lines)])
        try await TitleService.run(primary: vendor) { service in
            let answer = try await service.script()
            #expect(answer.findings.map(\.pointer) == ["/scenes/0/line", "/scenes/1/line", "/scenes/2/line"])
            #expect(answer.script.scenes.allSatisfy { $0.line == "这款防晒霜确实优质，用着放心，出门前十五分钟涂好就行" })
        }
    }

    @Test("Without a model: every type and length", arguments: VideoScriptType.allCases)
    func template(type: VideoScriptType) async throws {
        try await TitleService.run { service in
            for seconds in [10, 60, 900] {
                let answer = try await service.script(.sample(type: type, seconds: seconds))
                #expect(answer.script.totalSeconds == seconds && answer.provider == "template" && answer.usage.costNano == "0")
            }
        }
    }

    @Test("A script is revised from the whole one")
    func revision() async throws {
        let vendor = try ScriptedVendor([.says(ModelTexts.script([10, 10, 10]))])
        try await TitleService.run(primary: vendor) { service in
            let first = try await service.script()
            let revision = VideoScriptRevision(previous: first.script, feedback: "开头更抓人")
            _ = try await service.script(.sample(revision: revision))
        }
        let data = try ScriptedVendor.data(#require(vendor.received.last))
        #expect(data["previous"]?["scenes"]?.array?.count == 3 && data["feedback"]?.string == "开头更抓人")
    }

    @Test(
        "Bad input",
        arguments: [
            (#"{"durationSeconds":9}"#, "/durationSeconds"), (#"{"durationSeconds":901}"#, "/durationSeconds"),
            (#"{"scriptType":"film"}"#, "/scriptType"),
            (#"{"durationSeconds":"30"}"#, "/durationSeconds"),
        ])
    func badInput(change: String, pointer: String) async throws {
        try await TitleService.run { service in
            try await service.refuses("/v1/video-scripts", VideoScriptWritingRequest.sample(), with: change, at: [pointer])
        }
    }
}
