import Foundation
import HTTPCalling
import HTTPCore
import Testing

@testable import Sandbox

/// The vendors' manners when nothing is wrong.
@Suite struct NormalAnswerTests {
    private typealias Client = SandboxClient

    private func titleRequest(_ client: SandboxClient, _ path: String, topic: String, count: Int, maxLength: Int) throws
        -> ClientRequest
    {
        let brief = "{\"topic\":\"\(topic)\",\"count\":\(count),\"maxLength\":\(maxLength)}"
        return try client.chat(
            path,
            [
                "response_format": ["type": "json_object"],
                "messages": [
                    ["role": "system", "content": "Answer as JSON: {\"titles\":[{\"title\":\"…\",\"formula\":\"…\"}]}"],
                    ["role": "user", "content": "请写标题。\n\(brief)"],
                ],
            ])
    }

    @Test(arguments: [SandboxClient.openAI, SandboxClient.deepSeek, "/deepseek/v1/chat/completions"])
    func writesDistinctTitlesWithinTheLimit(path: String) async throws {
        try await Client.with { client in
            for (topic, count, limit) in [("夏季防晒", 5, 30), ("上海周末亲子游", 20, 20), ("咖啡", 12, 8), ("一二三四五六七八九十一二三四五六七八九十", 7, 15)] {
                let answer = try await client.http.send(
                    titleRequest(client, path, topic: topic, count: count, maxLength: limit))
                let json = try Client.object(Array(Client.content(answer).utf8))
                let titles = try #require(json["titles"] as? [[String: String]])
                #expect(titles.count == count)
                #expect(Set(titles.compactMap { $0["title"] }).count == count)
                #expect(titles.allSatisfy { ($0["title"] ?? "").count <= limit && !($0["title"] ?? "").isEmpty })
                #expect(titles.allSatisfy { !($0["formula"] ?? "").isEmpty })
                #expect(titles.allSatisfy { ($0["title"] ?? "").contains(topic.prefix(1)) })
            }
        }
    }

    @Test func formulasAndBannedWordsOfTheBriefCount() throws {
        let text = #"x {"a":1} {"topic":"防晒","count":10,"maxLength":20,"formulas":["甲",{"name":"乙"}],"bannedWords":["省心","坑"]}"#
        let brief = try #require(TitleWriter.Brief(in: text))
        var generator = SeededGenerator(seed: 0, [])
        let titles = TitleWriter.write(brief, generator: &generator)["titles"]?.array ?? []
        #expect(titles.count == 10)
        #expect(Set(titles.compactMap { $0["formula"]?.string }) == ["甲", "乙"])
        #expect(titles.allSatisfy { title in ["省心", "坑"].allSatisfy { title["title"]?.string?.contains($0) == false } })
    }

    @Test func theSameRequestGetsTheSameBytesAndAnotherSeedOthers() async throws {
        try await Client.with { client in
            let request = try client.chat(Client.openAI)
            let first = try await client.http.send(request).body
            let second = try await client.http.send(request).body
            #expect(first == second)
            _ = try await client.control("config", ["seed": 7])
            let third = try await client.http.send(request).body
            #expect(third != first)
        }
    }

    @Test func usageFollowsTheCountingRule() async throws {
        try await Client.with { client in
            let answer = try await client.http.send(
                client.chat(Client.openAI, ["messages": [["role": "user", "content": "abcde"]]]))
            let usage = try #require(try Client.object(answer.body)["usage"] as? [String: Any])
            #expect(usage["prompt_tokens"] as? Int == 2)
            let bytes = try Client.content(answer).utf8.count
            #expect(usage["completion_tokens"] as? Int == (bytes + 3) / 4)
            #expect(usage["total_tokens"] as? Int == 2 + (bytes + 3) / 4)
            #expect(answer.headers["x-request-id"]?.hasPrefix("req_") == true)
            #expect(answer.headers["x-ratelimit-reset-requests"] == "6ms")
        }
    }

