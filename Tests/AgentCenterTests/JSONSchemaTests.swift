import HTTPCore
import TestSupport
import Testing

@testable import AgentCenter

@Suite("JSON Schema", .apartFromThePool)
struct JSONSchemaTests {
    private func problems(_ schema: String, _ value: String, mostWork: Int = 10_000) throws -> [String] {
        try JSONSchema(JSONValue(parsing: Array(schema.utf8)), mostWork: mostWork).problems(
            in: JSONValue(parsing: Array(value.utf8)))
    }

    @Test(
        "What fits",
        arguments: [
            (#"{"type":"string"}"#, #""x""#), (#"{"type":["string","null"]}"#, "null"), (#"{"type":"integer"}"#, "2.0"),
            (#"{"type":"number","minimum":1,"maximum":2}"#, "1.5"), (#"{"enum":["a",1]}"#, "1"),
            (#"{"const":{"a":1}}"#, #"{"a":1}"#),
            (#"{"type":"object","properties":{"a":{"type":"string"}}}"#, #"{"b":1}"#),
            (#"{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":2}"#, "[1,2]"),
            (#"{"anyOf":[{"type":"string"},{"type":"integer"}]}"#, "3"), (#"{"minLength":2,"maxLength":2}"#, #""防晒""#),
            ("true", "[]"),
            (
                ##"{"$defs":{"n":{"type":"object","properties":{"next":{"$ref":"#/$defs/n"}}}},"$ref":"#/$defs/n"}"##,
                #"{"next":{"next":{}}}"#
            ),
        ])
    func fits(schema: String, value: String) throws {
        #expect(try problems(schema, value) == [])
    }

    @Test(
        "What does not, and where",
        arguments: [
            (#"{"type":"string"}"#, "1", "/ must be of type string, not number"),
            (#"{"type":"integer"}"#, "1.5", "/ must be of type integer, not number"),
            (#"{"type":"object","required":["a"]}"#, "{}", "/a is missing"),
            (#"{"type":"object","additionalProperties":false,"properties":{"a":{}}}"#, #"{"a":1,"b":2}"#, "/b is not known"),
            (#"{"additionalProperties":{"type":"string"}}"#, #"{"b":2}"#, "/b must be of type string, not number"),
            (#"{"properties":{"a":{"enum":["x","y"]}}}"#, #"{"a":"z"}"#, #"/a must be one of ["x","y"]"#),
            (#"{"items":{"properties":{"n":{"maximum":5}}}}"#, #"[{"n":4},{"n":6}]"#, "/1/n must be at most 5.0"),
            (#"{"minItems":2}"#, "[1]", "/ must have at least 2 items"),
            (#"{"maxLength":1}"#, #""防晒""#, "/ must have at most 1 characters"),
            (#"{"exclusiveMinimum":0}"#, "0", "/ must be more than 0.0"),
            (#"{"anyOf":[{"type":"string"},{"type":"null"}]}"#, "1", "/ must be of type string, not number"),
            (#"{"oneOf":[{"type":"number"},{"type":"integer"}]}"#, "1", "/ fits 2 branches of oneOf, and must fit one"),
            (#"{"allOf":[{"minimum":1},{"maximum":2}]}"#, "3", "/ must be at most 2.0"),
            (##"{"$ref":"#/$defs/none"}"##, "1", "/ has a schema that leads nowhere: #/$defs/none"),
            ("false", "1", "/ must not be there"),
        ])
    func problem(schema: String, value: String, problem: String) throws {
        #expect(try problems(schema, value) == [problem])
    }

    @Test("A schema that refers to itself without end is told, not followed")
    func endless() throws {
        #expect(try problems(##"{"$ref":"#"}"##, "1") == ["/ is nested too deeply"])
    }

    /// Four ways lead back to the whole schema, without or with a step into the value.
    private static let branches = ##"{"anyOf":[{"$ref":"#"},{"$ref":"#"},{"$ref":"#"},{"$ref":"#"}]}"##
    private static let nested =
        ##"{"type":"object","properties":{"a":{"anyOf":[{"$ref":"#"},{"$ref":"#"},{"$ref":"#"},{"$ref":"#"}]}},"required":["a"]}"##

    @Test("Branches that multiply end the check, and the value does not fit", arguments: [branches, nested])
    func multiplied(schema: String) throws {
        let deep = String(repeating: #"{"a":"#, count: 20) + "1" + String(repeating: "}", count: 20)
        #expect(try problems(schema, deep) == ["/ takes too much work to be checked"])
    }

    @Test("A large value of an ordinary schema is checked to its end")
    func large() throws {
        let items = Array(repeating: #"{"next":{"n":1}}"#, count: 500).joined(separator: ",")
        let schema =
            ##"{"$defs":{"n":{"type":"object","properties":{"n":{"type":"integer"},"next":{"anyOf":[{"$ref":"#/$defs/n"},{"type":"null"}]}}}},"items":{"$ref":"#/$defs/n"}}"##
        #expect(try problems(schema, "[\(items)]") == [])
        #expect(try problems(schema, #"[\#(items),{"n":"x"}]"#) == ["/500/n must be of type integer, not string"])
    }

    @Test(
        "What can be checked is told from the schema alone",
        arguments: [
            (branches, false), (nested, true), (##"{"$ref":"#"}"##, false), ("{}", true),
            (##"{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"$ref":"#/$defs/a"}}}"##, false),
            (##"{"$defs":{"n":{"anyOf":[{"type":"null"},{"items":{"$ref":"#/$defs/n"}}]}},"$ref":"#/$defs/n"}"##, true),
            // No circle, and 2^20 ways.
            (
                ##"{"$ref":"#/$defs/d0","$defs":{"##
                    + (0..<20).map {
                        ##""d\##($0)":{"oneOf":[{"$ref":"#/$defs/d\##($0 + 1)"},{"$ref":"#/$defs/d\##($0 + 1)"}]},"##
                    }
                    .joined() + ##""d20":{}}}"##, false
            ),
        ])
    func checkable(schema: String, isCheckable: Bool) throws {
        #expect(try JSONSchema(JSONValue(parsing: Array(schema.utf8))).isCheckable == isCheckable)
    }

    /// References to nowhere, one target under many names, and members that are scanned for each reference.
    private static let wasteful: [String] = {
        func branches(_ references: some Sequence<String>) -> String {
            references.map { ##"{"$ref":"\##($0)"}"## }.joined(separator: ",")
        }
        let members = (0..<60_000).map { #""m\#($0)":{}"# }.joined(separator: ",")
        let far = ##"{"$defs":{\##(members)},"anyOf":[\##(branches((0..<900).map { "#/$defs/m\($0)" }))]}"##
        let nowhere = ##"{"$defs":{\##(members)},"items":[\##(branches((0..<900).map { "#/$defs/n\($0)" }))]}"##
        return [far, nowhere]
    }()

    @Test("A schema that takes too much work to be looked through cannot be checked", arguments: [0, 1])
    func tooMuchWork(index: Int) throws {
        let schema = Self.wasteful[index]
        #expect(try !JSONSchema(JSONValue(parsing: Array(schema.utf8))).isCheckable)
    }

    @Test("A reference is followed once, under whatever name and also to nowhere")
    func onceFollowed() throws {
        let members = (0..<60_000).map { #""m\#($0)":{}"# }.joined(separator: ",")
        for name in ["none", "m59999"] {
            let references = (1...900).map { ##"{"$ref":"#\##(String(repeating: "/", count: $0 % 9 + 1))$defs/\##(name)"}"## }
            let schema = ##"{"$defs":{\##(members)},"items":{"anyOf":[\##(references.joined(separator: ","))]}}"##
            #expect(try JSONSchema(JSONValue(parsing: Array(schema.utf8))).isCheckable)
        }
    }

    @Test("Long texts, wide rules and far targets are work, too")
    func counted() throws {
        let long = String(repeating: "a", count: 40_000)
        let lengths = Array(repeating: #"{"maxLength":50000}"#, count: 100).joined(separator: ",")
        let members = (0..<2_000).map { #""m\#($0)":1"# }.joined(separator: ",")
        let endless = ["/ takes too much work to be checked"]
        #expect(try problems(#"{"allOf":[\#(lengths)]}"#, #""\#(long)""#) == endless)
        #expect(
            try problems(#"{"items":{\#(members)}}"#, "[\(Array(repeating: "1", count: 100).joined(separator: ","))]") == endless)
        #expect(try problems(#"{"items":{"enum":[{"a":"\#(long)"}]}}"#, #"[{"a":"\#(long)"}]"#) == [])
    }
}
