import DTO
import Foundation
import HTTPCalling
import HTTPCore
import PostgresStore
import TestSupport
import Testing

/// Flow `CopyGeneration` over the five real executables, in the types that the services share.
@Suite("CopyGeneration")
struct CopyGenerationTests {
    @Test("twenty clicks make one run, one draft and one ledger row per platform")
    func doubleClick() async throws {
        let stack = try Stack()
        let member = try await stack.member()
        let key = UUID().uuidString
        let platforms: [ContentPlatform] = [.douyin, .zhihu, .weibo]
        let request = CopyGenerationRequest(topic: "通勤咖啡怎么选", platforms: platforms, keywords: ["咖啡"])
        let answers = try await withThrowingTaskGroup(of: ClientResponse.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    var response = try await member.post("/api/copies", request, key: key)
                    try await eventually("the answer of the first click", within: .seconds(60)) {
                        if response.status == .conflict { response = try await member.post("/api/copies", request, key: key) }
                        return response.status != .conflict
                    }
                    return response
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0.status == .created })
        #expect(Set(answers.map(\.body)).count == 1)

        let answer = try JSON.decode(CopyGenerationAnswer.self, from: try #require(answers.first).body)
        #expect(answer.items.map(\.platform) == platforms && answer.items.allSatisfy { $0.status == .succeeded })
        #expect(answer.items[2].copy?.title == nil && answer.items[1].copy?.title != nil)
        #expect((answer.items[2].copy?.text.count ?? 0) <= 140)
        let drafts = try await stack.rows(
            "CONTENT", "SELECT content_id FROM content_versions WHERE operation_id = \(answer.groupId)")
        #expect(Set(try drafts.map { try $0.decode("content_id", as: UUID.self) }) == Set(answer.items.compactMap(\.contentId)))
        let ledger = try await stack.rows(
            "AGENT", "SELECT step FROM ai_usage_ledger WHERE operation_id = \(answer.groupId) ORDER BY step")
        #expect(try ledger.map { try $0.decode("step", as: String.self) } == ["copy:douyin", "copy:weibo", "copy:zhihu"])
        let run = try JSON.decode(Run.self, from: try await member.get("/api/runs/\(answer.groupId)").body)
        #expect(run.state == .succeeded && run.contentIds == answer.items.compactMap(\.contentId))
        #expect(try await stack.member("DEMO2").get("/api/runs/\(answer.groupId)").status == .notFound)
    }
}
