import ConcurrencySupport
import DTO
import Foundation
import HTTPCalling
import HTTPCore
import PostgresStore
import TestSupport
import Testing

/// Flow `ImageTextCreation` over the five real executables, in the types that the services share.
@Suite("ImageTextCreation")
struct ImageTextCreationTests {
    @Test("a double click makes one finished content, each picture is paid once and kept")
    func doubleClick() async throws {
        let stack = try Stack()
        let member = try await stack.member()
        let key = UUID().uuidString
        let request = ImageTextGenerationRequest(topic: "阳台种菜的第一步", platform: .xiaohongshu, slots: 2)
        let answers = try await withThrowingTaskGroup(of: ClientResponse.self) { group in
            for _ in 0..<5 {
                group.addTask {
                    var response = try await member.post("/api/image-texts", request, key: key)
                    try await eventually("the answer of the first click") {
                        if response.status == .conflict {
                            response = try await member.post("/api/image-texts", request, key: key)
                        }
                        return response.status != .conflict
                    }
                    return response
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0.status == .created })
        #expect(Set(answers.map(\.body)).count == 1)
        let answer = try JSON.decode(ImageTextGenerationAnswer.self, from: try #require(answers.first).body)
        #expect(answer.completeness == .finished)
        #expect(answer.body.slots.count == 2)
        #expect(answer.body.slots.allSatisfy { $0.assetId != nil && $0.problem == nil })
        let content = try JSON.decode(
            Content.self, from: await member.get("/api/contents/\(answer.contentId.uuidString.lowercased())").body)
        #expect(content.body == .imageText(answer.body))
        #expect(content.version == 2)
        let paid = try await stack.rows(
            "AGENT", "SELECT step FROM ai_usage_ledger WHERE operation_id = \(answer.runId) ORDER BY step")
        #expect(try paid.map { try $0.decode("step", as: String.self) } == ["image:1", "image:2", "image_text"])
        let stranger = try await stack.member("DEMO2")
        for slot in answer.body.slots {
            let id = try #require(slot.assetId).uuidString.lowercased()
            #expect(try await member.get("/api/assets/\(id)/content").headers["Content-Type"] == "image/png")
            #expect(try await stranger.get("/api/assets/\(id)/content").status == .notFound)
        }
    }
}