    @Test func streamAndOnePieceSayTheSame() async throws {
        try await Client.with { client in
            // Only the text counts: the bodies differ by `stream`, and the answer follows the body.
            let messages = [["role": "user", "content": "写一段文案"]]
            let open = try await client.stream(client.chat(Client.openAI, ["stream": true, "messages": messages]))
            #expect(open.finishReasons == ["stop"])
            #expect(open.isDone)
            #expect(open.usage == nil)
            #expect(open.content.contains("写一段文案"))
            #expect(open.failure == nil)
            let deep = try await client.stream(client.chat(Client.deepSeek, ["stream": true, "messages": messages]))
            #expect(deep.finishReasons == ["stop"])
            #expect(!deep.reasoning.isEmpty)
            #expect(deep.usageChunkHasChoices == true)
            let calm = try await client.stream(
                client.chat(Client.deepSeek, ["stream": true, "messages": messages, "thinking": ["type": "disabled"]]))
            #expect(calm.reasoning.isEmpty)
        }
    }

    @Test func openAIPutsUsageIntoItsOwnChunkWhenAsked() async throws {
        try await Client.with { client in
            let stream = try await client.stream(
                client.chat(Client.openAI, ["stream": true, "stream_options": ["include_usage": true]]))
            #expect(stream.usageChunkHasChoices == false)
            #expect((stream.usage?["completion_tokens"] as? Int ?? 0) == (stream.content.utf8.count + 3) / 4)
        }
    }

    @Test func refusesAsTheVendorsDo() async throws {
        try await Client.with { client in
            let schema = ["type": "json_schema", "json_schema": ["name": "x", "schema": ["type": "object"]]] as [String: Any]
            let cases: [(String, [String: Any], Int)] = [
                (Client.openAI, ["model": "no-such"], 404), (Client.openAI, ["messages": []], 400),
                (Client.openAI, ["stream_options": ["include_usage": true]], 400),
                (Client.openAI, ["model": "o3-mini", "max_tokens": 5], 400), (Client.openAI, ["temperature": 3], 400),
                (Client.openAI, ["response_format": ["type": "json_object"]], 400),
                (Client.deepSeek, ["model": "deepseek-chat"], 400), (Client.deepSeek, ["model": "gpt-4o"], 400),
                (Client.deepSeek, ["response_format": schema], 400),
                (Client.deepSeek, ["tools": [["type": "custom"]]], 422),
            ]
            for (path, change, status) in cases {
                let answer = try await client.http.send(client.chat(path, change))
                #expect(answer.status.code == status, "\(change)")
                #expect(try Client.object(answer.body)["error"] is [String: Any])
            }
            var anonymous = try client.chat(Client.openAI)
            anonymous.headers["Authorization"] = nil
            let answer = try await client.http.send(anonymous)
            #expect(answer.status == .unauthorized)
        }
    }

    @Test func fillsASchema() async throws {
        let schema: [String: Any] = [
            "type": "object", "additionalProperties": false, "required": ["name", "score", "tags", "kind"],
            "properties": [
                "name": ["type": "string", "maxLength": 5], "score": ["type": "integer", "minimum": 10, "maximum": 12],
                "tags": ["type": "array", "items": ["type": "string"], "minItems": 3], "kind": ["enum": ["a", "b"]],
            ],
        ]
        try await Client.with { client in
            let format =
                ["type": "json_schema", "json_schema": ["name": "x", "strict": true, "schema": schema]] as [String: Any]
            let answer = try await client.http.send(client.chat(Client.openAI, ["response_format": format]))
            let json = try Client.object(Array(Client.content(answer).utf8))
            #expect((json["name"] as? String ?? "too long").count <= 5)
            #expect((10...12).contains(json["score"] as? Int ?? 0))
            #expect((json["tags"] as? [String])?.count == 3)
            #expect(["a", "b"].contains(json["kind"] as? String ?? ""))
        }
    }

