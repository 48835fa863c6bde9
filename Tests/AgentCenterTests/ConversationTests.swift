import FoundationEssentials
import HTTPCore
import HTTPServing
import TestSupport
import Testing

@testable import AgentCenter

private typealias Reply = ScriptedVendor.Reply

private let hello: JSONValue = [["role": "user", "content": "你好"]]

private func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

@Suite("POST /v1/chat/completions")
struct ConversationTests {
    @Test("OpenAI's request goes to the vendor as it came, and OpenAI's answer comes back")
    func whole() async throws {
        let vendor = try ScriptedVendor([.says("好")])
        try await TitleService.run(primary: vendor) { service in
            let body = try json(
                #"""
                {"model":"gpt-4o-mini","temperature":0.2,"top_p":0.5,"max_tokens":77,"stop":["完"],"seed":7,"user":"u-1","n":1,
                "messages":[{"role":"developer","content":"简短"},{"role":"user","content":[{"type":"text","text":"你"},{"type":"text","text":"好"}]},
                {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},
                {"role":"tool","tool_call_id":"c1","content":"42"}],"metadata":{"a":"b"},"logit_bias":null}
                """#)
            let response = try await service.callModel(TitleService.chat, body)
            #expect(response.status == .ok, "\(response.text)")
            let answer = try response.json()
            #expect(answer["id"]?.string?.hasPrefix("chatcmpl-") == true && answer["object"]?.string == "chat.completion")
            #expect(answer["model"]?.string == "gpt-4o-mini-2024-07-18" && answer["provider"]?.string == "openai")
            let choice = try #require(answer["choices"]?[0])
            #expect(choice["message"]?["role"]?.string == "assistant" && choice["message"]?["content"]?.string == "好")
            #expect(choice["finish_reason"]?.string == "stop" && choice["logprobs"]?.isNull == true)
            #expect(answer["usage"]?["total_tokens"]?.int == 140 && answer["usage"]?["cost_nano"]?.string == "34500")
            #expect(answer["degraded"] == nil)
        }
        let sent = try json(try #require(vendor.received.first).body)
        #expect(sent["messages"]?[0] == ["role": "system", "content": "简短"])
        #expect(sent["messages"]?[1]?["content"]?.array?.count == 2)
        #expect(sent["messages"]?[2]?["tool_calls"]?[0]?["id"]?.string == "c1")
        #expect(sent["messages"]?[3] == ["role": "tool", "tool_call_id": "c1", "content": "42"])
        #expect(sent["max_completion_tokens"]?.int == 77 && sent["temperature"]?.double == 0.2 && sent["seed"]?.int == 7)
        #expect(sent["stop"] == ["完"] && sent["n"] == nil && sent["metadata"] == nil && sent["user"] == nil)
        #expect(sent["safety_identifier"]?.string?.count == 32)
    }

    @Test("A stream: role, text as it comes, finish, usage where it was asked for, [DONE]", arguments: [true, false])
    func stream(withUsage: Bool) async throws {
        let vendor = try ScriptedVendor([.bytes(ModelFault.stream())])
        try await TitleService.run(primary: vendor) { service in
            let response = try await service.callModel(
                TitleService.chat,
                ["model": "auto", "messages": hello, "stream": true, "stream_options": ["include_usage": .bool(withUsage)]])
            let read = try ReadEvents(response)
            #expect(read.isDone)
            #expect(read.names.allSatisfy { $0 == "message" })
            let chunks = try read.chunks()
            #expect(try read.content() == ModelFault.text)
            #expect(chunks.first?["choices"]?[0]?["delta"]?["role"]?.string == "assistant")
            #expect(Set(chunks.compactMap { $0["id"]?.string }).count == 1)
            #expect(chunks.allSatisfy { $0["object"]?.string == "chat.completion.chunk" && $0["created"]?.int != nil })
            #expect(try read.finish() == "stop")
            if withUsage {
                #expect(chunks.last?["choices"]?.array?.isEmpty == true)
                #expect(chunks.last?["usage"]?["prompt_tokens"]?.int == 100)
                #expect(chunks.dropLast().allSatisfy { $0["usage"]?.isNull == true })
            } else {
                #expect(chunks.allSatisfy { $0["usage"] == nil })
            }
            #expect(try await service.ledger().map(\.cost) == [34_500])
        }
    }

    private static let tools =
        #"[{"type":"function","function":{"name":"lookup","parameters":{"type":"object","properties":{"q":{"type":"string"}}}}}]"#

    private static func calls(_ calls: String, streamed: Bool) -> Reply {
        let message = #"{"role":"assistant","content":null,"tool_calls":[\#(calls)]}"#
        guard streamed else {
            return .http(
                200,
                #"{"model":"gpt-4o-mini","choices":[{"index":0,"message":\#(message),"finish_reason":"tool_calls"}],"usage":\#(Reply.defaultUsage)}"#
            )
        }
        return .bytes(
            Reply.streamHead + ModelFault.chunk(message)
                + ModelFault.chunk("{}", finish: #""tool_calls""#, usage: Reply.defaultUsage) + "data: [DONE]\n\n")
    }

    /// The calls that the caller holds in the end, as `id name arguments`.
    private func ask(_ replies: [Reply], streamed: Bool, choice: JSONValue = "auto") async throws -> (
        calls: [String], finish: String?, attempts: [ModelAttempt], cost: [Int64], bodies: [JSONValue]
    ) {
        let vendor = try ScriptedVendor(replies)
        return try await TitleService.run(primary: vendor) { service in
            let response = try await service.callModel(
                TitleService.chat,
                [
                    "model": "auto", "messages": hello, "stream": .bool(streamed), "tools": json(Self.tools),
                    "tool_choice": choice,
                    "parallel_tool_calls": true,
                ])
            #expect(response.status == .ok, "\(response.text)")
            let message: JSONValue?
            let finish: String?
            if streamed {
                let read = try ReadEvents(response)
                #expect(read.isDone)
                finish = try read.finish()
                message = try read.chunks().compactMap { $0["choices"]?[0]?["delta"] }.first { $0["tool_calls"] != nil }
                #expect(
                    message?["tool_calls"]?.array?.compactMap { $0["index"]?.int }
                        == message?["tool_calls"]?.array?.indices.map { $0 })
            } else {
                let answer = try response.json()
                finish = answer["choices"]?[0]?["finish_reason"]?.string
                message = answer["choices"]?[0]?["message"]
            }
            let calls = (message?["tool_calls"]?.array ?? []).map { call in
                [call["id"]?.string, call["function"]?["name"]?.string, call["function"]?["arguments"]?.string]
                    .compactMap { $0 }.joined(separator: " ")
            }
            let rows = try await service.ledger()
            return (calls, finish, rows.flatMap(\.attempts), rows.map(\.cost), try vendor.received.map { try json($0.body) })
        }
    }

    @Test(
        "Tools are offered to the vendor as they came, and its calls come back; pieces in turn are put together by index",
        arguments: [true, false])
    func toolCalls(streamed: Bool) async throws {
        let pieces: Reply =
            streamed
            ? .bytes(
                Reply.streamHead
                    + [
                        #"{"index":0,"id":"a","type":"function","function":{"name":"lookup","arguments":""}}"#,
                        #"{"index":1,"id":"b","type":"function","function":{"name":"lookup","arguments":""}}"#,
                        #"{"index":0,"function":{"arguments":"{\"q\":"}}"#,
                        #"{"index":1,"function":{"arguments":"{\"q\":\"乙\"}"}}"#,
                        #"{"index":0,"function":{"arguments":"\"甲\"}"}}"#,
                    ].map { ModelFault.chunk(#"{"tool_calls":[\#($0)]}"#) }.joined()
                    + ModelFault.chunk("{}", finish: #""tool_calls""#) + "data: [DONE]\n\n")
            : Self.calls(
                #"{"id":"a","type":"function","function":{"name":"lookup","arguments":"{\"q\":\"甲\"}"}},{"id":"b","type":"function","function":{"name":"lookup","arguments":"{\"q\":\"乙\"}"}}"#,
                streamed: false)
        let result = try await ask([pieces], streamed: streamed, choice: "required")
        #expect(result.calls == [#"a lookup {"q":"甲"}"#, #"b lookup {"q":"乙"}"#])
        #expect(result.finish == "tool_calls")
        #expect(result.bodies[0]["tools"] == (try json(Self.tools)))
        #expect(result.bodies[0]["tool_choice"]?.string == "required" && result.bodies[0]["parallel_tool_calls"]?.bool == true)
    }

    @Test(
        "Broken arguments and unknown tools are asked for again in silence, and both answers are paid; the same call for ever is the caller's affair",
        arguments: [true, false],
        [
            (
                #"{"index":0,"id":"a","type":"function","function":{"name":"lookup","arguments":"{\"q\":"}}"#,
                ["rejected", "answered"]
            ),
            (#"{"index":0,"id":"a","type":"function","function":{"name":"drop","arguments":"{}"}}"#, ["rejected", "answered"]),
            (#"{"index":0,"id":"good","type":"function","function":{"name":"lookup","arguments":"{}"}}"#, ["answered"]),
        ])
    func brokenCalls(streamed: Bool, row: (first: String, attempts: [String])) async throws {
        let good = #"{"index":0,"id":"good","type":"function","function":{"name":"lookup","arguments":"{}"}}"#
        let result = try await ask(
            [Self.calls(row.first, streamed: streamed), Self.calls(good, streamed: streamed)], streamed: streamed)
        #expect(result.calls == ["good lookup {}"])
        #expect(result.attempts.map(\.outcome) == row.attempts)
        // What was asked for again was written all the same, and is paid.
        let purposes: [ModelAttempt.Purpose] = row.attempts.count == 2 ? [.ask, .reask] : [.ask]
        #expect(result.attempts.map(\.purpose) == purposes)
        #expect(result.attempts.allSatisfy { $0.costNano == 34_500 && $0.completionTokens == 40 })
        #expect(result.cost == [34_500 * Int64(row.attempts.count)])
    }

    private static let schema =
        #"{"type":"json_schema","json_schema":{"name":"colour","strict":true,"schema":{"type":"object","additionalProperties":false,"required":["name"],"properties":{"name":{"type":"string"}}}}}"#

    /// One answer of a DeepSeek model, which knows no schemas.
    private func structured(_ replies: [Reply], streamed: Bool = false) async throws -> (
        content: String?, attempts: [ModelAttempt], bodies: [JSONValue], metrics: String
    ) {
        let vendor = try ScriptedVendor(replies)
        return try await TitleService.run(fallback: vendor) { service in
            let response = try await service.callModel(
                TitleService.chat,
                ["model": "deepseek/chat", "messages": hello, "response_format": json(Self.schema), "stream": .bool(streamed)])
            #expect(response.status == .ok, "\(response.text)")
            let content =
                streamed ? try ReadEvents(response).content() : try response.json()["choices"]?[0]?["message"]?["content"]?.string
            let attempts = try await service.ledger().flatMap(\.attempts)
            let metrics = try await service.app.client.send(.get, "/metrics").text
            return (content, attempts, try vendor.received.map { try json($0.body) }, metrics)
        }
    }

    @Test("A model without schemas is told the schema, and held to JSON; its answer is checked", arguments: [true, false])
    func emulatedSchema(streamed: Bool) async throws {
        let result = try await structured([.says(#"{"name":"蓝"}"#, model: "deepseek-flash")], streamed: streamed)
        #expect(result.content == #"{"name":"蓝"}"#)
        #expect(result.attempts.map(\.form) == ["json_object"])
        #expect(result.bodies[0]["response_format"] == ["type": "json_object"])
        #expect(result.bodies[0]["messages"]?[0]?["role"]?.string == "system")
        #expect(result.bodies[0]["messages"]?[0]?["content"]?.string?.contains(#""required":["name"]"#) == true)
        #expect(result.metrics.contains(#"agent_structured_answers_total{rung="json_object",outcome="accepted"} 1"#))
    }

    @Test("The rungs below: mended here, then asked again with the fault quoted; each one is counted and priced")
    func lowerRungs() async throws {
        let usage = #"{"prompt_tokens":10,"completion_tokens":2}"#
        let mended = try await structured([.says("给你：```json\n{\"name\":\"蓝\",}\n```", model: "deepseek-flash", usage: usage)])
        #expect(mended.content == #"{"name":"蓝"}"#)
        #expect(mended.attempts.map(\.outcome) == ["answered"])
        #expect(mended.metrics.contains(#"agent_structured_answers_total{rung="repair",outcome="accepted"} 1"#))

        let again = try await structured([
            .says(#"{"colour":"蓝"}"#, model: "deepseek-flash", usage: usage),
            .says(#"{"name":"蓝"}"#, model: "deepseek-flash", usage: usage),
        ])
        #expect(again.content == #"{"name":"蓝"}"#)
        #expect(again.attempts.map(\.outcome) == ["rejected", "answered"])
        #expect(again.attempts.allSatisfy { $0.costNano == 10 * 150 + 2 * 600 || $0.costNano == 10 * 300 + 2 * 1_200 })
        #expect(again.bodies[1]["messages"]?.array?.last?["content"]?.string?.contains("/name is missing") == true)
        #expect(again.metrics.contains(#"agent_structured_answers_total{rung="reask",outcome="accepted"} 1"#))
    }

    @Test("A vendor that refuses the strict form is asked in the next less strict one, on the same route")
    func refusedForm() async throws {
        let vendor = try ScriptedVendor([
            ModelFault.error(400, message: "This response_format type is unavailable now"), .says(#"{"name":"蓝"}"#),
        ])
        try await TitleService.run(primary: vendor) { service in
            let response = try await service.callModel(
                TitleService.chat, ["model": "auto", "messages": hello, "response_format": json(Self.schema)])
            #expect(response.status == .ok, "\(response.text)")
            let attempts = try #require(try await service.ledger().first).attempts
            #expect(attempts.map(\.form) == ["native", "json_object"])
            #expect(attempts.map(\.outcome) == ["unsupported_form", "answered"])
        }
    }

    @Test("What was read is paid for, also where its end does not hold to the form", arguments: [true, false])
    func rejectedAfterDelivery(isSchema: Bool) async throws {
        let reply: Reply =
            isSchema
            ? .bytes(ModelFault.stream())
            : .bytes(
                Reply.streamHead + ModelFault.chunk(#"{"content":"我查一下。"}"#)
                    + ModelFault.chunk(
                        #"{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"drop","arguments":"{}"}}]}"#)
                    + ModelFault.chunk("{}", finish: #""tool_calls""#, usage: Reply.defaultUsage) + "data: [DONE]\n\n")
        let vendor = try ScriptedVendor([reply])
        try await TitleService.run(primary: vendor) { service in
            let read = try ReadEvents(
                try await service.callModel(
                    TitleService.chat,
                    [
                        "model": "gpt-4o-mini", "messages": hello, "stream": true,
                        "response_format": isSchema ? json(Self.schema) : .null,
                        "tools": isSchema ? .null : json(Self.tools),
                    ]))
            #expect(!read.isDone)
            #expect(try !read.content().isEmpty)
            #expect(try read.chunks().last?["error"]?["type"]?.string == "server_error")
            let row = try #require(try await service.ledger().first)
            #expect(row.attempts.map(\.outcome) == ["rejected"])
            #expect(row.cost == 34_500)
        }
        #expect(vendor.received.count == 1)
    }

    @Test(
        "Bad fields: 400 with the pointer, as OpenAI has it",
        arguments: [
            (#"{"messages":[]}"#, "/messages"), (#"{"messages":[{"role":"boss","content":"x"}]}"#, "/messages/0/role"),
            (#"{"messages":[{"role":"user"}]}"#, "/messages/0/content"),
            (#"{"messages":[{"role":"tool","content":"x"}]}"#, "/messages/0/tool_call_id"),
            (#"{"messages":[{"role":"user","content":[{"type":"input_audio"}]}]}"#, "/messages/0/content"),
            (#"{"model":7}"#, "/model"),
            (#"{"n":2}"#, "/n"), (#"{"temperature":3}"#, "/temperature"), (#"{"max_tokens":0}"#, "/max_tokens"),
            (#"{"stop":["1","2","3","4","5"]}"#, "/stop"), (#"{"stream":"yes"}"#, "/stream"),
            (#"{"stream_options":{"include_usage":true}}"#, "/stream_options"), (#"{"tools":[{"type":"custom"}]}"#, "/tools/0"),
            (#"{"tools":[{"type":"function","function":{"name":"a b"}}]}"#, "/tools/0"),
            (#"{"tool_choice":"auto"}"#, "/tool_choice"),
            (
                #"{"tools":[{"type":"function","function":{"name":"a"}}],"tool_choice":{"type":"function","function":{"name":"b"}}}"#,
                "/tool_choice"
            ),
            (#"{"response_format":{"type":"yaml"}}"#, "/response_format"),
            (#"{"response_format":{"type":"json_object"}}"#, "/messages"),
            (#"{"response_format":{"type":"json_schema"}}"#, "/response_format"), (#"{"logprobs":true}"#, "/logprobs"),
            (
                ##"{"response_format":{"type":"json_schema","json_schema":{"name":"x","strict":true,"schema":{"anyOf":[{"$ref":"#"},{"$ref":"#"}]}}}}"##,
                "/response_format"
            ),
            (
                ##"{"tools":[{"type":"function","function":{"name":"a","strict":true,"parameters":{"$ref":"#"}}}]}"##, "/tools/0"
            ),
            (#"{"functions":[]}"#, "/functions"), (#"{"seed":"x"}"#, "/seed"), (#"{"colour":1}"#, "/colour"),
        ])
    func badFields(change: String, pointer: String) throws {
        var body = try #require(try json(#"{"model":"auto","messages":[{"role":"user","content":"你好"}]}"#).object)
        for (name, value) in try #require(try json(change).object) { body[name] = value }
        let request = JSONValue.object(body)
        let failure = #expect(throws: ValidationFailure.self) { try ConversationInput.read(request) }
        #expect(failure?.issues.map(\.pointer) == [pointer])
        #expect(failure.map { RefusedConversation($0).problem.status } == .badRequest)
    }

    @Test("Members of a message that nobody looks at go to the vendor, and count in what a call may cost")
    func furtherMembers() throws {
        func most(_ member: String) throws -> Int {
            try ConversationInput.read(
                json(
                    #"{"model":"auto","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"\#(member)}]}"#)
            ).question.mostPromptTokens
        }
        let text = String(repeating: "x", count: 500)
        for name in ["refusal", "reasoning_content", "name"] {
            let more = try most(#","\#(name)":"\#(text)""#) - most("")
            #expect((500...530).contains(more), "\(name)")
        }
    }

    @Test("So do members of a message's parts, and of the tool that is asked for")
    func furtherMembersOfParts() throws {
        func most(_ messages: String, _ more: String = "") throws -> Int {
            try ConversationInput.read(json(#"{"model":"auto","messages":[\#(messages)]\#(more)}"#)).question.mostPromptTokens
        }
        let text = String(repeating: "x", count: 500)
        let extras = [#","cache_control":{"type":"\#(text)"}"#, #","image_url":"\#(text)""#, #","\#(text)":null"#]
        for extra in extras {
            for (role, part) in [
                ("user", #""type":"text","text":"a""#), ("assistant", #""type":"refusal","refusal":"no""#),
                ("user", #""type":"image_url","image_url":{"url":"https://example.com/a.png"}"#),
            ] where !(extra.contains("image_url") && part.contains("image_url")) {
                let more = try most(#"{"role":"\#(role)","content":[{\#(part)\#(extra)}]}"#)
                let plain = try most(#"{"role":"\#(role)","content":[{\#(part)}]}"#)
                #expect((500...540).contains(more - plain), "\(part) \(extra.prefix(20))")
            }
        }
        func picture(_ extra: String) -> String {
            #"{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://example.com/a.png"\#(extra)}}]}"#
        }
        let pictures = try most(picture(#","detail":"\#(text)""#)) - most(picture(""))
        #expect((500...540).contains(pictures))

        let question = #"{"role":"user","content":"a"}"#
        let function = #""type":"function","function":{"name":"f"}"#
        let tools = #","tools":[{\#(function)}],"tool_choice":{\#(function)"#
        let chosen = try most(question, tools + #","x":"\#(text)"}"#) - most(question, tools + "}")
        #expect((500...540).contains(chosen))
        let refused = #"{"role":"assistant","content":[{"type":"refusal","refusal":{"x":"\#(text)"}}]}"#
        #expect(throws: ValidationFailure.self) { try most(refused) }
    }

    @Test("Pictures go to models that see; a model that does not is refused by name")
    func pictures() async throws {
        let (seeing, blind) = (try ScriptedVendor([.says("一只猫")]), try ScriptedVendor([.says("?")]))
        try await TitleService.run(primary: seeing, fallback: blind, environment: ["MODEL_VENDOR_ORDER": "deepseek,openai"]) {
            service in
            let messages = try json(
                #"[{"role":"user","content":[{"type":"text","text":"这是什么"},{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]}]"#
            )
            let answer = try await service.callModel(TitleService.chat, ["model": "auto", "messages": messages])
            #expect(answer.status == .ok && blind.received.isEmpty)
            let refused = try await service.callModel(TitleService.chat, ["model": "deepseek/chat", "messages": messages])
            #expect(refused.status == .badRequest)
            #expect(try refused.problem().errors?.map(\.pointer) == ["/messages"])
            let vectors: JSONValue = ["model": "text-embedding-3-small", "messages": [["role": "user", "content": "你好"]]]
            let noChat = try await service.callModel(TitleService.chat, vectors)
            #expect(noChat.status == .badRequest)
            #expect(try noChat.problem().errors?.map { "\($0.pointer) \($0.code)" } == ["/model unsupported_by_model"])
            let unknown = try await service.callModel(TitleService.chat, ["model": "gpt-9", "messages": messages])
            #expect(unknown.status == .notFound)
            #expect(try unknown.problem().code == "model_not_found")
        }
    }
}
