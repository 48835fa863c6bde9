import HTTPCore
import Testing

@testable import AgentCenter

@Suite("JSON Schema")
struct JSONSchemaTests {
    private func problems(_ schema: String, _ value: String) throws -> [String] {
        try JSONSchema(JSONValue(parsing: Array(schema.utf8))).problems(in: JSONValue(parsing: Array(value.utf8)))
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
}