    @Test func deepSeekWritesBlanksWhenJSONModeLacksTheWord() async throws {
        try await Client.with { client in
            let answer = try await client.http.send(
                client.chat(Client.deepSeek, ["response_format": ["type": "json_object"], "max_tokens": 40]))
            #expect(try Client.content(answer).allSatisfy(\.isWhitespace))
            #expect(try Client.choice(answer)["finish_reason"] as? String == "length")
        }
    }

    @Test func deepSeekWantsItsReasoningBack() async throws {
        try await Client.with { client in
            let tools = [["type": "function", "function": ["name": "lookup", "parameters": ["type": "object"]]]]
            var messages: [[String: Any]] = [["role": "user", "content": "查一下"], ["role": "assistant", "content": "好"]]
            var answer = try await client.http.send(client.chat(Client.deepSeek, ["tools": tools, "messages": messages]))
            #expect(answer.status == .badRequest)
            messages[1]["reasoning_content"] = "想一想"
            answer = try await client.http.send(client.chat(Client.deepSeek, ["tools": tools, "messages": messages]))
            #expect(answer.status == .ok)
        }
    }

    @Test func callsToolsAndThenAnswers() async throws {
        try await Client.with { client in
            let function: [String: Any] = [
                "name": "lookup", "parameters": ["type": "object", "properties": ["query": ["type": "string"]]],
            ]
            let tools = [["type": "function", "function": function]]
            let answer = try await client.http.send(client.chat(Client.openAI, ["tools": tools]))
            #expect(try Client.choice(answer)["finish_reason"] as? String == "tool_calls")
            let message = try #require(try Client.choice(answer)["message"] as? [String: Any])
            let call = try #require((message["tool_calls"] as? [[String: Any]])?.first?["function"] as? [String: String])
            #expect(call["name"] == "lookup")
            #expect(try Client.object(Array((call["arguments"] ?? "").utf8))["query"] is String)
            let rounds: [[String: Any]] = [
                ["role": "user", "content": "查"], message, ["role": "tool", "tool_call_id": "x", "content": "结果"],
            ]
            let second = try await client.http.send(client.chat(Client.openAI, ["tools": tools, "messages": rounds]))
            #expect(try !Client.content(second).isEmpty)
        }
    }

    @Test func embeddingsAreUnitVectorsInBothForms() async throws {
        try await Client.with { client in
            let json: [String: Any] = ["model": "text-embedding-3-small", "input": ["防晒", "露营", "防晒"], "dimensions": 64]
            let floats = try await client.http.send(client.request("/openai/v1/embeddings", json))
            let vectors = try #require(try Client.object(floats.body)["data"] as? [[String: Any]]).compactMap {
                $0["embedding"] as? [Double]
            }
            #expect(vectors.count == 3)
            #expect(vectors[0] == vectors[2])
            #expect(vectors[0] != vectors[1])
            #expect(abs(vectors[0].reduce(0) { $0 + $1 * $1 } - 1) < 0.001)
            let packed = try await client.http.send(
                client.request("/openai/v1/embeddings", json.merging(["encoding_format": "base64"]) { $1 }))
            let text = try #require((try Client.object(packed.body)["data"] as? [[String: Any]])?.first?["embedding"] as? String)
            let bytes = [UInt8](try #require(Data(base64Encoded: text)))
            #expect(bytes.count == 64 * 4)
            let first = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[$1]) << (8 * UInt32($1)) }
            #expect(abs(Double(Float(bitPattern: first)) - vectors[0][0]) < 0.0001)
        }
    }

    @Test func listsModelsBalanceAndHealth() async throws {
        try await Client.with { client in
            for path in ["/openai/v1/models", "/deepseek/models", "/deepseek/user/balance", "/healthz"] {
                let answer = try await client.http.send(
                    ClientRequest(.get, client.url + path, headers: ["Authorization": "Bearer x"]))
                #expect(answer.status == .ok)
                #expect(try !Client.object(answer.body).isEmpty)
            }
        }
    }
}
