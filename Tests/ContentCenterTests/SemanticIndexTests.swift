import Cryptography
import DTO
import Foundation
import HTTPCore
import HTTPServing
import PostgresStore
import TestSupport
import Testing

@testable import ContentCenter

@Suite struct MeaningVectorTests {
    static func base64(_ numbers: [Float]) -> String {
        Base64.encode(numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * $0)) } })
    }

    @Test func isReadAsVendorsWriteIt() throws {
        let numbers: [Float] = [0.5, -0.25, 1, 0, -3, 2, 1e-20, -1e20]
        let vector = try #require(MeaningVector(base64: Self.base64(numbers)))
        #expect(vector.numbers == numbers)
        #expect(vector.signature == "10110110")
    }

    @Test(arguments: [
        [Float](repeating: 1, count: 7), [Float](repeating: 1, count: 4_097), [Float](repeating: 0, count: 8),
        [1, 2, 3, 4, 5, 6, 7, .nan], [1, 2, 3, 4, 5, 6, 7, .infinity],
    ]) func whatPointsNowhereIsNone(numbers: [Float]) {
        #expect(MeaningVector(base64: Self.base64(numbers)) == nil)
    }

    @Test func cosines() throws {
        func vector(_ numbers: [Float]) throws -> MeaningVector { try #require(MeaningVector(base64: Self.base64(numbers))) }
        let one = try vector([1, 0, 0, 0, 0, 0, 0, 0])
        #expect(one.cosine(with: try vector([9, 0, 0, 0, 0, 0, 0, 0])) == 1)
        #expect(one.cosine(with: try vector([-2, 0, 0, 0, 0, 0, 0, 0])) == -1)
        #expect(one.cosine(with: try vector([0, 5, 0, 0, 0, 0, 0, 0])) == 0)
        #expect(abs(one.cosine(with: try vector([1, 1, 0, 0, 0, 0, 0, 0])) - 0.7071068) < 1e-6)
        // Squares that no float32 holds.
        #expect(one.cosine(with: try vector([1e30, 0, 0, 0, 0, 0, 0, 0])) == 0)
        #expect(one.cosine(with: try vector([1, 0, 0, 0, 0, 0, 0, 0, 0])) == 0)
    }
}

@Suite struct SemanticIndexTests {
    /// Near to its own kind: each subject has an axis.
    private static func vector(_ subject: Int, _ strength: Float = 1) -> String {
        var numbers = [Float](repeating: -0.01, count: 16)
        numbers[subject] = strength
        return MeaningVectorTests.base64(numbers)
    }

    private static func pending(
        _ service: ContentCenterHarness, model: String = "m", limit: Int = 64, tenant: UUID = ContentCenterHarness.tenant
    ) async throws -> [SemanticText] {
        let response = try await service.send(.get, "/v1/search/vectors/pending?model=\(model)&limit=\(limit)", tenant: tenant)
        #expect(response.status == .ok, "\(response.text)")
        return try response.decode(SemanticPending.self).items
    }

    private static func keep(
        _ items: [SemanticVector], _ service: ContentCenterHarness, model: String = "m",
        tenant: UUID = ContentCenterHarness.tenant
    ) async throws {
        let body = try JSON.encode(SemanticVectors(model: model, items: items))
        let response = try await service.send(.put, "/v1/search/vectors", tenant: tenant, body: body)
        #expect(response.status == .noContent, "\(response.text)")
    }

    private static func nearest(
        _ subject: Int, _ service: ContentCenterHarness, model: String = "m", kind: ContentKind? = nil, limit: Int = 10,
        tenant: UUID = ContentCenterHarness.tenant
    ) async throws -> SemanticSearchAnswer {
        let query = SemanticQuery(model: model, vector: vector(subject), kind: kind, limit: limit)
        let response = try await service.send(.post, "/v1/search/semantic", tenant: tenant, body: JSON.encode(query))
        #expect(response.status == .ok, "\(response.text)")
        return try response.decode(SemanticSearchAnswer.self)
    }

    @Test func whatIsMeantIsFound() async throws {
        try await ContentCenterHarness.run { service in
            let cat = try await service.copy("猫砂盆", "再没味道")
            let sun = try await service.copy("防晒霜", "油皮也清爽")
            let both = try await service.copy("阳台上的猫", "晒太阳")
            let texts = try await Self.pending(service)
            #expect(texts.map(\.contentId) == [both.id, sun.id, cat.id])
            #expect(texts[1].text == "防晒霜\n油皮也清爽")
            #expect(try await Self.nearest(0, service).pending == 3)

            var mixed = [Float](repeating: -0.01, count: 16)
            (mixed[0], mixed[1]) = (0.7, 0.7)
            try await Self.keep(
                [
                    SemanticVector(contentId: cat.id, version: 1, vector: Self.vector(0)),
                    SemanticVector(contentId: sun.id, version: 1, vector: Self.vector(1)),
                    SemanticVector(contentId: both.id, version: 1, vector: MeaningVectorTests.base64(mixed)),
                    // Gone meanwhile.
                    SemanticVector(contentId: UUID(), version: 1, vector: Self.vector(2)),
                ], service)
            #expect(try await Self.pending(service).isEmpty)
            let answer = try await Self.nearest(0, service)
            #expect(answer.items.map(\.content.id) == [cat.id, both.id, sun.id])
            #expect(answer.items[0].score == 1_000)
            #expect(answer.pending == 0)
            #expect(try await Self.nearest(1, service, limit: 1).items.map(\.content.id) == [sun.id])
            #expect(try await Self.nearest(1, service, kind: .video).items.isEmpty)
            // Another model's space is another.
            let other = try await Self.nearest(0, service, model: "other")
            #expect(other.items.isEmpty)
            #expect(other.pending == 3)
        }
    }

