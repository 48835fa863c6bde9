import ConcurrencySupport
import DTO
import Foundation
import HTTPCore
import HTTPServing
import Observability
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import OrchestrationService

/// agent-center as it promises to be towards copies: one completion per operation and platform, whatever happens afterwards.
final class CopyWritingCenter: AgentCenter {
    private struct State {
        var completions: [String: CopyWritingAnswer] = [:]
        var requests: [CopyWritingRequest] = []
        var paid: [ContentPlatform] = []
    }
    private let state = Lock(State())
    /// Before a completion is paid for.
    private let before: @Sendable (ContentPlatform) async throws -> Void
    /// Platforms whose text comes from the template.
    private let fromTemplate: Set<ContentPlatform>

    init(
        fromTemplate: Set<ContentPlatform> = [], before: @escaping @Sendable (ContentPlatform) async throws -> Void = { _ in }
    ) {
        self.before = before
        self.fromTemplate = fromTemplate
    }

    var requests: [CopyWritingRequest] { state.withLock { $0.requests } }
    /// One entry per model call.
    var paid: [ContentPlatform] { state.withLock { $0.paid } }

    func writeCopy(_ request: CopyWritingRequest, as principal: Principal) async throws -> CopyWritingAnswer {
        let key = "\(CallContext.current?.operationId?.uuidString ?? "") \(request.platform.rawValue)"
        let known = state.withLock { state in
            state.requests.append(request)
            return state.completions[key]
        }
        if let known { return known }
        try await before(request.platform)
        return state.withLock { state in
            if let known = state.completions[key] { return known }
            var answer = CopyWritingAnswer.sample(request.platform)
            if fromTemplate.contains(request.platform) {
                answer.degraded = true
                answer.degradedReason = "没有可用的模型，内容由模板生成"
            }
            state.paid.append(request.platform)
            state.completions[key] = answer
            return answer
        }
    }

    /// The same over the wire.
    var handler: Handler {
        { request in
            guard request.path == "/v1/copies" else { return try await Upstream.unexpected(request) }
            let answer = try await self.writeCopy(
                try JSON.decode(CopyWritingRequest.self, from: request.body), as: TestContext.principal())
            return try .json(.ok, answer)
        }
    }
}

extension CopyWritingAnswer {
    static func sample(_ platform: ContentPlatform) -> CopyWritingAnswer {
        CopyWritingAnswer(
            copy: CopyText(
                title: CopyRules.of(platform).titleLength == nil ? nil : "猫砂盆怎么选", text: "写给 \(platform.rawValue) 的正文",
                hashtags: ["猫砂盆"], callToAction: "评论区聊聊"),
            findings: [], checks: [TextCheck(rule: "text_length", passed: true, detail: "正文合适")], provider: "deepseek",
            modelName: "deepseek-v4-flash", degraded: false, degradedReason: nil,
            usage: TokenUsage(promptTokens: 300, completionTokens: 90, costNano: "1234567", currency: "CNY"),
            promptVersion: "copy@1", latencyMs: 640)
    }
}

/// content-center over the wire, as ``RememberingContentCenter`` is without one.
extension RememberingContentCenter {
    var handler: Handler {
        { request in
            guard request.method == .post, request.path == "/v1/contents" else { return try await Upstream.unexpected(request) }
            let draft = try await self.saveDraft(
                try JSON.decode(NewContent.self, from: request.body), as: TestContext.principal())
            return try .json(.created, draft)
        }
    }
}

/// Keeps the steps of a run in memory.
final class KeptSteps: RunSteps {
    private let kept = Lock<[String: [UInt8]]>([:])
    let notes = Notes()

    func outcome<Value: Codable & Sendable>(of step: String, as type: Value.Type) throws -> StepOutcome<Value>? {
        guard let bytes = kept.withLock({ $0[step] }) else { return nil }
        return try JSONDecoder().decode(StepOutcome<Value>.self, from: Data(bytes))
    }

    func begin(_ step: String) { notes.add("begin \(step)") }

    func end<Value: Codable & Sendable>(_ step: String, _ outcome: StepOutcome<Value>, contentId: UUID?) throws {
        let bytes = Array(try JSONEncoder().encode(outcome))
        kept.withLock { $0[step] = bytes }
        notes.add("end \(step)")
    }

    func context(_ id: UUID, as principal: Principal = TestContext.principal()) -> RunContext {
        RunContext(
            id: id, principal: principal, steps: self, patience: .init(delays: [.milliseconds(1)], limit: .seconds(20)))
    }
}

extension CopyBrief {
    static func sample(_ platforms: [ContentPlatform]) -> CopyBrief {
        CopyBrief(
            topic: "猫砂盆", platforms: platforms, audience: nil, sellingPoints: [], tone: nil, keywords: [], bannedWords: [],
            callToAction: nil, model: "auto")
    }
}
