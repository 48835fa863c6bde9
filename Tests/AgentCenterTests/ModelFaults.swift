import HTTPCore
import Testing

@testable import AgentCenter

/// A fault of `llm-wire.md` §13: the vendor's bytes, and what must come of them.
struct ModelFault: Sendable, CustomTestStringConvertible {
    enum Answer: Sendable { case primary, fallback, template }

    struct Course: Sendable {
        /// One for each connection; the last one for ever.
        let replies: [ScriptedVendor.Reply]
        /// Of the first route, in their order.
        let attempts: [String]
        let answer: Answer
        /// How often the reader of a stream is told to forget what it has.
        var restarts = 0
        /// What the vendor charges for answers whose usage it told, in 1e-9 dollars.
        var counted: Int64 = 0
        /// Answers that broke off after all of ``text`` had come, or whose usage is missing.
        var estimated = 0
    }

    let number: Int
    let name: String
    let whole: Course
    let streamed: Course
    var calls = 1
    /// Settings of the service.
    var environment: [String: String] = [:]

    var testDescription: String { "\(number) \(name)" }

    /// 42 bytes: 11 tokens where nobody counts them.
    static let text = "您好，通勤半天不用补涂防晒。"
    static let estimatedCompletion: Int64 = 11
    static let fallbackText = "您好，户外每两小时补涂一次。"
    /// 60 cached prompt tokens at 75, 40 new ones at 150, 40 written ones at 600.
    static let price: Int64 = 34_500

    typealias Reply = ScriptedVendor.Reply

    // MARK: Bytes

    static func error(_ status: Int, code: String = "", type: String = "x", message: String = "m", headers: [String] = [])
        -> Reply
    {
        .http(
            status, #"{"error":{"message":"\#(message)","type":"\#(type)","param":null,"code":"\#(code)"}}"#, headers: headers)
    }

    static func chunk(_ delta: String, finish: String = "null", usage: String = "null", model: String = "gpt-4o-mini-2024-07-18")
        -> String
    {
        #"data: {"id":"x","object":"chat.completion.chunk","model":"\#(model)","choices":[{"index":0,"delta":\#(delta),"finish_reason":\#(finish)}],"usage":\#(usage)}"#
            + "\n\n"
    }

    /// The text in two pieces, and what comes before and after it.
    static func stream(
        _ content: String = text, finish: String? = "stop", usage: String? = Reply.defaultUsage, done: Bool = true,
        model: String = "gpt-4o-mini-2024-07-18"
    ) -> String {
        let middle = content.index(content.startIndex, offsetBy: content.count / 2)
        var bytes = Reply.streamHead + chunk(#"{"role":"assistant","content":""}"#, model: model)
        for piece in [content[..<middle], content[middle...]] {
            bytes += chunk(#"{"content":\#(Reply.quoted(String(piece)))}"#, model: model)
        }
        guard let finish else { return bytes }
        bytes += chunk("{}", finish: "\"\(finish)\"", model: model)
        if let usage { bytes += #"data: {"id":"x","model":"\#(model)","choices":[],"usage":\#(usage)}"# + "\n\n" }
        return done ? bytes + "data: [DONE]\n\n" : bytes
    }

    static let good = Course(replies: [.says(text)], attempts: ["answered"], answer: .primary, counted: price)
    static let goodStream = Course(replies: [.bytes(stream())], attempts: ["answered"], answer: .primary, counted: price)

    /// The same in both ways: refused before there is any answer.
    static func refused(
        _ number: Int, _ name: String, _ reply: Reply, _ attempts: [String], _ answer: Answer
    ) -> ModelFault {
        // What passes is tried again, and then answered.
        let heals = attempts.last == "answered"
        return ModelFault(
            number: number, name: name,
            whole: Course(
                replies: heals ? [reply, .says(text)] : [reply], attempts: attempts, answer: answer, counted: heals ? price : 0),
            streamed: Course(
                replies: heals ? [reply, .bytes(stream())] : [reply], attempts: attempts, answer: answer,
                counted: heals ? price : 0))
    }

    /// The bytes are unusual, the answer is good.
    static func harmless(
        _ number: Int, _ name: String, whole: Reply, streamed: Reply, price: Int64 = price, environment: [String: String] = [:]
    ) -> ModelFault {
        ModelFault(
            number: number, name: name,
            whole: Course(replies: [whole], attempts: ["answered"], answer: .primary, counted: price),
            streamed: Course(replies: [streamed], attempts: ["answered"], answer: .primary, counted: price),
            environment: environment)
    }

    static func cut(_ text: String, _ size: Int) -> [[UInt8]] {
        let bytes = Array(text.utf8)
        return stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
    }

    /// A gzip member whose only block is stored (RFC 1951 §3.2.4, RFC 1952), at most 65,535 bytes.
    static func gzipped(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        func little(_ value: UInt32, _ count: Int) -> [UInt8] {
            var rest = value
            return (0..<count).map { _ in
                defer { rest >>= 8 }
                return UInt8(truncatingIfNeeded: rest)
            }
        }
        var check = ~UInt32(0)
        for byte in bytes {
            check ^= UInt32(byte)
            for _ in 0..<8 {
                let isOdd = check & 1 == 1
                check >>= 1
                if isOdd { check ^= 0xEDB8_8320 }
            }
        }
        let length = UInt32(bytes.count)
        let head: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255, 1]
        var member = head + little(length, 2)
        member += little(~length, 2)
        member += bytes
        member += little(~check, 4)
        return member + little(length, 4)
    }

    static func gzipReply(_ body: String, type: String) -> Reply {
        let bytes = gzipped(body)
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nContent-Encoding: gzip\r\nContent-Length: \(bytes.count)\r\nConnection: close\r\n\r\n"
        return .chunks([Array(head.utf8), bytes], pause: .zero)
    }

    static let completion = Reply.completion(text, model: "gpt-4o-mini-2024-07-18", finish: "stop")
    static let jsonHead = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n"

    static func events(_ stream: String) -> String { String(stream.dropFirst(Reply.streamHead.count)) }
}
