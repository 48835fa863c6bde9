import Foundation
import Testing

/// The documents in `openapi/`, as JSON: `make test` converts them and says where they are.
struct Documents {
    let directory: URL

    init() throws {
        let path = try #require(
            ProcessInfo.processInfo.environment["TEST_OPENAPI_DIR"], "run by `make test`, which converts openapi/*.yaml to JSON")
        directory = URL(fileURLWithPath: path)
    }

    private static var examples: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../openapi/examples").standardized
    }

    /// The example files of the types that `wanted` picks.
    static func examples(where wanted: (String) -> Bool) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: examples.path).sorted()
            .filter { $0.hasSuffix(".json") && wanted(typeName(ofExample: $0)) }
    }

    /// `Content` of `Content.edited.json`.
    static func typeName(ofExample file: String) -> String { String(file.prefix { $0 != "." }) }

    static func example(_ file: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: examples.appending(path: file))) }

    func document(_ name: String) throws -> [String: Any] {
        let data = try Data(contentsOf: directory.appending(path: "\(name).json"))
        return try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    /// The shared schemas by name.
    func schemas() throws -> [String: [String: Any]] {
        let components = try #require(document("common")["components"] as? [String: Any])
        return try #require(components["schemas"] as? [String: [String: Any]])
    }
}

/// The same JSON whatever the order of members was.
func sortedJSON(_ bytes: [UInt8]) throws -> String {
    let object = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
    let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
    return String(decoding: data, as: UTF8.self)
}

/// Members of a documented object.
struct DocumentShape {
    let schemas: [String: [String: Any]]

    func members(of name: String) throws -> [String: Member] {
        let schema = try #require(schemas[name], "no schema \(name)")
        return try members(of: schema, within: name)
    }

    private func members(of schema: [String: Any], within name: String) throws -> [String: Member] {
        let properties = try #require(schema["properties"] as? [String: [String: Any]], "\(name) has no properties")
        let required = Set(schema["required"] as? [String] ?? [])
        return try properties.mapValues { try shape(of: $0, within: name) }.reduce(into: [:]) {
            $0[$1.key] = Member(shape: $1.value, required: required.contains($1.key))
        }
    }

    private func shape(of schema: [String: Any], within name: String) throws -> Shape {
        if let reference = schema["$ref"] as? String {
            let target = String(reference.split(separator: "/").last ?? "")
            let referred = try #require(schemas[target], "\(reference) leads nowhere")
            return referred["properties"] == nil && referred["oneOf"] == nil
                ? try shape(of: referred, within: target) : .object(target)
        }
        if let values = schema["enum"] as? [String] { return .choice(values) }
        if let choices = schema["oneOf"] as? [[String: Any]], choices.count == 2 {
            if choices[1]["type"] as? String == "null" { return .nullable(try shape(of: choices[0], within: name)) }
            let shapes = try choices.map { try shape(of: $0, within: name) }
            if shapes[1] == .array(shapes[0]) { return .oneOrMany(shapes[0]) }
        }
        if let types = schema["type"] as? [String] {
            let others = types.filter { $0 != "null" }
            let type = try #require(others.count == 1 ? others.first : nil, "\(name): one type beside null")
            return .nullable(try shape(of: schema.merging(["type": type]) { $1 }, within: name))
        }
        switch (schema["type"] as? String, schema["format"] as? String) {
        case ("string", "uuid"): return .uuid
        case ("string", "date-time"): return .instant
        case ("string", _): return .string
        case ("integer", _): return .integer
        case ("number", _): return .number
        case ("boolean", _): return .boolean
        case ("array", _):
            let items = try #require(schema["items"] as? [String: Any], "\(name): a list without items")
            return .array(items["properties"] == nil ? try shape(of: items, within: name) : .object("\(name).Candidate"))
        case ("object", _) where schema["properties"] == nil: return .object("JSONValue")
        default:
            throw UnreadableSchema(name: name, schema: "\(schema)")
        }
    }
}

struct UnreadableSchema: Error {
    let name: String
    let schema: String
}
