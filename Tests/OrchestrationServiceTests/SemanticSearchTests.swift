import ConcurrencySupport
import DTO
import Foundation
import HTTPCore
import HTTPServing
import Messaging
import Observability
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import OrchestrationService

/// agent-center and content-center as far as searching by meaning needs them.
private final class Desk: AgentCenter, ContentCenter {
    struct State {
        var waiting: [SemanticText] = []
        var kept: [SemanticVector] = []
        var asked: [[String]] = []
        var model = "m"
        var failure: (any Error & Sendable)?
        /// Happens while vectors are being made.
        var meanwhile: (@Sendable () async throws -> Void)?
    }

    let state = Lock(State())

    init(waiting count: Int = 0) {
        state.withLock {
            $0.waiting = (0..<count).map { SemanticText(contentId: UUID(), version: 1, text: "第 \($0) 篇") }
        }
    }

    func embed(_ texts: [String], as principal: Principal) async throws -> TextVectors {
        let (failure, meanwhile, model) = state.withLock { state in
            state.asked.append(texts)
            return (state.failure, state.meanwhile, state.model)
        }
        if let failure { throw failure }
        if texts.contains(where: { $0.contains("违规") }) {
            throw UpstreamProblem(
                callee: .agentCenter, status: .unprocessableContent,
                body: ProblemBody(title: "", status: 422, code: "content_policy_violation"))
        }
        try await meanwhile?()
        return TextVectors(model: model, vectors: texts.map { "vector of \($0)" })
    }

    func nearest(to query: SemanticQuery, as principal: Principal) async throws -> SemanticSearchAnswer {
        SemanticSearchAnswer(items: [], model: query.model, pending: state.withLock { $0.waiting.count })
    }

    func pendingTexts(for model: String, limit: Int, as principal: Principal) async throws -> SemanticPending {
        SemanticPending(items: state.withLock { Array($0.waiting.prefix(limit)) })
    }

    func keep(_ vectors: SemanticVectors, as principal: Principal) async throws {
        state.withLock { state in
            state.kept += vectors.items
            let ids = Set(vectors.items.map(\.contentId))
            state.waiting.removeAll { ids.contains($0.contentId) }
        }
    }
}

