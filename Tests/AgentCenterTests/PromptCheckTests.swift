import HTTPCore
import Testing

@testable import AgentCenter

@Suite("What makes a prompt")
struct PromptCheckTests {
    private static func issues(_ change: (inout PromptDefinition) -> Void) throws -> [String] {
        var definition = try PromptText(parsing: PromptSamples.own).definition
        change(&definition)
        return PromptCheck.issues(in: definition).map { "\($0.pointer) \($0.code)" }
    }

    @Test("A sound one has no issues")
    func sound() throws {
        #expect(try Self.issues { _ in } == [])
    }

    @Test("Each fault is named with its place")
    func faults() throws {
        let cases: [((inout PromptDefinition) -> Void, [String])] = [
            ({ $0.scene = "Slogan" }, ["/scene malformed"]),
            ({ $0.language = "fr" }, ["/language unknown_value"]),
            ({ $0.description = "两\n行" }, ["/description malformed"]),
            ({ $0.description = "" }, ["/description too_short"]),
            (
                { $0.variables[1] = .init(name: "brand", kind: .integer(1...5), isRequired: true, description: "") },
                ["/variables/1/name repeated", "/template unknown_variable", "/maxTokens unknown_variable"]
            ),
            (
                { $0.variables[0] = .init(name: "brand", kind: .text(maxLength: 0), isRequired: true, description: "") },
                ["/variables/0/maxLength out_of_range"]
            ),
            (
                { $0.variables[2] = .init(name: "tone", kind: .choice(["a,b", "c"]), isRequired: false, description: "") },
                ["/variables/2/choices malformed"]
            ),
            (
                { $0.variables[2] = .init(name: "tone", kind: .choice(["忽略\n以上"]), isRequired: false, description: "") },
                ["/variables/2/choices malformed"]
            ),
            ({ $0.variables[2].description = "required soon" }, ["/variables/2/description reserved"]),
            ({ $0.template = "  \n" }, ["/template blank"]),
            ({ $0.template = "写 {{count}\n" }, ["/template malformed_placeholder"]),
            ({ $0.template = "写\n{{colour}}" }, ["/template unknown_variable"]),
            ({ $0.template = "写 {{brand}} 的口号" }, ["/template free_text_in_instructions"]),
            ({ $0.template = "写</data>新规则" }, ["/template reserved"]),
            ({ $0.template = "写\u{7}" }, ["/template control_character"]),
            (
                { $0.data = [.init(name: "brand", datum: .variable("colour"))] },
                ["/variables/0 unused", "/data/brand unknown_variable"]
            ),
            ({ $0.data = [.init(name: "correction", datum: .variable("brand"))] }, ["/data/correction reserved"]),
            ({ $0.data = [.init(name: "a b", datum: .variable("brand"))] }, ["/data/a b malformed"]),
            (
                { $0.data = [.init(name: "x", datum: .constant("给 {{brand}} 写"))] },
                ["/variables/0 unused", "/data/x malformed_placeholder"]
            ),
            ({ $0.data = [] }, ["/variables/0 unused"]),
            ({ $0.maxTokens = try? TokenFormula("10 * brand") }, ["/maxTokens unknown_variable"]),
            ({ $0.maxTokens = try? TokenFormula("0") }, ["/maxTokens out_of_range"]),
            ({ $0.maxTokens = try? TokenFormula("32769") }, ["/maxTokens out_of_range"]),
            ({ $0.maxTokens = try? TokenFormula("0 - count") }, ["/maxTokens out_of_range"]),
            ({ $0.maxTokens = try? TokenFormula("count / 10") }, ["/maxTokens out_of_range"]),
            // Within the limits for some counts: beyond them it is cut.
            ({ $0.maxTokens = try? TokenFormula("count * 10000 - 10000") }, []),
            ({ $0.maxTokens = try? TokenFormula("900 / (count - 3)") }, []),
            ({ $0.temperature = 2.5 }, ["/temperature out_of_range"]),
            (
                { $0.schema = AnswerSchema(name: "a b", schema: ["type": "array"]) },
                ["/schema/name malformed", "/schema/schema/type unknown_value", "/schema/schema/items required"]
            ),
            (
                { $0.schema = AnswerSchema(name: "x", schema: ["type": "object", "properties": ["a": ["type": "object"]]]) },
                [
                    "/schema/schema/additionalProperties not_strict", "/schema/schema/required not_strict",
                    "/schema/schema/properties/a/properties required",
                ]
            ),
        ]
        for (index, (change, expected)) in cases.enumerated() { #expect(try Self.issues(change) == expected, "case \(index)") }
    }

    @Test("A template has at most 20,000 characters, a prompt 2,000 lines")
    func size() throws {
        #expect(try Self.issues { $0.template = String(repeating: "好", count: 20_001) } == ["/template too_long"])
        #expect(try Self.issues { $0.template = String(repeating: "x\n", count: 2_000) } == [" too_long"])
    }

    @Test("What cannot be read is told with its line")
    func lines() throws {
        let cases: [(String, Int)] = [
            ("name: x", 1),
            ("---\nscene: a\n", 3),
            ("---\nscene: a\nscene: b\n---\nx", 3),
            ("---\nscene: a\nlanguage: zh\ndescription: d\nvariables:\n  a: word(3)\n---\nx", 6),
            ("---\nscene: a\nlanguage: zh\ndescription: d\ntemperature: hot\n---\nx", 5),
            ("---\nscene: a\nlanguage: zh\ndescription: d\nmaxTokens: 1 +\n---\nx", 5),
            ("---\nscene: a\nlanguage: zh\ndescription: d\ncolour: red\n---\nx", 5),
        ]
        for (text, line) in cases {
            #expect { try PromptText(parsing: text) } throws: { error in
                guard let error = error as? PromptFile.Malformed, error.line == line else { return false }
                // Said in Chinese, but for the keys.
                return error.problem.zh.unicodeScalars.contains { $0.properties.isIdeographic }
                    && error.problem.zh != error.problem.en
            }
        }
        #expect { try TokenFormula("1 +") } throws: { ($0 as? TokenFormula.Malformed)?.problem.zh == "算式不完整" }
    }

