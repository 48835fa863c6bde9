import ConcurrencySupport
import ConfigReading
import Cryptography
import DTO
import Foundation
import HTTPCalling
import HTTPCore
import HTTPServing
import Lifecycle
import Observability
import TestSupport
import Testing

@testable import OrchestrationService

/// The image service over a real connection, and what each of its answers means for the bill.
@Suite struct ImageServiceTests {
    static let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 1, 2, 3]

    private struct Played {
        var service: OpenAIImageService
        var requests: Locked<[Request]>
    }

    /// An image service that answers as `handler` says.
    private func withService(
        _ handler: @escaping Handler, _ body: @escaping @Sendable (Played) async throws -> Void
    ) async throws {
        let requests = Locked<[Request]>([])
        let recording: Handler = { request in
            requests.withLock { $0.append(request) }
            return try await handler(request)
        }
        var router = Router()
        router.on(.post, "/v1/images/generations", recording)
        router.on(.get, "/pictures/{name}", recording)
        try await LiveServer.serving(router) { server in
            let http = HTTPClient()
            var reader = EnvironmentReader([
                "IMAGE_BASE_URL": "http://127.0.0.1:\(server.port)/v1", "IMAGE_API_KEY": "sk-image",
            ])
            let settings = try #require(ImageServiceSettings(from: &reader))
            try reader.finish()
            let service = OpenAIImageService(settings: settings, http: http, tracer: Tracer(service: "test"))
            let result: Result<Void, any Error>
            do { result = .success(try await body(Played(service: service, requests: requests))) } catch {
                result = .failure(error)
            }
            await http.shutdown()
            try result.get()
        }
    }

    @Test func asksForOnePictureAndReadsBothForms() async throws {
        try await withService({ request in
            if request.path == "/pictures/1.png" {
                return Response(.ok, headers: ["Content-Type": "x/y"], body: .bytes(Self.png))
            }
            let body = try request.json()
            #expect(request.headers["Authorization"] == "Bearer sk-image")
            #expect(body["model"]?.string == "gpt-image-1")
            #expect(body["n"]?.int == 1)
            #expect(body["response_format"] == nil)
            let host = request.headers["Host"] ?? ""
            return body["prompt"]?.string == "inline"
                ? .json(bytes: Array(#"{"data": [{"b64_json": "\#(Base64.encode(Self.png))"}]}"#.utf8))
                : .json(bytes: Array(#"{"data": [{"url": "http://\#(host)/pictures/1.png"}]}"#.utf8))
        }) { played in
            let picture = try #require(Picture(Self.png))
            #expect(picture.type == .png)
            #expect(try await played.service.generate("inline", shape: .portrait) == .picture(picture))
            guard case .address(let address) = try await played.service.generate("linked", shape: .landscape) else {
                return #expect(Bool(false), "no address")
            }
            #expect(try await played.service.fetch(address) == picture)
            let sizes = try played.requests.withLock {
                try $0.filter { $0.method == .post }.map { try $0.json()["size"]?.string }
            }
            #expect(sizes == ["1024x1536", "1536x1024"])
            // Nobody but the service itself gets the key.
            #expect(played.requests.withLock { $0.filter { $0.method == .get }.map { $0.headers["Authorization"] } } == [nil])
        }
    }

    @Test(arguments: [
        (400, #"{"error": {"code": "content_policy_violation"}}"#, ImageFailure.Kind.policy),
        (400, #"{"error": {"code": "moderation_blocked", "type": "image_generation_user_error"}}"#, .policy),
        (400, #"{"error": {"code": null, "message": "bad size"}}"#, .rejected), (422, "", .rejected), (401, "{}", .misconfigured),
        (403, "{}", .misconfigured), (404, "{}", .misconfigured), (402, "{}", .misconfigured),
        (429, #"{"error": {"code": "insufficient_quota"}}"#, .misconfigured),
        (429, #"{"error": {"code": "rate_limit_exceeded"}}"#, .busy), (429, "", .busy),
        (500, #"{"error": {"type": "server_error"}}"#, .unavailable),
        (503, #"{"error": {"code": "server_is_overloaded"}}"#, .unavailable),
        // A page from something between us and the service tells nothing about the picture.
        (500, "", .unconfirmed), (502, "<html>Bad Gateway</html>", .unconfirmed), (504, "", .unconfirmed),
        (408, "{}", .unconfirmed),
        (302, "", .unconfirmed), (201, "{}", .unconfirmed),
        (200, "", .unusable), (200, "{}", .unusable), (200, #"{"data": []}"#, .unusable), (200, #"{"data": [{}]}"#, .unusable),
        (200, #"{"data": [{"b64_json": "PGh0bWw+"}]}"#, .unusable), (200, #"{"data": [{"b64_json": "%%%"}]}"#, .unusable),
        (200, #"{"data": [{"b64_json": ""#, .unusable),
    ]) func everyAnswerHasItsMeaning(status: Int, body: String, kind: ImageFailure.Kind) async throws {
        try await withService({ _ in Response(HTTPStatus(status), body: .bytes(Array(body.utf8))) }) { played in
            let failure = await #expect(throws: ImageFailure.self) {
                try await played.service.generate("p", shape: .square)
            }
            #expect(failure?.kind == kind)
            // Never a second time by itself: that is for who knows what was paid.
            #expect(played.requests.withLock { $0.count } == 1)
        }
    }

    @Test(arguments: [
        (ImageFailure.Kind.busy, ImageFailure.Certainty.notMade), (.unavailable, .notMade), (.policy, .notMade),
        (.rejected, .notMade),
        (.misconfigured, .notMade), (.unconfirmed, .unknown), (.unfetched, .made), (.unusable, .made),
    ]) func whatIsCertain(kind: ImageFailure.Kind, certainty: ImageFailure.Certainty) {
        let failure = ImageFailure(kind, message: "")
        #expect(failure.certainty == certainty)
        #expect(failure.problem.retryable == [.busy, .unavailable, .unfetched].contains(kind))
    }

    @Test func whoNeverConnectedMadeNothing() {
        let refused = HTTPClientError(.connect, requestMayHaveStarted: false, message: "refused")
        #expect(ImageFailure.broken(refused).kind == .unavailable)
        for kind in [HTTPClientError.Kind.reset, .timeout(.firstByte), .timeout(.total), .cancelled, .malformed] {
            let lost = HTTPClientError(kind, requestMayHaveStarted: true, message: "")
            #expect(ImageFailure.broken(lost).kind == .unconfirmed)
        }
    }

    @Test func aHintTravelsOn() async throws {
        try await withService({ _ in Response(.tooManyRequests, headers: ["Retry-After": "7"]) }) { played in
            let failure = await #expect(throws: ImageFailure.self) { try await played.service.generate("p", shape: .square) }
            #expect(failure?.problem.headers["Retry-After"] == "7")
        }
    }

    @Test(arguments: [
        (408, ImageFailure.Kind.unfetched), (429, .unfetched), (500, .unfetched), (503, .unfetched), (301, .unusable),
        (403, .unusable), (404, .unusable), (410, .unusable),
    ]) func anAddressThatDoesNotAnswerJustNowIsNoLostPicture(status: Int, kind: ImageFailure.Kind) {
        let response = ClientResponse(status: HTTPStatus(status), headers: ["Retry-After": "3"], body: [])
        let failure = ImageFailure.withheld(response, secondsSince1970: 0)
        #expect(failure.kind == kind)
        #expect(failure.retryAfter == (kind == .unfetched ? .seconds(3) : nil))
    }

    @Test func onlyPicturesAreFetched() async throws {
        try await withService({ request in
            switch request.path {
            case "/pictures/moved": Response(HTTPStatus(302), headers: ["Location": "/pictures/picture"])
            case "/pictures/picture": Response(.ok, body: .bytes(Self.png))
            case "/pictures/html": Response(.ok, headers: ["Content-Type": "image/png"], body: .bytes(Array("<html>".utf8)))
            case "/pictures/huge": Response(.ok, body: .bytes(Self.png + Array(repeating: 0, count: 8 << 20)))
            default: Response(.notFound)
            }
        }) { played in
            let origin = played.service.settings.baseURL.dropLast("/v1".count)
            for path in ["/pictures/moved", "/pictures/html", "/pictures/huge", "/pictures/gone"] {
                let failure = await #expect(throws: ImageFailure.self) { try await played.service.fetch(origin + path) }
                #expect(failure?.kind == .unusable, "\(path)")
            }
            let before = played.requests.withLock { $0.count }
            for address in ["http://169.254.169.254/latest/meta-data/", "http://localhost:1/", "file:///etc/passwd"] {
                let failure = await #expect(throws: ImageFailure.self) { try await played.service.fetch(address) }
                #expect(failure?.kind == .unusable)
            }
            #expect(played.requests.withLock { $0.count } == before)
            #expect(!played.requests.withLock { $0.contains { $0.path == "/pictures/picture" } })
        }
    }

    @Test func settings() throws {
        var reader = EnvironmentReader([:])
        #expect(ImageServiceSettings(from: &reader) == nil)
        try reader.finish()
        reader = EnvironmentReader(["IMAGE_API_KEY": "k", "IMAGE_SIZE": "portrait=768x1024"])
        let settings = try #require(ImageServiceSettings(from: &reader))
        try reader.finish()
        #expect(settings.baseURL == "https://api.openai.com/v1")
        #expect(settings.model == ImageModel(provider: "openai", name: "gpt-image-1"))
        #expect(settings.sizes == [.portrait: "768x1024", .square: "1024x1024", .landscape: "1536x1024"])
        reader = EnvironmentReader(["IMAGE_SIZE": "round=1x1,square=big", "IMAGE_TIMEOUT": "soon", "IMAGE_BASE_URL": "nowhere"])
        _ = ImageServiceSettings(from: &reader)
        let error = #expect(throws: ConfigurationError.self) { try reader.finish() }
        #expect(Set(error?.problems.map(\.key) ?? []) == ["IMAGE_BASE_URL", "IMAGE_SIZE", "IMAGE_TIMEOUT"])
    }
}