    /// `provider/model`, each with all the characters that it may have; one more is refused.
    @Test func aModelsFullNameIsTaken() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.copy("猫砂盆", "再没味道")
            let model = String(repeating: "p", count: 64) + "/" + String(repeating: "m", count: 64)
            #expect(try await Self.pending(service, model: model).map(\.contentId) == [content.id])
            let vector = SemanticVector(contentId: content.id, version: 1, vector: Self.vector(0))
            try await Self.keep([vector], service, model: model)
            #expect(try await Self.pending(service, model: model).isEmpty)
            #expect(try await Self.nearest(0, service, model: model).items.map(\.content.id) == [content.id])

            let longer = model + "m"
            let asked = try await service.send(.get, "/v1/search/vectors/pending?model=\(longer)")
            let kept = try await service.send(
                .put, "/v1/search/vectors", body: JSON.encode(SemanticVectors(model: longer, items: [vector])))
            let query = SemanticQuery(model: longer, vector: Self.vector(0), kind: nil, limit: 1)
            let sought = try await service.send(.post, "/v1/search/semantic", body: JSON.encode(query))
            #expect([asked, kept, sought].map(\.status.code) == [422, 422, 422])
        }
    }

    @Test func anEditIsTakenInAnew() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.copy("猫砂盆", "再没味道")
            try await Self.keep([SemanticVector(contentId: content.id, version: 1, vector: Self.vector(0))], service)
            _ = try await service.send(
                .patch, "/v1/contents/\(content.id)", headers: ["If-Match": "\"1\""], body: Array(#"{"title": "防晒霜"}"#.utf8))
            #expect(try await Self.pending(service).map(\.version) == [2])
            try await Self.keep([SemanticVector(contentId: content.id, version: 2, vector: Self.vector(1))], service)
            // Late, and so too old.
            try await Self.keep([SemanticVector(contentId: content.id, version: 1, vector: Self.vector(0))], service)
            #expect(try await Self.nearest(1, service).items.map(\.score) == [1_000])
            // Another model's replaces it whatever its version.
            try await Self.keep(
                [SemanticVector(contentId: content.id, version: 2, vector: Self.vector(3))], service, model: "new")
            #expect(try await Self.nearest(1, service).items.isEmpty)
            #expect(try await Self.nearest(3, service, model: "new").items.count == 1)
        }
    }

    @Test func whatNoModelTakesWaitsNoMore() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.copy("猫砂盆", "再没味道")
            try await Self.keep([SemanticVector(contentId: content.id, version: 1)], service)
            let answer = try await Self.nearest(0, service)
            #expect(answer.items.isEmpty)
            #expect(answer.pending == 0)
        }
    }

    @Test func whatLiesInTheBinIsNotThere() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.copy("猫砂盆", "再没味道")
            try await Self.keep([SemanticVector(contentId: content.id, version: 1, vector: Self.vector(0))], service)
            _ = try await service.send(.delete, "/v1/contents/\(content.id)")
            let answer = try await Self.nearest(0, service)
            #expect(answer.items.isEmpty)
            #expect(answer.pending == 0)
        }
    }

    @Test func tenantsAreApart() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.copy("猫砂盆", "再没味道")
            let stranger = TestContext.otherTenant
            #expect(try await Self.pending(service, tenant: stranger).isEmpty)
            try await Self.keep(
                [SemanticVector(contentId: content.id, version: 1, vector: Self.vector(0))], service, tenant: stranger)
            #expect(try await service.count("search_vectors") == 0)
            try await Self.keep([SemanticVector(contentId: content.id, version: 1, vector: Self.vector(0))], service)
            #expect(try await Self.nearest(0, service, tenant: stranger).items.isEmpty)
        }
    }

    @Test func badVectorsAreRefusedAndNothingIsKept() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.copy("猫砂盆", "再没味道")
            func refused(_ items: String, _ pointer: String) async throws {
                let body = Array(#"{"model": "m", "items": \#(items)}"#.utf8)
                let response = try await service.send(.put, "/v1/search/vectors", body: body)
                #expect(response.status == .unprocessableContent, "\(response.text)")
                #expect(response.text.contains("\"\(pointer)\""), "\(response.text)")
            }
            let good = #"{"contentId": "\#(content.id)", "version": 1, "vector": "\#(Self.vector(0))"}"#
            try await refused("[]", "/items")
            try await refused("[\(good), \(good)]", "/items/1")
            try await refused(#"[\#(good), {"contentId": "\#(UUID())", "version": 1, "vector": "AAAA"}]"#, "/items/1/vector")
            try await refused(#"[{"version": 1, "vector": "\#(Self.vector(0))"}]"#, "/items/0/contentId")
            try await refused(#"[{"contentId": "\#(UUID())", "version": 0, "vector": "\#(Self.vector(0))"}]"#, "/items/0/version")
            #expect(try await service.count("search_vectors") == 0)
        }
    }
}
