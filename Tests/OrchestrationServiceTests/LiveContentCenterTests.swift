import DTO
import Foundation
import HTTPCalling
import HTTPCore
import Observability
import ServiceDefaults
import TestSupport
import Testing

@testable import OrchestrationService

/// What goes over the wire to content-center.
@Suite struct LiveContentCenterTests {
    /// A content-center that refuses members of bodies.
    private struct Refusing {
        let sent = Locked<[JSONValue]>([])
        let center: LiveContentCenter

        init(_ pointer: String, where isRefused: @escaping @Sendable (JSONValue) -> Bool) {
            center = LiveContentCenter(
                client: UpstreamClient(
                    callee: .contentCenter, baseURL: "http://content-center",
                    transport: { [sent] request in
                        guard case .bytes(let bytes) = request.body else { throw CancellationError() }
                        let json = try JSONValue(parsing: bytes)
                        sent.withLock { $0.append(json) }
                        guard !isRefused(json) else {
                            let problem = ProblemBody(
                                title: "字段有误", status: 422, code: "validation.failed",
                                errors: [.init(pointer: pointer, code: "unknown", message: "未知字段")])
                            return ClientResponse(
                                status: .unprocessableContent, headers: ["Content-Type": ProblemBody.mediaType],
                                body: try JSON.encode(problem))
                        }
                        return ClientResponse(
                            status: .created, headers: [:], body: try JSON.encode(LiveContentCenterTests.content))
                    },
                    signer: ContextSigner(
                        service: .orchestrationService, key: TestContext.key(of: .orchestrationService)),
                    tracer: Tracer(service: "test")))
        }
    }

    private static let source = VersionSource.writer("template", model: "template", promptVersion: "copy.douyin@1")
    private static let bodies: [ContentBody] = {
        let brief = TextBrief(
            topic: "猫砂盆", platform: .douyin, audience: nil, sellingPoints: ["无味"], tone: nil, keywords: [], bannedWords: [],
            callToAction: nil, model: "auto"
        ).kept()
        return [
            .titleSet(TitleSetBody(topic: "猫", platform: .douyin, candidates: [], brief: brief)),
            .imageText(
                ImageTextBody(topic: "猫", platform: .douyin, title: "猫", text: "猫", hashtags: [], slots: [], brief: brief)),
        ]
    }()
    private static let content = Content(
        id: UUID(), status: .draft, groupId: nil, version: 1, title: "猫", body: bodies[0], source: source, author: "u",
        createdAt: Date(timeIntervalSince1970: 0), updatedAt: Date(timeIntervalSince1970: 0))

    @Test func aTextThatIsPaidForIsSavedWithoutItsBriefWhereBriefsAreNotKnownYet() async throws {
        for body in Self.bodies {
            let old = Refusing("/body/brief") { $0["body"]?["brief"] != nil }
            _ = try await old.center.saveDraft(
                NewContent(step: "s", title: "猫", body: body, source: Self.source), as: TestContext.principal())
            _ = try await old.center.saveVersion(
                NewVersion(step: "s", body: body, source: Self.source), of: UUID(), ifMatch: "\"1\"", as: TestContext.principal())
            let sent = old.sent.withLock { $0 }
            #expect(sent.map { $0["body"]?["brief"] != nil } == [true, false, true, false])
            #expect(sent.allSatisfy { $0["body"]?["topic"]?.string == "猫" && $0["step"]?.string == "s" })
        }
    }

    @Test func whatIsRefusedForAnotherReasonIsNotSentAgain() async throws {
        let strict = Refusing("/body/topic") { _ in true }
        await #expect(throws: UpstreamProblem.self) {
            _ = try await strict.center.saveDraft(
                NewContent(step: "s", title: "猫", body: Self.bodies[0], source: Self.source), as: TestContext.principal())
        }
        #expect(strict.sent.withLock { $0.count } == 1)
    }
}
