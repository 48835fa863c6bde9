import ConcurrencySupport
import DTO
import Foundation
import Observability
import ServiceDefaults
import Testing

@testable import OrchestrationService

/// A call that no test expected is a failure of the test, not an answer.
struct Unexpected: Error {
    init(_ call: String, _ location: SourceLocation = #_sourceLocation) {
        Issue.record("unexpected call of \(call)", sourceLocation: location)
    }
}

/// What a double does not play is not expected.
extension AgentCenter {
    func writeTitles(_ request: TitleWritingRequest, as principal: Principal) async throws -> TitleWritingAnswer {
        throw Unexpected("agent-center POST /v1/titles")
    }

    func writeCopy(_ request: CopyWritingRequest, as principal: Principal) async throws -> CopyWritingAnswer {
        throw Unexpected("agent-center POST /v1/copies")
    }

    func writeImageText(_ request: ImageTextWritingRequest, as principal: Principal) async throws -> ImageTextWritingAnswer {
        throw Unexpected("agent-center POST /v1/image-texts")
    }

    func writeVideoScript(_ request: VideoScriptWritingRequest, as principal: Principal) async throws -> VideoScriptWritingAnswer
    {
        throw Unexpected("agent-center POST /v1/video-scripts")
    }

    func embed(_ texts: [String], as principal: Principal) async throws -> TextVectors {
        throw Unexpected("agent-center POST /v1/embeddings")
    }
}

extension ContentCenter {
    func saveDraft(_ draft: NewContent, as principal: Principal) async throws -> Content {
        throw Unexpected("content-center POST /v1/contents")
    }

    func content(_ id: UUID, as principal: Principal) async throws -> Content {
        throw Unexpected("content-center GET /v1/contents/{id}")
    }

    func saveVersion(_ version: NewVersion, of id: UUID, ifMatch: String, as principal: Principal) async throws -> Content {
        throw Unexpected("content-center POST /v1/contents/{id}/versions")
    }

    func nearest(to query: SemanticQuery, as principal: Principal) async throws -> SemanticSearchAnswer {
        throw Unexpected("content-center POST /v1/search/semantic")
    }

    func pendingTexts(for model: String, limit: Int, as principal: Principal) async throws -> SemanticPending {
        throw Unexpected("content-center GET /v1/search/vectors/pending")
    }

    func keep(_ vectors: SemanticVectors, as principal: Principal) async throws {
        throw Unexpected("content-center PUT /v1/search/vectors")
    }
}

struct UnimplementedAgentCenter: AgentCenter {}

struct UnimplementedContentCenter: ContentCenter {}

struct UnimplementedVocabularies: TenantVocabularies {
    func vocabulary(of tenantId: UUID) async throws -> TenantVocabulary { throw Unexpected("tenant vocabulary") }
}

struct FixedVocabularies: TenantVocabularies {
    var brandWords: [String] = []
    var bannedWords: [String] = []

    func vocabulary(of tenantId: UUID) async throws -> TenantVocabulary {
        TenantVocabulary(brandWords: brandWords, bannedWords: bannedWords)
    }
}

/// agent-center as it promises to be: one model call per operation, whatever happens afterwards.
final class RememberingAgentCenter: AgentCenter {
    private struct State {
        var answers: [UUID: TitleWritingAnswer] = [:]
        var modelCalls = 0
        var requests: [TitleWritingRequest] = []
        var deadlines: [ContinuousClock.Instant?] = []
    }
    private let state = Lock(State())
    private let answer: TitleWritingAnswer

    init(answer: TitleWritingAnswer = .sample()) { self.answer = answer }

    var modelCalls: Int { state.withLock { $0.modelCalls } }
    var requests: [TitleWritingRequest] { state.withLock { $0.requests } }
    var deadlines: [ContinuousClock.Instant?] { state.withLock { $0.deadlines } }

    func writeTitles(_ request: TitleWritingRequest, as principal: Principal) async throws -> TitleWritingAnswer {
        let operation = CallContext.current?.operationId
        return state.withLock { state in
            state.requests.append(request)
            state.deadlines.append(CallContext.current?.deadline)
            if let operation, let known = state.answers[operation] { return known }
            state.modelCalls += 1
            if let operation { state.answers[operation] = answer }
            return answer
        }
    }
}

struct FailingAgentCenter: AgentCenter {
    let error: any Error & Sendable

    func writeTitles(_ request: TitleWritingRequest, as principal: Principal) async throws -> TitleWritingAnswer { throw error }
}

/// content-center as it promises to be: one draft per operation and step. Refuses the first `failures` calls with `error`.
final class RememberingContentCenter: ContentCenter {
    private struct State {
        var failures: Int
        var drafts: [String: Content] = [:]
        var saved: [NewContent] = []
        var deadlines: [ContinuousClock.Instant?] = []
    }
    private let state: Lock<State>
    private let error: any Error & Sendable

    init(failures: Int = 0, with error: any Error & Sendable = CancellationError()) {
        state = Lock(State(failures: failures))
        self.error = error
    }

    var saved: [NewContent] { state.withLock { $0.saved } }
    var deadlines: [ContinuousClock.Instant?] { state.withLock { $0.deadlines } }

    func saveDraft(_ draft: NewContent, as principal: Principal) async throws -> Content {
        let operation = CallContext.current?.operationId
        return try state.withLock { state in
            state.deadlines.append(CallContext.current?.deadline)
            if state.failures > 0 {
                state.failures -= 1
                throw error
            }
            let key = "\(operation?.uuidString ?? UUID().uuidString) \(draft.step)"
            if let known = state.drafts[key] { return known }
            state.saved.append(draft)
            let content = Content(
                id: UUID(), status: .draft, groupId: draft.groupId, version: 1, title: draft.title, body: draft.body,
                source: draft.source,
                author: principal.subject, createdAt: Date(), updatedAt: Date())
            state.drafts[key] = content
            return content
        }
    }
}

extension TitleWritingAnswer {
    static func sample(provider: String = "deepseek", degraded: Bool = false) -> TitleWritingAnswer {
        TitleWritingAnswer(
            candidates: [
                TitleCandidate(title: "猫砂盆这样选，家里再没味道", score: 88, reasons: ["长度合适（13/30）"], formula: "benefit"),
                TitleCandidate(title: "3 个细节看懂猫砂盆", score: 81, reasons: ["含数字"], formula: "number"),
            ],
            provider: provider, modelName: provider == "template" ? "template" : "deepseek-v4-flash", degraded: degraded,
            degradedReason: degraded ? "no_model_configured" : nil,
            usage: TokenUsage(promptTokens: 300, completionTokens: 90, costNano: "1234567", currency: "CNY"),
            promptVersion: "title.douyin@1", latencyMs: 640)
    }
}
