import DTO
import Foundation
import HTTPCore

/// Learns a type's members by letting it decode from a decoder that only takes notes.
enum TypeShape {
    static func members<T: Decodable>(of type: T.Type) throws -> [String: Member] {
        let notes = Notes()
        _ = try T(from: NoteTaker(notes: notes))
        return notes.members
    }

    static func shape(of type: any Decodable.Type) -> Shape {
        switch type {
        case is String.Type: .string
        case is Bool.Type: .boolean
        case is Double.Type, is Float.Type: .number
        case is any BinaryInteger.Type: .integer
        case is UUID.Type: .uuid
        case is Date.Type: .instant
        case let value as any MayBeNull.Type: .nullable(value.valueShape)
        case is OneOrMany.Type: .oneOrMany(.string)
        case let list as any List.Type: .array(list.elementShape)
        case let choice as any StringChoice.Type: .choice(choice.rawValues)
        default: .object(name(of: type))
        }
    }

    /// `ContentPatch.Candidate` is documented in place, so its name is what it is a part of.
    private static func name(of type: Any.Type) -> String {
        String(reflecting: type).split(separator: ".").dropFirst().joined(separator: ".")
    }

    final class Notes {
        var members: [String: Member] = [:]
        var looked: Set<String> = []
    }
}

private protocol List {
    static var elementShape: Shape { get }
}

extension Array: List where Element: Decodable {
    static var elementShape: Shape { TypeShape.shape(of: Element.self) }
}

private protocol MayBeNull {
    static var valueShape: Shape { get }
    static var null: Self { get }
}

extension Nullable: MayBeNull {
    static var valueShape: Shape { TypeShape.shape(of: Value.self) }
    static var null: Self { .none }
}

private protocol StringChoice {
    static var rawValues: [String] { get }
}

extension StringChoice where Self: CaseIterable & RawRepresentable, RawValue == String {
    static var rawValues: [String] { allCases.map(\.rawValue) }
}

extension AIGenerateTask: StringChoice {}
extension AssetState: StringChoice {}
extension AssetHolder.Kind: StringChoice {}
extension AssetRightsState: StringChoice {}
extension ContentPlatform: StringChoice {}
extension ContentKind: StringChoice {}
extension SearchField: StringChoice {}
extension SearchHitType: StringChoice {}
extension ContentStatus: StringChoice {}
extension ContentCompleteness: StringChoice {}
extension ImageShape: StringChoice {}
extension VideoScriptType: StringChoice {}
extension RunState: StringChoice {}
extension CopyGenerationItem.Status: StringChoice {}
extension CopyRules.Emoji: StringChoice {}
extension ComplianceFinding.Severity: StringChoice {}
extension ComplianceFinding.Action: StringChoice {}
extension BudgetPeriod: StringChoice {}
extension BudgetScope: StringChoice {}
extension SpendingHold.State: StringChoice {}
extension VersionSource.Kind: StringChoice {}
extension ContentBulkRequest.Action: StringChoice {}
extension ContentBulkJob.State: StringChoice {}
extension ContentFieldDiff.Change: StringChoice {}
extension ContentTextRun.Kind: StringChoice {}
extension MaterialKind: StringChoice {}
extension TenantJobState: StringChoice {}
extension MaterialStatus: StringChoice {}
extension MaterialChanged.Action: StringChoice {}
extension NewMaterialOutcome.Outcome: StringChoice {}
extension MediaJobType: StringChoice {}
extension MediaJobStatus: StringChoice {}
extension MediaPriority: StringChoice {}
extension MediaOutputKind: StringChoice {}
extension MediaProfile: StringChoice {}
extension MediaPictureFormat: StringChoice {}
extension MediaCorner: StringChoice {}
extension MediaSubtitleMode: StringChoice {}
extension AssetCueForm: StringChoice {}
extension ContentMedia.Status: StringChoice {}
extension DouyinVideoFinding.Severity: StringChoice {}

private struct NoteTaker: Decoder {
    let notes: TypeShape.Notes
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(MemberNotes<Key>(notes: notes))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw unsupported("a bare list") }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { throw unsupported("a bare value") }
}

private func unsupported(_ what: String) -> any Error {
    DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "\(what) has no members"))
}

/// `contains` is asked first for whatever may be absent; that is how an optional member is told from a required one.
private struct MemberNotes<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let notes: TypeShape.Notes
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { [] }

    func contains(_ key: Key) -> Bool {
        notes.looked.insert(key.stringValue)
        return true
    }

    func decodeNil(forKey key: Key) -> Bool { false }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        let required = !notes.looked.contains(key.stringValue)
        notes.members[key.stringValue] = Member(shape: TypeShape.shape(of: type), required: required)
        return try sample(type)
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
        throw unsupported("a nested container")
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw unsupported("a nested list") }
    func superDecoder() throws -> any Decoder { throw unsupported("a super decoder") }
    func superDecoder(forKey key: Key) throws -> any Decoder { throw unsupported("a super decoder") }

    /// Any value of the type will do: only the questions matter.
    private func sample<T: Decodable>(_ type: T.Type) throws -> T {
        let candidates: [Any] = [
            "", false, 0, Int64(0), Double(0), UUID(), Date(timeIntervalSince1970: 0),
            EmbeddingsRequestInput.text(""), EmbeddingsVector.base64(""), JSONValue.null,
            OneOrMany.one(""),
        ]
        if let value = candidates.lazy.compactMap({ $0 as? T }).first { return value }
        if let value = (type as? any MayBeNull.Type)?.null as? T { return value }
        if let choice = type as? any CaseIterable.Type, let value = choice.first as? T { return value }
        if type is any List.Type { return try JSONDecoder().decode(type, from: Data("[]".utf8)) }
        return try T(from: NoteTaker(notes: TypeShape.Notes()))
    }
}

extension CaseIterable {
    fileprivate static var first: Any? { allCases.first }
}
