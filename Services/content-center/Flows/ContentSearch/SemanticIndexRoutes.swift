import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import ServiceDefaults

struct SemanticIndexRoutes: Sendable {
    /// 64 vectors of 4,096 numbers in base64.
    static let largestBody = 2 << 20

    let index: SemanticIndex

    /// `GET /v1/search/vectors/pending`
    func pending(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: ContentsRoutes.read)
        var query = request.queryReader()
        let model = query.optionalText("model", length: SemanticInput.modelLength)
        let limit = query.integer("limit", in: SemanticInput.batch, default: SemanticInput.batch.upperBound)
        try query.finish()
        guard let model else {
            throw ValidationFailure(pointer: "?model", code: "required", zh: "必填", en: "is required")
        }
        return try .json(.ok, await index.pending(model, limit: limit, of: principal.tenantId))
    }

    /// `PUT /v1/search/vectors`
    func keep(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: ContentsRoutes.write)
        let (vectors, model) = try SemanticInput.vectors(request.json())
        try await index.keep(vectors, model: model, of: principal.tenantId)
        return .noContent
    }

    /// `POST /v1/search/semantic`
    func nearest(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: ContentsRoutes.read)
        return try .json(.ok, await index.nearest(to: SemanticInput.wish(request.json()), of: principal.tenantId))
    }
}

/// The input rules of vectors.
enum SemanticInput {
    /// agent-center's rule: a provider's name and a model's, 64 each at most, and the slash between them.
    static let modelLength = 1...129
    static let batch = 1...64
    /// In base64.
    private static let vectorLength = 1...(MeaningVector.dimensions.upperBound * 4 * 4 / 3 + 4)

    static func wish(_ json: JSONValue) throws -> SemanticWish {
        var fields = FieldReader(json)
        let model = fields.text("model", length: modelLength)
        let vector = vector(in: &fields)
        let kind = fields.optionalChoice("kind", of: ContentKind.self)
        let status = fields.optionalChoice("status", of: ContentStatus.self)
        let limit = fields.integer("limit", in: 1...100)
        try fields.finish()
        guard let vector else { throw InternalFailure() }
        return SemanticWish(model: model, vector: vector, kind: kind, status: status, limit: limit)
    }

    static func vectors(_ json: JSONValue) throws -> (vectors: [KeptVector], model: String) {
        var fields = FieldReader(json)
        let model = fields.text("model", length: modelLength)
        let vectors = fields.objectList("items", minItems: batch.lowerBound, maxItems: batch.upperBound) {
            fields -> KeptVector? in
            let id = fields.optionalUUID("contentId")
            if !fields.has("contentId") { fields.refuse("contentId", code: "required", zh: "必填", en: "is required") }
            let version = fields.integer("version", in: 1...Int(Int32.max))
            let vector = fields.has("vector") ? vector(in: &fields) : nil
            return id.map { KeptVector(contentId: $0, version: version, vector: vector) }
        }
        for (index, kept) in vectors.enumerated() where vectors[..<index].contains(where: { $0?.contentId == kept?.contentId }) {
            fields.refuse("items", item: index, code: "repeated", zh: "与前面的重复", en: "repeats an earlier one")
        }
        try fields.finish()
        return (vectors.compactMap(\.self), model)
    }

    private static func vector(in fields: inout FieldReader) -> MeaningVector? {
        let text = fields.text("vector", length: vectorLength)
        guard !text.isEmpty else { return nil }
        guard let vector = MeaningVector(base64: text) else {
            fields.refuse(
                "vector", code: "malformed", zh: "应为 base64 的小端 float32，8 到 4096 维",
                en: "must be 8 to 4,096 little-endian float32 in base64")
            return nil
        }
        return vector
    }
}
