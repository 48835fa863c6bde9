import HTTPCore

@testable import AgentCenter

extension ModelFault {
    static let all: [ModelFault] = refusals + connections + contents + bytes + tools + vendors

    private static let refusals = [
        refused(1, "400", error(400), ["bad_request"], .template),
        refused(2, "400 context length", error(400, code: "context_length_exceeded"), ["context_length"], .fallback),
        refused(3, "400 content policy", error(400, code: "content_policy_violation"), ["policy"], .template),
        refused(4, "401", error(401, code: "invalid_api_key"), ["authentication"], .fallback),
        refused(5, "402", error(402), ["balance"], .fallback),
        refused(6, "403", error(403), ["forbidden"], .fallback),
        refused(7, "404 model", error(404, code: "model_not_found"), ["model_not_found"], .fallback),
        refused(8, "408", error(408), ["timeout", "answered"], .primary),
        refused(9, "409", error(409), ["conflict", "answered"], .primary),
        refused(10, "422", error(422), ["bad_request"], .template),
        refused(11, "429 with seconds", error(429, headers: ["Retry-After: 1"]), ["rate_limited", "answered"], .primary),
        refused(
            12, "429 with a date far away", error(429, headers: ["Retry-After: Wed, 01 Jan 2098 00:00:00 GMT"]), ["rate_limited"],
            .fallback),
        refused(13, "429 without a hint", error(429), ["rate_limited", "answered"], .primary),
        refused(14, "429 out of money", error(429, code: "insufficient_quota"), ["balance"], .fallback),
        refused(15, "500 for ever", error(500), ["server_error", "server_error"], .fallback),
        refused(16, "502 with HTML", .http(502, "<html>", type: "text/html"), ["server_error", "answered"], .primary),
        refused(17, "503 with seconds", error(503, headers: ["Retry-After: 1"]), ["overloaded", "answered"], .primary),
        refused(18, "529", error(529), ["server_error", "answered"], .primary),
    ]

