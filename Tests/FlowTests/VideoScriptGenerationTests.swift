import DTO
import Foundation
import HTTPCalling
import HTTPCore
import PostgresStore
import TestSupport
import Testing

/// Flow `VideoScriptGeneration` over the five real executables, in the types that the services share.
@Suite("VideoScriptGeneration")
struct VideoScriptGenerationTests {
    /// One test for all types, because an account may sign in ten times in five minutes only.
    @Test("every type of script is as long as it was asked for, can be spoken, and is kept")
    func everyType() async throws {
        let stack = try Stack()
        let member = try await stack.member()
        for type in VideoScriptType.allCases {
            let response = try await member.post(
                "/api/video-scripts", VideoScriptGenerationRequest(topic: "周末露营装备", scriptType: type, durationSeconds: 40))
            #expect(response.status == .created, "\(type)")
            let answer = try JSON.decode(VideoScriptGenerationAnswer.self, from: response.body)
            let script = answer.script
            #expect((36...44).contains(script.totalSeconds), "\(type)")
            #expect(script.scenes.reduce(0) { $0 + $1.durationSeconds } == script.totalSeconds, "\(type)")
            #expect(script.scenes.map(\.index) == Array(1...script.scenes.count), "\(type)")
            #expect(script.scenes.allSatisfy { $0.line.count <= 5 * $0.durationSeconds && !$0.visual.isEmpty }, "\(type)")
            let content = try JSON.decode(
                Content.self, from: await member.get("/api/contents/\(answer.contentId.uuidString.lowercased())").body)
            guard case .videoScript(let body) = content.body else {
                #expect(content.kind == .videoScript)
                continue
            }
            #expect(body.scenes == script.scenes, "\(type)")
            #expect(body.scriptType == type && body.durationSeconds == 40, "\(type)")
            let paid = try await stack.rows("AGENT", "SELECT step FROM ai_usage_ledger WHERE operation_id = \(answer.runId)")
            #expect(try paid.map { try $0.decode("step", as: String.self) } == ["video_script"], "\(type)")
        }
    }
}
