import ConcurrencySupport
import DTO
import Foundation
import HTTPCore
import HTTPServing
import TestSupport
import Testing

@testable import GatewayBFF

/// What OpenAI's clients meet at `/api/openai/v1/…`, before an upstream that the test plays.
@Suite("OpenAI's face")
struct OpenAIFaceTests {
    private static func key(_ gateway: GatewayHarness, scopes: [String]) async throws -> HTTPHeaders {
        let login = try await gateway.signIn()
        let body: JSONValue = ["name": "sdk", "scopes": .array(scopes.map { .string($0) })]
        let created = try await gateway.client.send(
            .post, "/api/api-keys", headers: gateway.bearer(login, ["Content-Type": "application/json"]), body: body.encode())
        let key = try #require(created.decode(CreatedAPIKey.self).key)
        return ["Authorization": "Bearer \(key)", "Content-Type": "application/json"]
    }

    private static func error(_ response: TestResponse) throws -> OpenAIError {
        #expect(response.headers["Content-Type"] == "application/json")
        return try response.decode(OpenAIErrorBody.self).error
    }

    @Test("takes a tenant's key with the scope, and hands body and answer on untouched")
    func passes() async throws {
        let answer = #"{"object":"list","data":[],"extra": 1}"#
        try await GatewayHarness.run(upstream: { _ in .json(bytes: Array(answer.utf8)) }) { gateway in
            let headers = try await Self.key(gateway, scopes: ["ai:generate"])
            let question = Array(#"{"model":"auto", "input":"甲"}"#.utf8)
            let response = try await gateway.client.send(.post, "/api/openai/v1/embeddings", headers: headers, body: question)
            #expect(response.status == .ok && response.text == answer)
            let call = try #require(gateway.calls.all.last)
            #expect(call.path == "/v1/embeddings" && call.body == question)
            #expect((call.headers["X-Deadline-Ms"].flatMap(Int.init) ?? 0) > 50_000)
            #expect(try await gateway.client.send(.get, "/api/openai/v1/models", headers: headers).text == answer)
            _ = try await gateway.client.send(.get, "/api/openai/v1/models/openai%2Fgpt-4o-mini", headers: headers)
            #expect(gateway.calls.all.last?.path == "/v1/models/openai%2Fgpt-4o-mini")
        }
    }

    @Test("refuses in OpenAI's words: no key, another scope")
    func refuses() async throws {
        try await GatewayHarness.run { gateway in
            let headers = try await Self.key(gateway, scopes: ["contents:read"])
            for (method, path) in [(HTTPMethod.post, "embeddings"), (.get, "models"), (.get, "models/auto")] {
                let unknown = try await gateway.client.send(
                    method, "/api/openai/v1/\(path)", headers: ["Authorization": "Bearer dmk_nobody"], body: [])
                #expect(unknown.status == .unauthorized)
                #expect(try Self.error(unknown).code == .value("invalid_api_key"))
                #expect(try Self.error(unknown).message.hasPrefix("API 密钥无效"))
                let forbidden = try await gateway.client.send(method, "/api/openai/v1/\(path)", headers: headers, body: [])
                #expect(forbidden.status == .forbidden)
                #expect(try Self.error(forbidden).code == .value("auth.permission_missing"))
            }
            #expect(gateway.calls.all.isEmpty)
        }
    }

    @Test("tells of a refused field by 400, its name and why")
    func field() async throws {
        let upstream: Handler = { request in
            .problem(
                ValidationFailure(pointer: "/input/3", code: "too_short", zh: "不能为空", en: "must not be empty"), for: request)
        }
        try await GatewayHarness.run(upstream: upstream) { gateway in
            let headers = try await Self.key(gateway, scopes: ["ai:generate"])
            let response = try await gateway.client.send(.post, "/api/openai/v1/embeddings", headers: headers, body: [])
            #expect(response.status == .badRequest)
            let error = try Self.error(response)
            #expect(error.type == "invalid_request_error" && error.param == .value("input/3"))
            #expect(error.code == .value("too_short") && error.message.contains("不能为空"))
        }
    }

    @Test("says once what is wrong with a body that is no JSON")
    func malformed() async throws {
        let upstream: Handler = { request in
            do {
                _ = try request.json()
                return Response(.ok)
            } catch let failure as any HTTPFailure {
                return .problem(failure, for: request)
            }
        }
        try await GatewayHarness.run(upstream: upstream) { gateway in
            let headers = try await Self.key(gateway, scopes: ["ai:generate"])
            for (body, param) in [("not json", Nullable<String>.none), (#"{"input": nope}"#, .value("input"))] {
                let response = try await gateway.client.send(
                    .post, "/api/openai/v1/embeddings", headers: headers, body: Array(body.utf8))
                #expect(response.status == .badRequest)
                let error = try Self.error(response)
                #expect(error.message.components(separatedBy: "字节处").count == 2, "\(error.message)")
                #expect(error.param == param && error.type == "invalid_request_error", "\(error)")
            }
        }
    }

    @Test("refuses in OpenAI's words also what reaches no route, and only where its clients call")
    func refusesBeforeAnyRoute() async throws {
        try await GatewayHarness.run { gateway in
            let headers = try await Self.key(gateway, scopes: ["ai:generate"])
            let (large, long) = ([UInt8](repeating: 0x20, count: (2 << 20) + 1), String(repeating: "x", count: 8))
            let cases: [(HTTPMethod, String, [UInt8], HTTPStatus, String)] = [
                (.post, "/api/openai/v1/completions", [], .notFound, "not_found"),
                (.get, "/api/openai/nowhere", [], .notFound, "not_found"),
                (.get, "/api/openai/v1/embeddings", [], .methodNotAllowed, "method_not_allowed"),
                (.delete, "/api/openai/v1/chat/completions", [], .methodNotAllowed, "method_not_allowed"),
                (.post, "/api/openai/v1/embeddings", large, .contentTooLarge, "request.too_large"),
                (.post, "/api/openai/v1/chat/completions", large, .contentTooLarge, "request.too_large"),
                (.get, "/api/openai/v1/models?%FF=1", [], .badRequest, "malformed"),
            ]
            for (method, path, body, status, code) in cases {
                var named = headers
                named["X-Request-Id"] = "request-\(long)"
                let response = try await gateway.client.send(method, path, headers: named, body: body)
                #expect(response.status == status, "\(method) \(path): \(response.text)")
                let error = try Self.error(response)
                #expect(error.code == .value(code) && error.type == "invalid_request_error" && !error.message.isEmpty, "\(path)")
                #expect(response.headers["X-Request-Id"] == "request-\(long)")
                #expect((response.headers["Allow"] != nil) == (status == .methodNotAllowed))
            }
            for path in ["/api/nowhere", "/api/openaix/v1/models"] {
                let elsewhere = try await gateway.client.send(.get, path, headers: headers)
                #expect(try elsewhere.problem().code == "not_found")
            }
            #expect(gateway.calls.all.isEmpty)
        }
    }

    @Test("tells of the end of the time, of a fault of its own and of headers too long in the same words")
    func faults() async throws {
        struct Fault: Error {}
        var router = Router(entrance: .publicCalls, refusing: OpenAIEnvelope.refusal)
        let never = OneShot<Void>()
        router.on(.get, "/api/openai/v1/slow", options: RouteOptions(deadline: .milliseconds(20))) { _ in
            try await never.value()
            return Response(.ok)
        }
        router.on(.get, "/api/openai/v1/broken") { _ in throw Fault() }
        router.on(.get, "/api/openai/v1/stopped") { _ in throw CancellationError() }
        let client = InProcessClient(router.handler)
        let cases: [(String, HTTPStatus, String)] = [
            ("slow", .gatewayTimeout, "server_error"), ("broken", .internalServerError, "server_error"),
            ("stopped", .serviceUnavailable, "service_unavailable_error"),
        ]
        for (path, status, type) in cases {
            let response = try await client.send(.get, "/api/openai/v1/\(path)", headers: [:])
            #expect(response.status == status, "\(path): \(response.text)")
            #expect(try Self.error(response).type == type)
            #expect((response.headers["Retry-After"] != nil) == (status == .serviceUnavailable), "\(path)")
            #expect(response.headers["X-Request-Id"] != nil)
        }
        let long = OpenAIEnvelope.refusal(of: HeaderFieldsTooLarge(), Request(.get, "/api/openai/v1/models"))
        #expect(long.status == .headerFieldsTooLarge && long.headers["Content-Type"] == "application/json")
    }

    @Test("passes a long answer on as it comes; one that breaks off does not end properly")
    func long() async throws {
        let second = OneShot<Void>()
        let upstream: Handler = { _ in
            Response(
                headers: ["Content-Type": "application/json"],
                body: .stream { writer in
                    try await writer.write(Array(#"{"data":["#.utf8))
                    try await second.value()
                    throw CancellationError()
                })
        }
        try await GatewayHarness.run(upstream: upstream) { gateway in
            let headers = try await Self.key(gateway, scopes: ["ai:generate"])
            let stream = try await gateway.client.open(.post, "/api/openai/v1/embeddings", headers: headers, body: [])
            #expect(stream.status == .ok && stream.headers["Content-Type"] == "application/json")
            #expect(try await stream.read(until: "[") == #"{"data":["#)
            second.succeed()
            await #expect(throws: TruncatedAnswer.self) {
                while try await stream.read() != nil {}
            }
        }
    }
}
