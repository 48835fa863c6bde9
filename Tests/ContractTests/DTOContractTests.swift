import DTO
import Foundation
import HTTPCore
import TestSupport
import Testing

/// The types that stand in a document, by their schema's name.
private let documentedTypes = [
    DocumentedTypes.common, DocumentedTypes.flows, DocumentedTypes.imageTextsAndScripts, DocumentedTypes.copies,
    DocumentedTypes.models, DocumentedTypes.prompts, DocumentedTypes.contents,
    DocumentedTypes.writers, DocumentedTypes.assets, DocumentedTypes.search, DocumentedTypes.materials, DocumentedTypes.accounts,
    DocumentedTypes.tenantLife,
    DocumentedTypes.media,
]
.reduce(into: [:]) { $0.merge($1) { first, _ in first } }

/// Documented, but no DTO: written by health checks and the key set, or a choice that stands inside others.
private let withoutType: Set = [
    "JWKS", "Readiness", "ContentPlatform", "ContentKind", "ContentStatus", "ContentCompleteness", "ContentBody", "NewDraftBody",
    "VideoScriptType", "RunState", "ImageShape", "BudgetPeriod", "BudgetScope", "SpendingHoldState",
    "EmbeddingsRequestInput", "EmbeddingsVector", "AssetState", "AssetRightsState", "MaterialKind", "MaterialStatus",
    "TenantJobState", "MediaJobType", "MediaJobStatus", "MediaPriority", "MediaOutputKind", "SearchField",
]

@Suite(.apartFromThePool) struct DTOContractTests {
    @Test(arguments: documentedTypes.keys.sorted())
    func everyTypeIsDocumentedAsItIs(name: String) throws {
        let documented = try DocumentShape(schemas: Documents().schemas()).members(of: name)
        let typed = try members(of: #require(documentedTypes[name]))
        #expect(differences(document: documented, code: typed) == [])
    }

    @Test func everySchemaHasAType() throws {
        #expect(try Set(Documents().schemas().keys) == Set(documentedTypes.keys).union(withoutType))
    }

    @Test func aWrongDocumentIsNoticed() throws {
        var schemas = try Documents().schemas()
        schemas["TokenUsage"] = [
            "required": ["promptTokens", "completionTokens", "costNano", "currency"],
            "properties": [
                "promptTokens": ["type": "string"], "completionTokens": ["type": "integer"], "costNano": ["type": "string"],
                "currency": ["type": "string"], "colour": ["type": "string"],
            ],
        ]
        let documented = try DocumentShape(schemas: schemas).members(of: "TokenUsage")
        #expect(
            differences(document: documented, code: try members(of: TokenUsage.self)) == [
                "colour (string, optional) is documented but not in the type",
                "promptTokens is documented as string, typed as integer",
            ])
    }

    /// Every example file, read as its type and written again, is the same JSON.
    @Test(arguments: try Documents.examples(where: { $0 != "CloudEvent" }))
    func everyExampleSurvivesItsType(file: String) throws {
        let bytes = try Documents.example(file)
        let type = try #require(documentedTypes[Documents.typeName(ofExample: file)], "\(file) is an example of no known type")
        #expect(try sortedJSON(rewrite(bytes, as: type)) == sortedJSON(bytes))
    }

    private func members(of type: any (Codable & Sendable).Type) throws -> [String: Member] {
        func open<T: Codable & Sendable>(_ type: T.Type) throws -> [String: Member] { try TypeShape.members(of: type) }
        return try open(type).mapValues { Member(shape: published($0.shape), required: $0.required) }
    }

    /// A type's name in the documents.
    private func published(_ shape: Shape) -> Shape {
        switch shape {
        case .object("ProblemBody.FieldError"), .object("FlowProblem.Field"): .object("FieldError")
        case .array(let element): .array(published(element))
        default: shape
        }
    }

    private func rewrite(_ bytes: [UInt8], as type: any (Codable & Sendable).Type) throws -> [UInt8] {
        func open<T: Codable & Sendable>(_ type: T.Type) throws -> [UInt8] { try JSON.encode(JSON.decode(type, from: bytes)) }
        return try open(type)
    }
}
