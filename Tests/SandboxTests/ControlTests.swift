import Foundation
import HTTPCalling
import HTTPCore
import TestSupport
import Testing

@testable import Sandbox

@Suite struct ControlTests {
    private typealias Client = SandboxClient

    private func status(_ client: SandboxClient, _ path: String, text: String = "x", model: String? = nil) async throws -> Int {
        var change: [String: Any] = ["messages": [["role": "user", "content": text]]]
        if let model { change["model"] = model }
        return try await client.http.send(client.chat(path, change)).status.code
    }

    @Test func rulesApplyByProfileCountMatchAndOrder() async throws {
        try await Client.with { client in
            _ = try await client.control("config", ["profile": "openai", "fault": "server-error", "count": 1])
            _ = try await client.control("config", ["profile": "openai", "fault": 13, "match": "only-me"])
            #expect(try await status(client, Client.deepSeek) == 200)
            #expect(try await status(client, Client.openAI) == 500)
            #expect(try await status(client, Client.openAI) == 200)
            #expect(try await status(client, Client.openAI, text: "it is only-me here") == 429)
            #expect(try await status(client, Client.openAI, text: "it is only-me here") == 429)
            _ = try await client.control("reset")
            #expect(try await status(client, Client.openAI, text: "it is only-me here") == 200)
        }
    }

    @Test func rulesEndByThemselves() async throws {
        try await Client.with { client in
            _ = try await client.control("config", ["fault": "overloaded", "untilSeconds": 2.5])
            #expect(try await status(client, Client.openAI) == 503)
            try await eventually("the rule has ended") { try await status(client, Client.openAI) == 200 }
        }
    }

    @Test func theModelsNameCarriesFaultsToo() async throws {
        try await Client.with { client in
            let model = "fault:server-error;count=2;id=mine"
            var seen: [Int] = []
            for name in [model, "fault:server-error;count=2;id=other", model, model] {
                seen.append(try await status(client, Client.openAI, model: name))
            }
            #expect(seen == [500, 500, 500, 200])
        }
    }

    @Test func flappingGoesUpAgain() async throws {
        try await Client.with { client in
            _ = try await client.control("config", ["fault": "flapping", "downMs": 2_500, "upMs": 60_000])
            #expect(try await status(client, Client.openAI) == 503)
            try await eventually("it is up again") { try await status(client, Client.openAI) == 200 }
        }
    }

    @Test func scriptedAnswersComeInOrder() async throws {
        try await Client.with { client in
            let answers: [Any] = [
                "第一个", ["content": "{\"titles\":[]}", "usage": ["promptTokens": 11, "completionTokens": 22]], ["status": 500],
            ]
            _ = try await client.control("config", ["fault": "scripted", "answers": answers])
            let first = try await client.http.send(client.chat(Client.openAI))
            #expect(try Client.content(first) == "第一个")
            let second = try await client.http.send(client.chat(Client.openAI))
            #expect(try Client.content(second) == "{\"titles\":[]}")
            let usage = try Client.object(second.body)["usage"] as? [String: Any]
            #expect(usage?["total_tokens"] as? Int == 33)
            #expect(try await status(client, Client.openAI) == 500)
            let after = try await client.http.send(client.chat(Client.openAI))
            #expect(try Client.content(after) != "第一个")
        }
    }

    @Test func rawBytesAreSentAsTheyStand() async throws {
        try await Client.with { client in
            let steps: [[String: Any]] = [
                ["text": "HTTP/1.1 299 Odd\r\nContent-Le"], ["text": "ngth: 6\r\n\r\n", "delayMs": 20], ["hex": "e7888661"],
                ["base64": "YmM=", "delayMs": 20],
            ]
            _ = try await client.control("config", ["fault": "raw-bytes", "steps": steps, "ending": "keep-alive"])
            let answer = try await client.http.send(client.chat(Client.openAI))
            #expect(answer.status.code == 299)
            #expect(String(decoding: answer.body, as: UTF8.self) == "爆abc")
            let next = try await status(client, Client.openAI)
            #expect(next == 200)
        }
    }

    @Test func theLogTellsWhatCameAndHidesTheKey() async throws {
        try await Client.with { client in
            _ = try await status(client, Client.openAI, text: "找得到我")
            let attempt = try #require(try await client.log().first)
            #expect(attempt["number"] as? Int == 1)
            #expect(attempt["profile"] as? String == "openai")
            #expect(attempt["outcome"] as? String == "200")
            #expect((attempt["body"] as? String)?.contains("找得到我") == true)
            #expect((attempt["bodySha256"] as? String)?.count == 64)
            let key = (attempt["headers"] as? [String: String])?["authorization"]
            #expect(key?.hasPrefix("sha256:") == true)
            #expect(key?.contains("sk-test") == false)
            #expect(attempt["clientClosedEarly"] as? Bool == false)
        }
    }

    @Test(arguments: [
        ["fault": "no-such"], ["fault": "server-error", "count": "twice"], ["profile": "x", "fault": "conflict"], [:],
        ["fault": "raw-bytes"],
    ])
    func badOrdersAreRefused(order: [String: String]) async throws {
        try await Client.with { client in
            let status = try await client.control("config", order)
            #expect(status == 400)
        }
    }

    @Test func everyFaultHasItsNumberAndName() {
        #expect(Fault(name: "22") == .cutMidStream)
        #expect(Fault(name: "50") == .concurrencyLimit)
        #expect(Fault(name: "46") == .flapping)
        #expect(Fault(name: "51") == nil)
        #expect(Fault(name: "cut-mid-stream") == .cutMidStream)
    }

    @Test func servesHundredsAtATime() async throws {
        try await Client.with { client in
            let request = try client.chat(Client.openAI)
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<400 { group.addTask { try await client.http.send(request).status.code } }
                for try await status in group { #expect(status == 200) }
            }
        }
    }
}
