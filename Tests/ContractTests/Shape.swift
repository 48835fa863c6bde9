import Foundation

/// What a member of a JSON object is, as far as documents and types can agree about it.
indirect enum Shape: Equatable, CustomStringConvertible {
    case string, integer, number, boolean
    case uuid, instant
    case choice([String])
    case array(Shape)
    /// A value, or a list of such.
    case oneOrMany(Shape)
    /// An object, by its schema's or type's name.
    case object(String)
    case nullable(Shape)

    var description: String {
        switch self {
        case .string: "string"
        case .integer: "integer"
        case .number: "number"
        case .boolean: "boolean"
        case .uuid: "uuid"
        case .instant: "date-time"
        case .choice(let values): "one of \(values.joined(separator: "|"))"
        case .array(let element): "[\(element)]"
        case .oneOrMany(let element): "\(element) or [\(element)]"
        case .object(let name): name
        case .nullable(let shape): "\(shape)?"
        }
    }
}

/// One member: its shape and whether it must be there.
struct Member: Equatable, CustomStringConvertible {
    var shape: Shape
    var required: Bool

    var description: String { "\(shape)\(required ? "" : ", optional")" }
}

/// Everything in which two descriptions of an object differ, one sentence each.
func differences(document: [String: Member], code: [String: Member]) -> [String] {
    Set(document.keys).union(code.keys).sorted().compactMap { name in
        switch (document[name], code[name]) {
        case (let documented?, nil): "\(name) (\(documented)) is documented but not in the type"
        case (nil, let typed?): "\(name) (\(typed)) is in the type but not documented"
        case (let documented?, let typed?) where documented != typed: "\(name) is documented as \(documented), typed as \(typed)"
        default: nil
        }
    }
}
