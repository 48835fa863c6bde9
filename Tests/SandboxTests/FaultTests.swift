import ConcurrencySupport
import Foundation
import HTTPCalling
import HTTPCore
import TestSupport
import Testing

@testable import Sandbox

/// Every fault of the list, as a client sees it. The outcomes are typed by hand.
@Suite struct FaultTests {
    private typealias Client = SandboxClient

    @Test(arguments: [
        (1, 400, nil as String?), (2, 400, "context_length_exceeded"), (3, 400, "content_policy_violation"),
        (4, 401, "invalid_api_key"),
        (5, 402, nil), (6, 403, "unsupported_country_region_territory"), (7, 404, "model_not_found"), (8, 408, nil),
        (9, 409, nil),
        (10, 422, nil), (11, 429, "rate_limit_exceeded"), (12, 429, "rate_limit_exceeded"), (13, 429, "rate_limit_exceeded"),
        (14, 429, "insufficient_quota"), (15, 500, nil), (17, 503, "server_is_overloaded"), (18, 529, nil), (45, 400, nil),
        (46, 503, "server_is_overloaded"),
    ])
    func refusals(number: Int, status: Int, code: String?) async throws {
        try await Client.with { client in
            let answer = try await client.http.send(client.chat(Client.openAI, fault: "\(number)"))
            #expect(answer.status.code == status)
            let error = try #require(try Client.object(answer.body)["error"] as? [String: Any])
            #expect(error["message"] is String)
            #expect(error.keys.sorted() == ["code", "message", "param", "type"])
            if let code { #expect(error["code"] as? String == code) }
        }
    }

    @Test func retryHints() async throws {
        try await Client.with { client in
            let seconds = try await client.http.send(client.chat(Client.openAI, fault: "rate-limit-seconds;retryAfterSeconds=7"))
            #expect(seconds.headers["Retry-After"] == "7")
            let date = try await client.http.send(client.chat(Client.openAI, fault: "rate-limit-date;retryAfterSeconds=90"))
            #expect(date.headers["Retry-After"]?.hasSuffix(" GMT") == true)
            let wait = RetryAfter.parse(date.headers, secondsSince1970: Date().timeIntervalSince1970)
            #expect((.seconds(80)...(.seconds(90))).contains(wait ?? .zero))
            let none = try await client.http.send(client.chat(Client.openAI, fault: "rate-limit-no-hint"))
            #expect(none.headers["Retry-After"] == nil)
            let html = try await client.http.send(client.chat(Client.openAI, fault: "bad-gateway-html"))
            #expect(html.status == .badGateway)
            #expect(html.headers["Content-Type"] == "text/html")
        }
    }

    private func failure(_ client: SandboxClient, _ request: ClientRequest) async throws -> HTTPClientError {
        var caught: (any Error)?
        do { _ = try await client.http.send(request) } catch { caught = error }
        return try #require(caught as? HTTPClientError)
    }

    @Test func resetAndSilence() async throws {
        try await Client.with { client in
            let reset = try await failure(client, client.chat(Client.openAI, fault: "reset-before-headers"))
            #expect(reset.kind == .reset)
            var request = try client.chat(Client.openAI, fault: "never-answer")
            request.timeouts.firstByte = .milliseconds(200)
            let silent = try await failure(client, request)
            #expect(silent.kind == .timeout(.firstByte))
            try await eventually("the log says that the client left") {
                try await client.log().last?["clientClosedEarly"] as? Bool == true
            }
        }
    }

    /// What a stream looks like under a fault, apart from the text.
    struct Expectation: Sendable, CustomTestStringConvertible {
        var fault: String
        var finishReasons = ["stop"]
        var isDone = true
        var failure: HTTPClientError.Kind?
        var malformed = 0
        var comments = 0
        var hasError = false
        var testDescription: String { fault }
    }

    @Test(arguments: [
        Expectation(fault: "none"), Expectation(fault: "slow-first-token;firstTokenDelayMs=80"),
        Expectation(fault: "cut-mid-stream", finishReasons: [], isDone: false, failure: .reset),
        Expectation(fault: "cut-mid-stream;reset=true", finishReasons: [], isDone: false, failure: .reset),
        Expectation(fault: "cut-mid-stream-clean", finishReasons: [], isDone: false),
        Expectation(fault: "stall-mid-stream;stallMs=80"),
        Expectation(fault: "stall-mid-stream", finishReasons: [], isDone: false, failure: .timeout(.idle)),
        Expectation(fault: "malformed-chunk", malformed: 1), Expectation(fault: "no-done", isDone: false),
        Expectation(fault: "duplicate-finish", finishReasons: ["stop", "stop"]),
        Expectation(fault: "error-event", finishReasons: [], isDone: false, hasError: true),
        Expectation(fault: "keep-alive-comments;forMs=60;intervalMs=20", comments: 3),
        Expectation(fault: "blank-lines-first;forMs=60;intervalMs=20"), Expectation(fault: "blank-content"),
        Expectation(fault: "insufficient-system-resource", finishReasons: ["insufficient_system_resource"]),
        Expectation(fault: "length-cut-json", finishReasons: ["length"]),
        Expectation(fault: "content-filter", finishReasons: ["content_filter"]), Expectation(fault: "split-bytes"),
        Expectation(fault: "crlf"), Expectation(fault: "one-byte-writes"), Expectation(fault: "gzip"),
        Expectation(fault: "huge-chunk"), Expectation(fault: "slow-drip;tokenGapMs=2"), Expectation(fault: "half-close"),
        Expectation(fault: "stale-connection"), Expectation(fault: "usage-missing"),
    ])
    func streams(expected: Expectation) async throws {
        try await Client.with { client in
            var request = try client.chat(Client.openAI, ["stream": true], fault: expected.fault)
            request.timeouts.idle = .milliseconds(expected.failure == .timeout(.idle) ? 200 : 10_000)
            let stream = try await client.stream(request)
            #expect(stream.finishReasons == expected.finishReasons)
            #expect(stream.isDone == expected.isDone)
            #expect(stream.failure?.kind == expected.failure)
            #expect(stream.malformed == expected.malformed)
            #expect(stream.comments == expected.comments)
            #expect((stream.error != nil) == expected.hasError)
            let isWhole = expected.finishReasons.first == "stop"
            if expected.fault == "blank-content" {
                #expect(stream.content.allSatisfy { $0.isWhitespace })
            } else if isWhole {
                let plain = try await client.stream(client.chat(Client.openAI, ["stream": true]))
                #expect(stream.content.drop(while: \.isWhitespace) == plain.content[...])
            }
        }
    }

    @Test(arguments: [
        "split-bytes", "crlf", "one-byte-writes", "gzip", "blank-lines-first;forMs=40;intervalMs=20", "none", "half-close",
    ])
    func onePieceAnswersSurviveOddTransport(fault: String) async throws {
        try await Client.with { client in
            let plain = try await client.http.send(client.chat(Client.deepSeek))
            let odd = try await client.http.send(client.chat(Client.deepSeek, fault: fault))
            #expect(try Client.content(odd) == Client.content(plain))
        }
    }

    @Test func onePieceAnswersThatAreNone() async throws {
        try await Client.with { client in
            #expect(try await failure(client, client.chat(Client.openAI, fault: "cut-mid-stream")).kind == .reset)
            var stalled = try client.chat(Client.openAI, fault: "stall-mid-stream")
            stalled.timeouts.idle = .milliseconds(150)
            #expect(try await failure(client, stalled).kind == .timeout(.idle))
            for fault in ["malformed-body", "malformed-chunk"] {
                let answer = try await client.http.send(client.chat(Client.openAI, fault: fault))
                #expect(answer.status == .ok)
                #expect(throws: (any Error).self) { try JSONSerialization.jsonObject(with: Data(answer.body)) }
            }
            let broken = try await client.http.send(client.chat(Client.openAI, fault: "broken-json"))
            #expect(throws: (any Error).self) { try Client.object(Array(Client.content(broken).utf8)) }
            let wrong = try await client.http.send(client.chat(Client.openAI, fault: "wrong-schema"))
            #expect(try Client.object(Array(Client.content(wrong).utf8))["titles"] == nil)
            let other = try await client.http.send(client.chat(Client.openAI, fault: "other-model"))
            #expect(try Client.object(other.body)["model"] as? String == "gpt-3.5-turbo-0125")
            let uncounted = try await client.http.send(client.chat(Client.openAI, fault: "usage-missing"))
            #expect(try Client.object(uncounted.body)["usage"] == nil)
        }
    }

    @Test func usageStandsWhereTheFaultPutsIt() async throws {
        try await Client.with { client in
            for path in [Client.openAI, Client.deepSeek] {
                let finish = try await client.stream(client.chat(path, ["stream": true], fault: "usage-in-finish-chunk"))
                #expect(finish.usageChunkHasChoices == true)
                let own = try await client.stream(client.chat(path, ["stream": true], fault: "usage-chunk-then-done"))
                #expect(own.usageChunkHasChoices == false)
                let missing = try await client.stream(client.chat(path, ["stream": true], fault: "usage-missing"))
                #expect(missing.usage == nil)
            }
        }
    }

    @Test func toolFaults() async throws {
        let tools = [["type": "function", "function": ["name": "lookup", "parameters": ["type": "object"]]]]
        try await Client.with { client in
            func call(_ fault: String) async throws -> [String: String] {
                let answer = try await client.http.send(client.chat(Client.openAI, ["tools": tools], fault: fault))
                let message = try Client.choice(answer)["message"] as? [String: Any]
                return try #require((message?["tool_calls"] as? [[String: Any]])?.first?["function"] as? [String: String])
            }
            let broken = try await call("invalid-tool-arguments")
            #expect(throws: (any Error).self) { try Client.object(Array((broken["arguments"] ?? "").utf8)) }
            let unknown = try await call("unknown-tool")
            #expect(unknown["name"] == "no_such_tool")
            let first = try await call("endless-tool-call")
            let second = try await call("endless-tool-call")
            #expect(first == second)
            let stream = try await client.stream(
                client.chat(Client.openAI, ["tools": tools, "stream": true], fault: "interleaved-tool-calls"))
            let indexes = stream.toolPieces.compactMap { $0["index"] as? Int }
            #expect(indexes.prefix(4) == [0, 1, 0, 1])
            #expect(stream.finishReasons == ["tool_calls"])
        }
    }

    @Test func staleConnections() async throws {
        try await Client.with { client in
            _ = try await client.http.send(client.chat(Client.openAI, fault: "stale-connection;resetOnReuse=true"))
            let error = try await failure(client, client.chat(Client.openAI))
            #expect(error.kind == .reset)
            #expect(error.requestMayHaveStarted)
            let next = try await client.http.send(client.chat(Client.openAI))
            #expect(next.status == .ok)
        }
    }

    @Test func concurrencyLimit() async throws {
        try await Client.with { client in
            _ = try await client.control("config", ["fault": "concurrency-limit", "limit": 2, "match": "limited"])
            let messages = [["role": "user", "content": "limited"]]
            let held = try client.chat(Client.openAI, fault: "never-answer")
            let holders = (0..<2).map { _ in Task { _ = try await client.http.send(held) } }
            try await eventually("two are in flight") { try await client.log().count == 2 }
            let third = try await client.http.send(client.chat(Client.openAI, ["messages": messages]))
            #expect(third.status == .tooManyRequests)
            for holder in holders {
                holder.cancel()
                _ = await holder.result
            }
            try await eventually("both have left") {
                try await client.log().prefix(2).allSatisfy { $0["clientClosedEarly"] as? Bool == true }
            }
            let fourth = try await client.http.send(client.chat(Client.openAI, ["messages": messages]))
            #expect(fourth.status == .ok)
        }
    }

    @Test func aCancelledCallIsSeenAtOnce() async throws {
        try await Client.with { client in
            let request = try client.chat(Client.deepSeek, ["stream": true], fault: "slow-drip;tokenGapMs=60000")
            let task = Task { _ = try await client.stream(request) }
            try await eventually("the call is in the log") { try await client.log().count == 1 }
            try await Task.sleep(for: .milliseconds(50))
            task.cancel()
            _ = try? await task.value
            try await eventually("the log says that the client left") {
                let attempt = try await client.log()[0]
                return attempt["clientClosedEarly"] as? Bool == true && (attempt["clientClosedAfterMs"] as? Int ?? 60_000) < 5_000
            }
        }
    }
}
