import ConfigReading
import HTTPCalling
import HTTPCore
import HTTPServing
import Observability
import TestSupport
import Testing

@testable import ContentCenter

/// The recogniser over a real connection, and what each of its answers means.
@Suite struct SpeechRecognitionTests {
    private static func withService(
        model: String = "whisper-1", _ handler: @escaping Handler,
        _ body: @escaping @Sendable (SpeechRecognition, Locked<[Request]>) async throws -> Void
    ) async throws {
        let requests = Locked<[Request]>([])
        var router = Router()
        router.on(.post, "/v1/audio/transcriptions") { request in
            requests.withLock { $0.append(request) }
            return try await handler(request)
        }
        try await LiveServer.serving(router) { server in
            let http = HTTPClient()
            var reader = EnvironmentReader([
                "ASR_BASE_URL": "http://127.0.0.1:\(server.port)/v1", "ASR_API_KEY": "sk-asr", "ASR_MODEL": model,
            ])
            let settings = try #require(SpeechRecognitionSettings(from: &reader))
            try reader.finish()
            let service = SpeechRecognition(settings: settings, http: http, tracer: Tracer(service: "test"))
            let result: Result<Void, any Error>
            do { result = .success(try await body(service, requests)) } catch { result = .failure(error) }
            await http.shutdown()
            try result.get()
        }
    }

    private static func json(_ status: HTTPStatus, _ text: String) -> Response {
        Response(status, headers: ["Content-Type": "application/json"], body: .bytes(Array(text.utf8)))
    }

    private static func hear(_ service: SpeechRecognition) async throws -> Transcript {
        try await service.transcribe(
            [1, 2, 3], filename: "sound.m4a", mediaType: "audio/mp4", language: "zh", durationMilliseconds: 6_000)
    }

    @Test func sendsTheFileAndReadsTheTimes() async throws {
        let answer =
            #"{"task":"transcribe","language":"chinese","duration":6.0,"text":"你好。再见。","#
            + #""segments":[{"id":0,"start":0.0,"end":1.25,"text":"你好。"},{"id":1,"start":1.25,"end":2.5,"text":"再见。"}]}"#
        try await Self.withService({ _ in Self.json(.ok, answer) }) { service, requests in
            #expect(
                try await Self.hear(service)
                    == Transcript(
                        language: "chinese",
                        segments: [
                            .init(startMilliseconds: 0, endMilliseconds: 1_250, text: "你好。"),
                            .init(startMilliseconds: 1_250, endMilliseconds: 2_500, text: "再见。"),
                        ]))
            let request = try #require(requests.withLock { $0.first })
            #expect(request.headers["Authorization"] == "Bearer sk-asr")
            let body = String(decoding: request.body, as: UTF8.self)
            for field in ["whisper-1", "verbose_json", "zh", "filename=\"sound.m4a\"", "audio/mp4", "普通话"] {
                #expect(body.contains(field), "\(field)")
            }
        }
    }

    @Test func aModelWithoutTimesIsNotAskedForThem() async throws {
        try await Self.withService(model: "gpt-4o-transcribe", { _ in Self.json(.ok, #"{"text":"你好。"}"#) }) {
            service, requests in
            let transcript = try await Self.hear(service)
            #expect(transcript.segments == [.init(startMilliseconds: 0, endMilliseconds: 6_000, text: "你好。")])
            let request = try #require(requests.withLock { $0.first })
            #expect(!String(decoding: request.body, as: UTF8.self).contains("verbose_json"))
        }
    }

    @Test func silenceIsNoFailure() async throws {
        try await Self.withService({ _ in Self.json(.ok, #"{"text":"","segments":[]}"#) }) { service, _ in
            let transcript = try await Self.hear(service)
            #expect(transcript.segments.isEmpty)
        }
    }

    @Test(arguments: [
        (HTTPStatus.ok, "<html>", SpeechFailure.Kind.unusable), (.ok, #"{"segments":[]}"#, .unusable),
        (.ok, #"{"text":"a","segments":[{"start":2,"end":1,"text":"a"}]}"#, .unusable),
        (.ok, #"{"text":"a","segments":[{"start":0,"end":1e300,"text":"a"}]}"#, .unusable),
        (.badRequest, #"{"error":{"message":"format","type":"invalid_request_error"}}"#, .rejected),
        (.unauthorized, "{}", .misconfigured), (.notFound, "{}", .misconfigured),
        (.tooManyRequests, #"{"error":{"code":"insufficient_quota"}}"#, .misconfigured),
        (.tooManyRequests, #"{"error":{"code":"rate_limit_exceeded"}}"#, .unavailable),
        (.serviceUnavailable, "", .unavailable), (.internalServerError, "", .unavailable),
    ]) func everyOtherAnswerHasItsMeaning(status: HTTPStatus, body: String, kind: SpeechFailure.Kind) async throws {
        try await Self.withService({ _ in Self.json(status, body) }) { service, _ in
            let failure = await #expect(throws: SpeechFailure.self) { try await Self.hear(service) }
            #expect(failure?.kind == kind)
            #expect(failure?.description.contains("sk-asr") == false)
        }
    }

    @Test func whatIsTooLargeIsNotSent() async throws {
        try await Self.withService({ _ in Self.json(.ok, "{}") }) { service, requests in
            let failure = await #expect(throws: SpeechFailure.self) {
                try await service.transcribe(
                    [UInt8](repeating: 0, count: SpeechRecognition.largestFile + 1), filename: "a.m4a", mediaType: "audio/mp4",
                    language: nil, durationMilliseconds: 1)
            }
            #expect(failure?.kind == .rejected)
            let sent = requests.withLock { $0.count }
            #expect(sent == 0)
        }
    }

    @Test func isOffUnlessItIsSet() throws {
        var reader = EnvironmentReader([:])
        #expect(SpeechRecognitionSettings(from: &reader) == nil)
        try reader.finish()
    }
}
