import Cryptography
import Foundation
import HTTPCalling
import HTTPCore
import TestSupport
import Testing

@testable import Sandbox

/// Pictures, and the texts of the flows that want more than titles.
@Suite struct ImageTests {
    private typealias Client = SandboxClient

    private func generate(
        _ client: SandboxClient, _ change: [String: Any] = [:], fault: String? = nil
    ) async throws -> (status: Int, first: [String: Any]) {
        let body: [String: Any] = ["model": "sandbox-image", "prompt": "一只猫"]
        let request = try client.request("/openai/v1/images/generations", body.merging(change) { $1 }, fault: fault)
        let answer = try await client.http.send(request)
        let data = (try? Client.object(answer.body))?["data"] as? [[String: Any]]
        return (answer.status.code, data?.first ?? [:])
    }

    @Test func picturesDifferByPromptAndComeInBothForms() async throws {
        try await Client.with { client in
            let first = try await generate(client, ["response_format": "b64_json"]).first
            let again = try await generate(client, ["model": "gpt-image-1"]).first
            let other = try await generate(client, ["response_format": "b64_json", "prompt": "一只狗"]).first
            #expect(first["b64_json"] as? String == again["b64_json"] as? String)
            #expect(first["b64_json"] as? String != other["b64_json"] as? String)
            let bytes = try #require(Base64.decode(first["b64_json"] as? String ?? ""))
            // 1024 / 32 = 32 pixels either way.
            #expect(bytes.prefix(24) == [137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 32, 0, 0, 0, 32])

            let address = try await generate(client).first["url"] as? String
            let file = try await client.http.send(ClientRequest(.get, try #require(address)))
            #expect(file.status == .ok)
            #expect(file.headers["Content-Type"] == "image/png")
            #expect(file.body == bytes)
        }
    }

    @Test func refusals() async throws {
        try await Client.with { client in
            var statuses = [
                try await generate(client, ["model": "nobody"]).status, try await generate(client, ["prompt": ""]).status,
                try await generate(client, ["size": "9x9"]).status,
                try await generate(client, ["model": "gpt-image-1", "response_format": "url"]).status,
            ]
            #expect(statuses == [404, 400, 400, 400])
            statuses = [
                try await generate(client, fault: "content-policy").status,
                try await generate(client, fault: "rate-limit-seconds").status,
            ]
            #expect(statuses == [400, 429])
        }
    }

    @Test func picturesGoWrongAsOrdered() async throws {
        try await Client.with { client in
            func fetch(_ fault: String) async throws -> ClientResponse {
                let address = try await generate(client, fault: fault).first["url"] as? String
                return try await client.http.send(ClientRequest(.get, try #require(address)))
            }
            let gone = try await fetch("picture-gone")
            #expect(gone.status == .notFound)
            let wrong = try await fetch("picture-wrong-bytes")
            #expect(wrong.body.starts(with: Array("<html>".utf8)))
            let address = try await generate(client, fault: "picture-huge").first["url"] as? String
            var request = ClientRequest(.get, try #require(address))
            request.maxResponseBytes = 10 << 20
            let huge = try await client.http.send(request)
            #expect(huge.body.count == 9 << 20)
            let moved = try await fetch("picture-redirect")
            #expect(moved.headers["Location"] == "http://169.254.169.254/latest/meta-data/")
            let missing = try await generate(client, fault: "picture-missing").first
            #expect(missing.isEmpty)
            let elsewhere = try await generate(client, fault: "picture-elsewhere;url=http://10.0.0.1/x").first
            #expect(elsewhere["url"] as? String == "http://10.0.0.1/x")
        }
    }

    private func written(_ client: SandboxClient, _ brief: String, _ format: [String: Any]) async throws -> [String: Any] {
        let message = ["role": "user", "content": "Answer in JSON.\n\(brief)"]
        let answer = try await client.http.send(
            client.chat(Client.openAI, ["messages": [message], "response_format": format]))
        return try Client.object(Array(Client.content(answer).utf8))
    }

    @Test func imageTextsHaveTheirSlots() async throws {
        try await Client.with { client in
            let text = try await written(client, #"{"topic": "猫砂盆", "slots": 4}"#, ["type": "json_object"])
            let slots = try #require(text["slots"] as? [[String: String]])
            #expect(slots.count == 4)
            #expect(Set(slots.compactMap { $0["prompt"] }).count == 4)
            #expect((text["title"] as? String)?.contains("猫砂盆") == true)
        }
    }

    @Test(arguments: [10, 37, 900]) func scriptsAreAsLongAsAsked(seconds: Int) async throws {
        try await Client.with { client in
            let script = try await written(
                client, #"{"topic": "猫砂盆", "scriptType": "story", "durationSeconds": \#(seconds)}"#, ["type": "json_object"])
            let scenes = try #require(script["scenes"] as? [[String: Any]])
            let durations = scenes.compactMap { $0["durationSeconds"] as? Int }
            #expect(durations.reduce(0, +) == seconds)
            for (scene, seconds) in zip(scenes, durations) { #expect((scene["line"] as? String ?? "").count <= 4 * seconds) }
        }
    }

    @Test func aStrictSchemaGetsItsOwnMembersOnly() async throws {
        try await Client.with { client in
            let schema: [String: Any] = [
                "type": "object", "additionalProperties": false, "required": ["hook", "tone"],
                "properties": ["hook": ["type": "string"], "tone": ["type": "string"]],
            ]
            let script = try await written(
                client, #"{"topic": "猫砂盆", "durationSeconds": 30}"#,
                ["type": "json_schema", "json_schema": ["name": "x", "strict": true, "schema": schema]])
            #expect(script.keys.sorted() == ["hook", "tone"])
            #expect(script["hook"] as? String == "猫砂盆，你可能一直做错了")
        }
    }
}