    // MARK: The contract with the flow

    private static func breaches(_ change: (inout PromptDefinition) -> Void) throws -> [String] {
        let shipped = try PromptText(parsing: PromptSamples.own).definition
        var definition = shipped
        change(&definition)
        return PromptContract.breaches(of: definition, against: shipped).map { "\($0.pointer) \($0.code)" }
    }

    @Test("A version takes every value that the flow gives")
    func values() throws {
        typealias Case = ((inout PromptDefinition) -> Void, [String])
        let cases: [Case] = [
            ({ _ in }, []),
            ({ $0.template = "完全不同" }, []),
            ({ $0.variables.removeLast() }, []),
            ({ $0.variables.removeFirst() }, ["/variables missing_variable"]),
            ({ $0.variables[0] = .init(name: "brand", kind: .text(maxLength: 30), isRequired: false, description: "") }, []),
            (
                { $0.variables[0] = .init(name: "brand", kind: .text(maxLength: 10), isRequired: true, description: "") },
                ["/variables/0/type narrower_than_given"]
            ),
            (
                { $0.variables[1] = .init(name: "count", kind: .integer(2...5), isRequired: true, description: "") },
                ["/variables/1/type narrower_than_given"]
            ),
            (
                { $0.variables[2] = .init(name: "tone", kind: .choice(["calm"]), isRequired: false, description: "") },
                ["/variables/2/type narrower_than_given"]
            ),
            ({ $0.variables[2] = .init(name: "tone", kind: .text(maxLength: 4), isRequired: false, description: "") }, []),
            (
                { $0.variables[2] = .init(name: "tone", kind: .boolean, isRequired: false, description: "") },
                ["/variables/2/type narrower_than_given"]
            ),
            ({ $0.variables[2].isRequired = true }, ["/variables/2/required not_always_given"]),
            ({ $0.variables.append(.init(name: "extra", kind: .boolean, isRequired: false, description: "")) }, []),
            (
                { $0.variables.append(.init(name: "extra", kind: .boolean, isRequired: true, description: "")) },
                ["/variables/3/required never_given"]
            ),
            ({ $0.schema = AnswerSchema(name: "x", schema: ["type": "object"]) }, ["/schema not_wanted"]),
        ]
        for (index, (change, expected)) in cases.enumerated() { #expect(try Self.breaches(change) == expected, "case \(index)") }
    }

    @Test("A version's answer has every member that the flow reads")
    func answer() throws {
        let shipped = try #require(ShippedPrompts.all["title"]?.definition)
        func breaches(_ schema: String?) throws -> [String] {
            var own = shipped
            own.schema = try schema.map { AnswerSchema(name: "own", schema: try JSONValue(parsing: Array($0.utf8))) }
            return PromptContract.breaches(of: own, against: shipped).map { "\($0.pointer) \($0.code)" }
        }
        func schema(_ item: String) -> String { #"{"type":"object","properties":{"titles":{"type":"array","items":\#(item)}}}"# }
        let title = #""title":{"type":"string"}"#
        let formula = #""formula":{"type":"string","enum":["question","number"]}"#
        let place = "/schema/schema/properties/titles"
        #expect(try breaches(nil) == ["/schema required"])
        #expect(try breaches(#"{"type":"object","properties":{}}"#) == ["\(place) missing_member"])
        #expect(try breaches(#"{"type":"object","properties":{"titles":{"type":"string"}}}"#) == ["\(place)/type other_type"])
        #expect(try breaches(schema(#"{"type":"object","properties":{\#(title),\#(formula),"why":{"type":"string"}}}"#)) == [])
        #expect(
            try breaches(schema(#"{"type":"object","properties":{\#(formula)}}"#)) == [
                "\(place)/items/properties/title missing_member"
            ])
        #expect(
            try breaches(schema(#"{"type":"object","properties":{\#(title),"formula":{"type":"string","enum":["magic"]}}}"#)) == [
                "\(place)/items/properties/formula/enum unknown_value"
            ])
    }
}
