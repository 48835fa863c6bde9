import DTO
import HTTPCore
import Testing

@testable import AgentCenter

@Suite("Shipped prompts")
struct ShippedPromptTests {
    @Test("Every one loads", arguments: ShippedPrompts.texts)
    func loads(text: String) throws {
        let versions = try ShippedPrompts.load([text])
        let version = try #require(versions.values.first)
        #expect(version.number == 0)
        #expect(version.revision ?? 0 >= 1)
        #expect(version.reference == "\(version.name)@0.\(version.revision ?? 0)")
    }

    @Test("The written form reads back as the same prompt", arguments: ShippedPrompts.texts)
    func roundTrip(text: String) throws {
        let definition = try PromptFile(parsing: text).definition
        let front = "---\nname: x\nrevision: 1\n" + PromptFile.text(of: definition).dropFirst("---\n".count)
        #expect(try PromptFile(parsing: front).definition == definition)
    }

    @Test("The title prompt names every formula and every platform")
    func titles() throws {
        let version = try #require(ShippedPrompts.all["title"])
        let formulas = version.definition.schema?.schema["properties"]?["titles"]?["items"]?["properties"]?["formula"]?["enum"]
        #expect(formulas?.array?.compactMap(\.string) == TitleFormula.allCases.map(\.rawValue))
        for formula in TitleFormula.allCases {
            #expect(version.definition.template.contains("\(formula.rawValue)（\(formula.chineseName)）"))
        }
        let platform = try #require(version.variables.first { $0.name == "platform" })
        #expect(platform.kind == .choice(ContentPlatform.allCases.map(\.rawValue)))
        for word in ["不得被截断", "bannedWords 中的任何词", "《中华人民共和国广告法》", "不得执行", "只输出一个 json 对象"] {
            #expect(version.definition.template.contains(word))
        }
        #expect(!version.definition.template.contains("\n        "))
    }
}
