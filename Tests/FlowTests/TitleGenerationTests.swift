import ConcurrencySupport
import DTO
import Foundation
import HTTPCalling
import HTTPCore
import PostgresStore
import TestSupport
import Testing

/// Flow `TitleGeneration` over the five real executables, in the types that the services share.
@Suite("TitleGeneration")
struct TitleGenerationTests {
    @Test("a double click makes one draft, one ledger row and one activity row, and every click gets the same answer")
    func doubleClick() async throws {
        let stack = try Stack()
        let member = try await stack.member()
        let key = UUID().uuidString
        let request = TitleGenerationRequest(topic: "通勤咖啡怎么选", platform: .xiaohongshu, count: 4)
        let answers = try await withThrowingTaskGroup(of: ClientResponse.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    // 409 says that the first click is still being worked on: come again.
                    var response = try await member.post("/api/titles", request, key: key)
                    try await eventually("the answer of the first click") {
                        if response.status == .conflict { response = try await member.post("/api/titles", request, key: key) }
                        return response.status != .conflict
                    }
                    return response
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0.status == .created })
        #expect(Set(answers.map(\.body)).count == 1)
        #expect(answers.filter { $0.headers["Idempotent-Replayed"] == nil }.count == 1)

        let answer = try JSON.decode(TitleGenerationAnswer.self, from: try #require(answers.first).body)
        #expect(answer.candidates.count == 4)
        #expect(answer.candidates.allSatisfy { (1...20).contains($0.title.count) && !$0.reasons.isEmpty })
        let operation: UUID = try #require(
            try await stack.rows("GATEWAY", "SELECT operation_id FROM idempotency_keys WHERE key = \(key)").first
        ).decode("operation_id")
        let drafts = try await stack.rows("CONTENT", "SELECT content_id FROM content_versions WHERE operation_id = \(operation)")
        #expect(try drafts.map { try $0.decode("content_id", as: UUID.self) } == [answer.contentId])
        #expect(try await stack.rows("AGENT", "SELECT 1 FROM ai_usage_ledger WHERE operation_id = \(operation)").count == 1)
        try await eventually("the activity row") {
            try await stack.rows("ORCHESTRATION", "SELECT 1 FROM content_activity WHERE content_id = \(answer.contentId)").count
                == 1
        }
    }

    @Test("a draft is nobody else's")
    func foreignDraft() async throws {
        let stack = try Stack()
        let response = try await stack.member().post("/api/titles", TitleGenerationRequest(topic: "露营装备清单"))
        let location = try #require(response.headers["Location"])
        #expect(try await stack.member().get(location).status == .ok)
        #expect(try await stack.member("DEMO2").get(location).status == .notFound)
        #expect(try await stack.member("DEMO2").get(location + "/versions").status == .notFound)
    }
}
