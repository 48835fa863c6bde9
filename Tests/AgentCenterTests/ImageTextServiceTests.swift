import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import PostgresStore
import TestSupport
import Testing

@testable import AgentCenter

@Suite("POST /v1/image-texts")
struct ImageTextServiceTests {
    @Test("A model's image-text has exactly its slots, and is billed once per operation")
    func model() async throws {
        let vendor = try ScriptedVendor([.says(ModelTexts.imageText(slots: 4))])
        try await TitleService.run(primary: vendor) { service in
            let operation = UUID()
            let answer = try await service.imageText(.sample(slots: 3), operation: operation)
            #expect(answer.imageText.slots.map(\.caption) == ["图注1", "图注2", "图注3"])
            #expect(answer.imageText.title == "防晒霜怎么选" && answer.promptVersion == "image_text@0.1")
            #expect(answer.checks.allSatisfy { $0.passed }, "\(answer.checks)")
            #expect(answer.usage.costNano == "\(CopyServiceTests.cost)")
            #expect(try await service.imageText(.sample(slots: 3), operation: operation) == answer)
            #expect(vendor.received.count == 1)
            #expect(try await service.ledgerSteps() == ["image_text"])
        }
        #expect(try ScriptedVendor.data(#require(vendor.received.first))["imageStyle"]?.string == "手绘水彩")
    }

    @Test("Too few pictures are asked for again, by number")
    func tooFew() async throws {
        let vendor = try ScriptedVendor([.says(ModelTexts.imageText(slots: 2)), .says(ModelTexts.imageText(slots: 5))])
        try await TitleService.run(primary: vendor) { service in
            let answer = try await service.imageText(.sample(slots: 5))
            #expect(answer.imageText.slots.count == 5)
        }
        let correction = try ScriptedVendor.data(#require(vendor.received.last))["correction"]?.string
        #expect(correction?.contains("配图只有 2 张，需要 5 张") == true)
    }

    @Test("Forbidden words are found in captions and picture prompts as well, each by its pointer")
    func members() async throws {
        let answer = ModelTexts.imageText().replacing("图注2", with: "全城最美的海边").replacing("主体居中 3", with: "国家级大师的画")
        let vendor = try ScriptedVendor([.says(answer), .says(ModelTexts.passages("画面描述，主体居中"))])
        try await TitleService.run(primary: vendor) { service in
            let answer = try await service.imageText()
            #expect(answer.imageText.slots[1].caption == "全城很美的海边")
            #expect(answer.imageText.slots[2].prompt == "画面描述，主体居中")
            #expect(answer.findings.map(\.pointer) == ["/slots/1/caption", "/slots/2/prompt"])
            #expect(answer.findings.map(\.action) == [.replaced, .rewritten])
            #expect(answer.findings.map(\.word) == ["最", "国家级"])
        }
    }

    @Test("Without a model", arguments: [1, 3, 9])
    func template(slots: Int) async throws {
        try await TitleService.run { service in
            let answer = try await service.imageText(.sample(slots: slots))
            #expect(answer.imageText.slots.count == slots && answer.provider == "template" && answer.usage.costNano == "0")
            #expect(answer.promptVersion == "image_text.template@2")
            // Each is about something, and its picture about the topic.
            let texts = answer.imageText.slots.flatMap { [$0.caption, $0.alt, $0.prompt] }
            #expect(!texts.contains { $0.hasPrefix("图 ") || $0.hasPrefix("配图 ") || $0.hasPrefix("简洁的静物") })
            #expect(answer.imageText.slots.allSatisfy { $0.prompt.contains("防晒") })
        }
    }

    @Test(
        "Bad input",
        arguments: [
            (#"{"slots":0}"#, "/slots"), (#"{"slots":10}"#, "/slots"), (#"{"imageStyle":""}"#, "/imageStyle"),
            (
                #"{"revision":{"previous":{"title":"t","text":"x","hashtags":[],"slots":[]},"feedback":"改"}}"#,
                "/revision/previous/slots"
            ),
        ])
    func badInput(change: String, pointer: String) async throws {
        try await TitleService.run { service in
            try await service.refuses("/v1/image-texts", ImageTextWritingRequest.sample(), with: change, at: [pointer])
        }
    }
}