    private static let connections = [
        refused(19, "reset before the head", .reset, ["connection", "answered"], .primary),
        refused(20, "never an answer", .stall(after: ""), ["timeout"], .fallback),
        ModelFault(
            number: 21, name: "a head, and no first token",
            whole: Course(replies: [.stall(after: jsonHead)], attempts: ["timeout"], answer: .fallback),
            streamed: Course(replies: [.stall(after: Reply.streamHead)], attempts: ["timeout"], answer: .fallback)),
        ModelFault(
            number: 22, name: "cut in the middle",
            whole: Course(
                replies: [.bytes(jsonHead + #"{"choices":[{"message":{"content":"您好"#)], attempts: ["connection", "connection"],
                answer: .fallback),
            streamed: Course(
                replies: [.bytes(stream(finish: nil))], attempts: ["truncated", "truncated"], answer: .fallback, restarts: 2,
                estimated: 2)),
        ModelFault(
            number: 23, name: "stalled in the middle",
            whole: Course(
                replies: [.stall(after: jsonHead + #"{"choices":[{"message":{"content":"您好"#)], attempts: ["timeout"],
                answer: .fallback),
            streamed: Course(
                replies: [.stall(after: stream(finish: nil))], attempts: ["truncated"], answer: .fallback, restarts: 1,
                estimated: 1)
        ),
        ModelFault(
            number: 24, name: "half a JSON",
            whole: Course(
                replies: [.http(200, #"{"choices":[{"#), .says(text)], attempts: ["malformed", "answered"], answer: .primary,
                counted: price),
            streamed: Course(
                replies: [.bytes(stream(finish: nil) + "data: {\"choices\":[{\"del\n\n"), .bytes(stream())],
                attempts: ["malformed", "answered"], answer: .primary, restarts: 1, counted: price, estimated: 1)),
        ModelFault(
            number: 25, name: "no [DONE]", whole: good,
            streamed: Course(replies: [.bytes(stream(done: false))], attempts: ["answered"], answer: .primary, counted: price)),
        ModelFault(
            number: 26, name: "two finish reasons", whole: good,
            streamed: Course(
                replies: [
                    .bytes(stream().replacing("data: [DONE]", with: chunk("{}", finish: #""length""#) + "data: [DONE]"))
                ], attempts: ["answered"], answer: .primary, counted: price)),
        ModelFault(
            number: 27, name: "an error where the rest should be",
            whole: Course(
                replies: [.http(200, #"{"error":{"message":"m","type":"server_error","param":null,"code":null}}"#), .says(text)],
                attempts: ["server_error", "answered"], answer: .primary, counted: price),
            streamed: Course(
                replies: [
                    .bytes(
                        stream(finish: nil) + #"data: {"error":{"message":"m","type":"server_error","param":null,"code":null}}"#
                            + "\n\n"), .bytes(stream()),
                ], attempts: ["server_error", "answered"], answer: .primary, restarts: 1, counted: price, estimated: 1)),
        harmless(
            28, "keep-alives before the answer",
            whole: .pieces(
                ["HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n", "\n\n", "\n\n", completion],
                pause: .milliseconds(100)),
            streamed: .pieces(
                [Reply.streamHead, ": keep-alive\n\n", ": keep-alive\n\n", events(stream())], pause: .milliseconds(100))),
        harmless(
            29, "blank lines before the answer", whole: .says(text, prefix: "\n\n\n"),
            streamed: .bytes(Reply.streamHead + "\n\n\n\n" + events(stream()))),
    ]

    private static let contents = [
        ModelFault(
            number: 30, name: "blank content",
            whole: Course(
                replies: [.says("   \n"), .says(text)], attempts: ["blank", "answered"], answer: .primary, counted: 2 * price),
            // Nobody has seen any of it: no restart is said.
            streamed: Course(
                replies: [.bytes(stream("   \n")), .bytes(stream())], attempts: ["blank", "answered"], answer: .primary,
                counted: 2 * price)),
        ModelFault(
            number: 31, name: "insufficient_system_resource",
            whole: Course(
                replies: [.says("您好，", finish: "insufficient_system_resource"), .says(text)],
                attempts: ["server_error", "answered"], answer: .primary, counted: 2 * price),
            streamed: Course(
                replies: [.bytes(stream("您好，", finish: "insufficient_system_resource")), .bytes(stream())],
                attempts: ["server_error", "answered"], answer: .primary, restarts: 1, counted: 2 * price)),
        ModelFault(
            number: 32, name: "cut at the token limit",
            whole: Course(
                replies: [.says("您好，通勤", finish: "length")], attempts: ["length"], answer: .fallback, counted: price),
            streamed: Course(
                replies: [.bytes(stream("您好，通勤", finish: "length"))], attempts: ["length"], answer: .fallback, restarts: 1,
                counted: price)),
        ModelFault(
            number: 33, name: "usage missing",
            whole: Course(replies: [.says(text, usage: "null")], attempts: ["answered"], answer: .primary, estimated: 1),
            streamed: Course(
                replies: [.bytes(stream(usage: nil))], attempts: ["answered"], answer: .primary, estimated: 1)),
        ModelFault(
            number: 34, name: "usage in the finish chunk", whole: good,
            streamed: Course(
                replies: [
                    .bytes(
                        stream(finish: nil) + chunk(#"{"content":""}"#, finish: #""stop""#, usage: Reply.defaultUsage)
                            + "data: [DONE]\n\n")
                ], attempts: ["answered"], answer: .primary, counted: price)),
        ModelFault(number: 35, name: "usage in a chunk of its own", whole: good, streamed: goodStream),
    ]

    private static let bytes = [
        harmless(
            36, "cut inside characters and inside data:",
            whole: .chunks(cut(Reply.httpText(200, completion, headers: []), 7), pause: .zero),
            streamed: .chunks(cut(stream(), 5), pause: .milliseconds(1))),
        harmless(
            37, "CRLF", whole: .http(200, completion.replacing(",", with: ",\r\n")),
            streamed: .bytes(Reply.streamHead + events(stream()).replacing("\n", with: "\r\n"))),
        harmless(
            38, "byte by byte", whole: .chunks(cut(Reply.httpText(200, completion), 1), pause: .zero),
            streamed: .chunks(cut(stream(), 1), pause: .zero)),
        harmless(
            39, "gzip that nobody asked for", whole: gzipReply(completion, type: "application/json"),
            streamed: gzipReply(events(stream()), type: "text/event-stream")),
        harmless(
            40, "a chunk of a megabyte", whole: .says(String(repeating: " ", count: 1_000_000) + text),
            streamed: .bytes(
                Reply.streamHead + chunk(#"{"content":"\#(String(repeating: " ", count: 1_000_000))"}"#) + events(stream()))),
    ]

    /// No tools were offered here: whoever calls some has not answered. With tools: `ConversationFaultTests`.
    private static func toolCall(_ number: Int, _ name: String, _ calls: String) -> ModelFault {
        let message = #"{"role":"assistant","content":null,"tool_calls":[\#(calls)]}"#
        let whole =
            #"{"id":"x","model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":\#(message),"finish_reason":"tool_calls"}],"usage":\#(Reply.defaultUsage)}"#
        let streamed =
            Reply.streamHead + chunk(message) + chunk("{}", finish: #""tool_calls""#, usage: Reply.defaultUsage)
            + "data: [DONE]\n\n"
        return ModelFault(
            number: number, name: name,
            whole: Course(replies: [.http(200, whole)], attempts: ["unknown_finish"], answer: .fallback, counted: price),
            streamed: Course(replies: [.bytes(streamed)], attempts: ["unknown_finish"], answer: .fallback, counted: price))
    }

    private static let tools = [
        toolCall(
            41, "invalid tool arguments",
            #"{"index":0,"id":"call_1","type":"function","function":{"name":"lookup","arguments":"{\"query\":"}}"#),
        toolCall(
            42, "unknown tool", #"{"index":0,"id":"call_1","type":"function","function":{"name":"delete_all","arguments":"{}"}}"#),
        toolCall(
            43, "the same call for ever",
            #"{"index":0,"id":"call_1","type":"function","function":{"name":"lookup","arguments":"{}"}}"#),
        toolCall(
            44, "parallel calls in turn",
            #"{"index":1,"id":"b","type":"function","function":{"name":"lookup","arguments":"{}"}},{"index":0,"id":"a","type":"function","function":{"name":"lookup","arguments":"{}"}}"#
        ),
        refused(
            45, "missing reasoning_content",
            error(400, message: "The `reasoning_content` in the thinking mode must be passed back to the API."), ["bad_request"],
            .fallback),
    ]

    private static let vendors = [
        refused(46, "down, then up", error(503), ["overloaded", "answered"], .primary),
        // The model that answered is billed: 60 × 1,250 + 40 × 2,500 + 40 × 10,000.
        harmless(
            47, "another model answers", whole: .says(text, model: "gpt-4o-2024-11-20"),
            streamed: .bytes(stream(model: "gpt-4o-2024-11-20")), price: 575_000),
        // Both take 1.5 s: longer than the vendor may be idle, but each piece begins that time anew.
        harmless(
            48, "a slow drip",
            whole: .chunks(cut(Reply.httpText(200, completion), 40), pause: .milliseconds(150)),
            streamed: .chunks(
                [Array(Reply.streamHead.utf8)] + events(stream()).split(separator: "\n\n").map { Array(($0 + "\n\n").utf8) },
                pause: .milliseconds(250)),
            environment: ["MODEL_IDLE_TIMEOUT": "1s"]),
        ModelFault(
            number: 49, name: "a kept connection that is closed when it is used again",
            whole: Course(
                replies: [
                    .bytes(
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(completion.utf8.count)\r\n\r\n"
                            + completion)
                ],
                attempts: ["answered"], answer: .primary, counted: price),
            streamed: Course(
                replies: [.bytes(stream().replacing("Connection: close\r\n", with: ""))], attempts: ["answered"],
                answer: .primary,
                counted: price), calls: 3),
        refused(
            50, "more calls at a time than the vendor takes", error(429, type: "concurrency"), ["rate_limited", "rate_limited"],
            .fallback),
    ]
}
