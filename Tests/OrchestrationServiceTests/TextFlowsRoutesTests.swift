import DTO
import Foundation
import HTTPCore
import HTTPServing
import TestSupport
import Testing

@testable import OrchestrationService

/// `POST /v1/image-texts` and `POST /v1/video-scripts` through the service, with upstreams that the test plays.
@Suite(.timeLimit(.minutes(3))) struct TextFlowsRoutesTests {
    private static let imageTexts = ["image_texts:generate", "contents:write"]
    private static let videoScripts = ["video_scripts:generate", "contents:write"]

    private static let agent: Handler = { request in
        switch request.path {
        case "/v1/image-texts":
            let order = try JSON.decode(ImageTextWritingRequest.self, from: request.body)
            return try .json(.ok, ImageTextWritingAnswer.sample(slots: order.slots))
        case "/v1/video-scripts": return try .json(.ok, VideoScriptWritingAnswer.sample)
        default: return try await Upstream.unexpected(request)
        }
    }

    private static let contents: Handler = { request in
        #expect(request.path == "/v1/contents")
        let draft = try JSON.decode(NewContent.self, from: request.body)
        let content = Content(
            id: UUID(), status: .draft, version: 1, title: draft.title, body: draft.body, source: draft.source, author: "user-1",
            createdAt: Date(), updatedAt: Date())
        return try .json(.created, content)
    }

    @Test func anImageTextIsAnsweredWithItsDraft() async throws {
        try await OrchestrationHarness.run(agentCenter: Self.agent, contentCenter: Self.contents) { service in
            let operation = UUID()
            func create() async throws -> TestResponse {
                try await service.send(
                    .post, "/v1/image-texts", #"{"topic": "猫砂盆", "slots": 2, "platform": "zhihu"}"#, scopes: Self.imageTexts,
                    operation: operation, headers: ["X-Request-Id": "request-0001"])
            }
            let response = try await create()
            #expect(response.status == .created)
            let answer = try response.decode(ImageTextGenerationAnswer.self)
            #expect(response.headers["Location"] == "/api/contents/\(answer.contentId.uuidString.lowercased())")
            #expect(answer.runId == operation)
            #expect(answer.requestId == "request-0001")
            #expect(answer.completeness == .draft)
            #expect(answer.body.slots.map(\.prompt) == ["prompt 1", "prompt 2"])
            #expect(answer.body.platform == .zhihu)
            #expect(try await create().decode(ImageTextGenerationAnswer.self).contentId == answer.contentId)
            let other = try await service.send(
                .post, "/v1/image-texts", #"{"topic": "别的"}"#, scopes: Self.imageTexts, operation: operation)
            #expect(other.status == .conflict)
        }
    }

    /// A script of a quarter of an hour takes a real model longer than the half minute that a call has by default.
    @Test func aVideoScriptHasTheTimeThatItsWriterHas() async throws {
        let milliseconds = Locked<[Int]>([])
        let agent: Handler = { request in
            milliseconds.withLock { $0.append(request.headers["X-Deadline-Ms"].flatMap(Int.init) ?? 0) }
            return try .json(.ok, VideoScriptWritingAnswer.sample)
        }
        try await OrchestrationHarness.run(agentCenter: agent, contentCenter: Self.contents) { service in
            let response = try await service.send(
                .post, "/v1/video-scripts", #"{"topic": "猫砂盆", "scriptType": "vlog", "durationSeconds": 30}"#,
                scopes: Self.videoScripts)
            #expect(response.status == .created)
            #expect(milliseconds.withLock { $0.count == 1 && $0[0] > 110_000 })
        }
    }

    @Test func aVideoScriptIsAnsweredWithItsDraft() async throws {
        try await OrchestrationHarness.run(agentCenter: Self.agent, contentCenter: Self.contents) { service in
            let response = try await service.send(
                .post, "/v1/video-scripts", #"{"topic": "猫砂盆", "scriptType": "live_teaser", "durationSeconds": 10}"#,
                scopes: Self.videoScripts)
            #expect(response.status == .created)
            let answer = try response.decode(VideoScriptGenerationAnswer.self)
            #expect(answer.script == VideoScriptWritingAnswer.sample.script)
            #expect(answer.degraded && answer.provider == "template" && answer.degradedReason == "no_model_configured")
            let run = try await service.send(
                .get, "/v1/runs/\(answer.runId.uuidString.lowercased())", scopes: ["runs:read"])
            #expect(try run.decode(Run.self).contentIds == [answer.contentId])
        }
    }

    @Test func whoDoesNotWaitGetsTheRun() async throws {
        try await OrchestrationHarness.run(agentCenter: Self.agent, contentCenter: Self.contents) { service in
            let response = try await service.send(
                .post, "/v1/image-texts", #"{"topic": "猫砂盆"}"#, scopes: Self.imageTexts, headers: ["Prefer": "respond-async"])
            #expect(response.status == .accepted)
            #expect(response.headers["Preference-Applied"] == "respond-async")
            let accepted = try response.decode(RunAccepted.self)
            #expect(accepted.flow == "ImageTextCreation")
            #expect(response.headers["Location"] == "/api/runs/\(accepted.runId.uuidString.lowercased())")
        }
    }

    @Test(
        arguments: [
            ("image-texts", "{", 400, nil), ("image-texts", #"{}"#, 422, ["/topic"]),
            (
                "image-texts", #"{"topic": " ", "platform": "x", "audience": "", "tone": 1}"#, 422,
                ["/topic", "/platform", "/audience", "/tone"]
            ),
            ("image-texts", #"{"topic": "a", "slots": 0}"#, 422, ["/slots"]),
            ("image-texts", #"{"topic": "a", "slots": 10}"#, 422, ["/slots"]),
            ("image-texts", #"{"topic": "a", "slots": "3"}"#, 422, ["/slots"]),
            ("image-texts", #"{"topic": "a", "imageShape": "round", "imageStyle": ""}"#, 422, ["/imageShape", "/imageStyle"]),
            (
                "image-texts", #"{"topic": "a", "sellingPoints": ["", "b"], "keywords": "c"}"#, 422,
                ["/sellingPoints/0", "/keywords"]
            ),
            ("image-texts", #"{"topic": "a", "callToAction": "\u0007", "model": ""}"#, 422, ["/callToAction", "/model"]),
            ("image-texts", #"{"topic": "a", "count": 3}"#, 422, ["/count"]),
            ("video-scripts", #"{}"#, 422, ["/topic", "/scriptType", "/durationSeconds"]),
            (
                "video-scripts", #"{"topic": "a", "scriptType": "opera", "durationSeconds": 9}"#, 422,
                ["/scriptType", "/durationSeconds"]
            ),
            ("video-scripts", #"{"topic": "a", "scriptType": "vlog", "durationSeconds": 901}"#, 422, ["/durationSeconds"]),
            ("video-scripts", #"{"topic": "a", "scriptType": "vlog", "durationSeconds": 10.5}"#, 422, ["/durationSeconds"]),
            ("video-scripts", #"{"topic": "a", "scriptType": "vlog", "durationSeconds": 30, "slots": 3}"#, 422, ["/slots"]),
        ] as [(String, String, Int, [String]?)])
    func refusesBadInputBeforeAnythingIsCalled(noun: String, body: String, status: Int, pointers: [String]?) async throws {
        try await OrchestrationHarness.run { service in
            let scopes = noun == "image-texts" ? Self.imageTexts : Self.videoScripts
            let response = try await service.send(.post, "/v1/\(noun)", body, scopes: scopes)
            #expect(response.status.code == status)
            if let pointers { #expect(try response.problem().errors?.map(\.pointer) == pointers) }
        }
    }

    @Test(arguments: [
        (#"{}"#, ["/slots"]), (#"{"slots": []}"#, ["/slots"]), (#"{"slots": 1}"#, ["/slots"]),
        (#"{"slots": [0, 1, 1, 10, "2"], "imageShape": "x"}"#, ["/slots/0", "/slots/2", "/slots/3", "/slots/4", "/imageShape"]),
        (#"{"slots": [1], "prompt": "a"}"#, ["/prompt"]),
    ]) func refusesBadOrdersForPictures(body: String, pointers: [String]) async throws {
        try await OrchestrationHarness.run { service in
            let path = "/v1/contents/\(UUID().uuidString.lowercased())/pictures"
            let response = try await service.send(.post, path, body, scopes: Self.imageTexts)
            #expect(response.status == .unprocessableContent)
            #expect(try response.problem().errors?.map(\.pointer) == pointers)
            let offline = try await service.send(.post, path, #"{"slots": [1]}"#, scopes: Self.imageTexts)
            #expect(try offline.problem().code == "image.no_service")
            #expect(try await service.send(.post, "/v1/contents/x/pictures", "{}", scopes: Self.imageTexts).status == .notFound)
        }
    }

    @Test func asksForThePermission() async throws {
        try await OrchestrationHarness.run { service in
            for noun in ["image-texts", "video-scripts"] {
                let response = try await service.send(.post, "/v1/\(noun)", "{}", scopes: ["titles:generate", "contents:write"])
                #expect(response.status == .forbidden)
            }
        }
    }

    @Test func aProblemOfAgentCenterIsTheRuns() async throws {
        let problem = ProblemBody(title: "预算已用完", status: 429, code: "budget.exhausted")
        try await OrchestrationHarness.run(agentCenter: { _ in try .json(.tooManyRequests, problem) }) { service in
            let response = try await service.send(
                .post, "/v1/video-scripts", #"{"topic": "a", "scriptType": "vlog", "durationSeconds": 30}"#,
                scopes: Self.videoScripts)
            #expect(response.status == .tooManyRequests)
            #expect(try response.problem().code == "budget.exhausted")
        }
    }

    @Test(
        arguments: zip(
            ContentPlatform.allCases,
            [ImageShape.portrait, .portrait, .portrait, .portrait, .landscape, .square, .landscape, .landscape]))
    func picturesHaveThePlatformsUsualShape(platform: ContentPlatform, shape: ImageShape) throws {
        func read(_ json: String) throws -> ImageShape {
            try ImageTextCreationInput.read(JSONValue(parsing: Array(json.utf8)), hasImageService: true).imageShape
        }
        #expect(try read(#"{"topic": "a", "platform": "\#(platform.rawValue)"}"#) == shape)
        #expect(try read(#"{"topic": "a", "platform": "\#(platform.rawValue)", "imageShape": "square"}"#) == .square)
    }
}