@Suite(.timeLimit(.minutes(3))) struct SemanticSearchTests {
    private struct Flow {
        var desk: Desk
        var tenants: SemanticTenantsStore
        var database: TestDatabase

        var search: SemanticSearch { SemanticSearch(tenants: tenants, agentCenter: desk, contentCenter: desk) }
        var indexing: SemanticIndexing {
            SemanticIndexing(tenants: tenants, agentCenter: desk, contentCenter: desk, logger: .silent)
        }

        func find() async throws -> SemanticSearchAnswer {
            let request = SemanticSearchRequest(text: "不晒黑", kind: nil, status: nil, limit: 5)
            return try await search.search(request, as: TestContext.principal())
        }

        func isDue() async throws -> Bool {
            try await database.superuser.query("SELECT count(*) AS n FROM semantic_tenants WHERE due_at <= app_now()").only
                .decode("n", as: Int.self) > 0
        }
    }

    private static func with(waiting count: Int = 0, _ body: @escaping @Sendable (Flow) async throws -> Void) async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            try await body(
                Flow(
                    desk: Desk(waiting: count), tenants: SemanticTenantsStore(app: database.app, system: database.system),
                    database: database))
        }
    }

    @Test func theFirstSearchHasTheContentsTakenIn() async throws {
        try await Self.with(waiting: 70) { flow in
            // Nobody has searched yet: a change is of no interest and costs nothing.
            let isOfInterest = try await flow.tenants.noteChange(of: TestContext.tenant)
            #expect(!isOfInterest)
            #expect(try await !flow.indexing.takeIn())

            #expect(try await flow.find().pending == 70)
            #expect(try await flow.indexing.takeIn())
            let state = flow.desk.state.withLock { $0 }
            #expect(state.kept.count == 70)
            #expect(state.kept.allSatisfy { $0.vector?.hasPrefix("vector of 第") == true })
            #expect(state.asked.map(\.count) == [1, 32, 32, 6])
            #expect(try await !flow.indexing.takeIn())
            // With everything there a search has nothing to do but to answer.
            #expect(try await flow.find().pending == 0)
            #expect(try await !flow.isDue())
            #expect(try await flow.tenants.noteChange(of: TestContext.tenant))
            #expect(try await flow.isDue())
        }
    }

    @Test func whatComesMeanwhileIsNotForgotten() async throws {
        try await Self.with(waiting: 1) { flow in
            _ = try await flow.find()
            flow.desk.state.withLock { state in
                state.meanwhile = { _ = try await flow.tenants.noteChange(of: TestContext.tenant) }
            }
            #expect(try await flow.indexing.takeIn())
            #expect(try await flow.isDue())
        }
    }

    @Test func whatFailsIsTriedAgainLater() async throws {
        let problem = UpstreamProblem(
            callee: .agentCenter, status: .serviceUnavailable,
            body: ProblemBody(
                type: "about:blank", title: "", status: 503, code: "embeddings.not_configured", requestId: "", retryable: false))
        for (failure, seconds) in [(problem as any Error & Sendable, 600), (UpstreamTimeout(callee: .agentCenter), 15)] {
            try await Self.with(waiting: 1) { flow in
                _ = try await flow.find()
                flow.desk.state.withLock { $0.failure = failure }
                #expect(try await flow.indexing.takeIn())
                #expect(try await !flow.isDue())
                let wait: Double = try await flow.database.superuser.query(
                    "SELECT extract(epoch FROM due_at - app_now())::float8 AS wait FROM semantic_tenants"
                ).only.decode("wait")
                #expect(wait > Double(seconds) - 10 && wait <= Double(seconds))
                #expect(flow.desk.state.withLock { $0.kept.count } == 0)
            }
        }
    }

    @Test func vectorsOfAnotherModelAreNotMixedIn() async throws {
        try await Self.with(waiting: 1) { flow in
            _ = try await flow.find()
            flow.desk.state.withLock { $0.model = "another" }
            #expect(try await flow.indexing.takeIn())
            #expect(flow.desk.state.withLock { $0.kept.count } == 0)
            // The next search names it.
            #expect(try await flow.find().model == "another")
            #expect(try await flow.isDue())
            #expect(try await flow.indexing.takeIn())
            #expect(flow.desk.state.withLock { $0.kept.count } == 1)
        }
    }

    @Test func oneTextThatIsRefusedKeepsNobodyWaiting() async throws {
        try await Self.with(waiting: 31) { flow in
            let refused = SemanticText(contentId: UUID(), version: 3, text: "违规")
            flow.desk.state.withLock { $0.waiting.insert(refused, at: 20) }
            _ = try await flow.find()
            #expect(try await flow.indexing.takeIn())
            let kept = flow.desk.state.withLock { $0.kept }
            #expect(kept.count == 32)
            #expect(kept.filter { $0.vector == nil } == [SemanticVector(contentId: refused.contentId, version: 3)])
            #expect(try await !flow.isDue())
        }
    }

    @Test func twoWorkersDoNotDoTheSame() async throws {
        try await Self.with(waiting: 1) { flow in
            _ = try await flow.find()
            #expect(try await flow.tenants.claim()?.tenantId == TestContext.tenant)
            #expect(try await flow.tenants.claim() == nil)
        }
    }

    // MARK: The route

    @Test func asksForBothPermissionsAndAQuestion() async throws {
        try await OrchestrationHarness.run { service in
            for (target, scopes, status) in [
                ("/v1/search/semantic?q=a", ["contents:read"], HTTPStatus.forbidden),
                ("/v1/search/semantic?q=a", ["ai:generate"], .forbidden),
                ("/v1/search/semantic", ["contents:read", "ai:generate"], .unprocessableContent),
                ("/v1/search/semantic?q=a&limit=0", ["contents:read", "ai:generate"], .unprocessableContent),
            ] {
                let answer = try await service.send(.get, target, scopes: scopes)
                #expect(answer.status == status, "\(target)")
            }
        }
    }

    @Test func passesVectorsOnAsTheyCome() async throws {
        let vector = "AACAPwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
        try await OrchestrationHarness.run(
            agentCenter: { request in
                #expect(request.path == "/v1/embeddings")
                let asked = try JSON.decode(EmbeddingsRequest.self, from: request.body)
                #expect(asked.input == .texts(["不晒黑"]))
                #expect(asked.encodingFormat == "base64")
                return try .json(
                    .ok,
                    EmbeddingsAnswer(
                        data: [EmbeddingsItem(index: 0, embedding: .base64(vector))], model: "m",
                        usage: EmbeddingsUsage(promptTokens: 3, totalTokens: 3, cachedInputs: 0)))
            },
            contentCenter: { request in
                guard request.path == "/v1/search/semantic" else { return try .json(.ok, SemanticPending(items: [])) }
                let query = try JSON.decode(SemanticQuery.self, from: request.body)
                #expect(query == SemanticQuery(model: "m", vector: vector, kind: .copy, limit: 3))
                return try .json(.ok, SemanticSearchAnswer(items: [], model: "m", pending: 2))
            }
        ) { service in
            let answer = try await service.send(
                .get, "/v1/search/semantic?q=%E4%B8%8D%E6%99%92%E9%BB%91&kind=copy&limit=3",
                scopes: ["contents:read", "ai:generate"])
            #expect(answer.status == .ok)
            #expect(try JSON.decode(SemanticSearchAnswer.self, from: answer.body).pending == 2)
        }
    }
}
