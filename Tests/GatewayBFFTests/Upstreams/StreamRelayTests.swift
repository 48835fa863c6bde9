import ConcurrencySupport
import DTO
import Foundation
import HTTPCore
import HTTPServing
import Observability
import ServiceDefaults
import TestSupport
import Testing

@testable import GatewayBFF

/// A raw model call on its way through the gateway, before an upstream that the test plays.
@Suite("Streams through the gateway")
struct StreamRelayTests {
    private static func client(
        _ gateway: GatewayHarness, _ login: LoginAnswer, face: PublicRoute.Face = .platform
    ) -> InProcessClient {
        let route = PublicRoute(
            method: .post, path: "/relayed", flow: "AIGeneration", access: .member(.callModels),
            target: .upstream(.agentCenter, path: "/v1/relayed"), rateClass: .generate, isModelCall: true, face: face)
        let runtime = gateway.runtime
        let forwarding = Forwarding(upstream: runtime.upstream)
        let member = Member(
            tenantId: login.tenantId, subject: "u", roles: [], permissions: [.callModels], expiresAt: .distantFuture)
        var router = Router(entrance: .publicCalls, logger: .silent, metrics: MetricsRegistry(), tracer: runtime.tracer)
        let forward: Handler = {
            try await forwarding.forward($0, member: member, to: .agentCenter, path: TargetPath("/v1/relayed"), route: route)
        }
        router.on(route.method, route.path, options: route.options, face == .openAI ? OpenAIEnvelope.around(forward) : forward)
        return InProcessClient(router)
    }

    private static let json: HTTPHeaders = ["Content-Type": "application/json"]

    private struct Broken: Error {}

    @Test("pass piece by piece, before they are complete")
    func pieces() async throws {
        let second = OneShot<Void>()
        let upstream: Handler = { _ in
            Response(
                .ok, headers: ["Content-Type": "text/event-stream"],
                body: .stream { writer in
                    try await writer.write(Array("event: delta\ndata: 一\n\n".utf8))
                    try await second.value()
                    try await writer.write(Array("event: done\ndata: {}\n\n".utf8))
                })
        }
        try await GatewayHarness.run(upstream: upstream) { gateway in
            let client = Self.client(gateway, try await gateway.signIn())
            let stream = try await client.open(.post, "/relayed", headers: Self.json, body: Array("{}".utf8))
            #expect(stream.headers["Content-Type"] == "text/event-stream")
            #expect(try await stream.read(until: "一\n\n") == "event: delta\ndata: 一\n\n")
            second.succeed()
            #expect(try await stream.read(until: "{}\n\n") == "event: done\ndata: {}\n\n")
            #expect(try await stream.read() == nil)
        }
    }

    @Test("that break off say so and do not end properly", arguments: [PublicRoute.Face.platform, .openAI])
    func broken(face: PublicRoute.Face) async throws {
        let upstream: Handler = { _ in
            Response(
                .ok, headers: ["Content-Type": "text/event-stream"],
                body: .stream { writer in
                    try await writer.write(Array("data: 一半".utf8))
                    throw Broken()
                })
        }
        try await GatewayHarness.run(upstream: upstream) { gateway in
            let client = Self.client(gateway, try await gateway.signIn(), face: face)
            let stream = try await client.open(.post, "/relayed", headers: Self.json, body: Array("{}".utf8))
            let last = face == .openAI ? "\n\ndata: {\"error\":{" : "\n\nevent: error\ndata: {"
            let text = try await stream.read(until: "upstream.stream_broken")
            #expect(text.hasPrefix("data: 一半" + last) && !text.contains("[DONE]"))
            await #expect(throws: TruncatedAnswer.self) {
                while try await stream.read() != nil {}
            }
        }
    }

    @Test("end at the service when the client leaves")
    func clientLeaves() async throws {
        let cancelled = OneShot<Void>()
        let upstream: Handler = { _ in
            Response(
                .ok, headers: ["Content-Type": "text/event-stream"],
                body: .stream { writer in
                    try await writer.write(Array("data: 1\n\n".utf8))
                    await withTaskCancellationHandler {
                        _ = try? await cancelled.value(onCancel: {})
                    } onCancel: {
                        cancelled.succeed()
                    }
                })
        }
        try await GatewayHarness.run(upstream: upstream) { gateway in
            let client = Self.client(gateway, try await gateway.signIn())
            let stream = try await client.open(.post, "/relayed", headers: Self.json, body: Array("{}".utf8))
            _ = try await stream.read(until: "1\n\n")
            stream.close()
            try await eventually { cancelled.isCompleted }
        }
    }

    @Test("failures before the stream have the face's form and keep their status and Retry-After")
    func failures() async throws {
        let upstream: Handler = { request in
            .problem(TooManyRequests(retryAfter: .seconds(7)), for: request)
        }
        try await GatewayHarness.run(upstream: upstream) { gateway in
            let login = try await gateway.signIn()
            let platform = try await Self.client(gateway, login).send(.post, "/relayed", headers: Self.json, body: [0x7B, 0x7D])
            #expect(platform.status == .tooManyRequests && platform.headers["Retry-After"] == "7")
            #expect(try platform.problem().instance == "/relayed")
            let openAI = try await Self.client(gateway, login, face: .openAI)
                .send(.post, "/relayed", headers: Self.json, body: [0x7B, 0x7D])
            #expect(openAI.status == .tooManyRequests && openAI.headers["Retry-After"] == "7")
            let error = try JSONValue(parsing: openAI.body)["error"]
            #expect(error?["type"]?.string == "rate_limit_exceeded")
            #expect(error?["message"]?.string?.isEmpty == false && error?["param"] == .null)
        }
    }
}
