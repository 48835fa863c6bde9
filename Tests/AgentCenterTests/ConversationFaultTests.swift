import FoundationEssentials
import HTTPCore
import HTTPServing
import PostgresStore
import TestSupport
import Testing

@testable import AgentCenter

/// What OpenAI's own face makes of a vendor's faults: its protocol cannot take words back, so that a stream which broke off after its
/// first words ends with the error.
struct ConversationFault: Sendable, CustomTestStringConvertible {
    enum Told: Sendable, Equatable {
        /// The whole text, with this finish reason.
        case answer(finish: String = "stop", degraded: Bool = false)
        case status(Int, code: String)
        /// Some of the text, `data: {"error":…}`, no `[DONE]`.
        case brokenOff
    }

    let name: String
    let replies: [ScriptedVendor.Reply]
    let isStreamed: Bool
    let told: Told
    /// Of all routes.
    let attempts: [String]
    /// What the tenant pays, in 1e-9 dollars; `nil` where another model's hour decides it.
    let cost: Int64?

    var testDescription: String { "\(isStreamed ? "stream" : "whole"): \(name)" }

    private typealias Fault = ModelFault
    private static let cutShort = Fault.stream(finish: nil)
    private static let inBand = #"data: {"error":{"message":"m","type":"server_error","param":null,"code":null}}"# + "\n\n"

    static let all: [ConversationFault] = streams + wholes

    private static let streams = [
        stream("cut", [.bytes(cutShort)], .brokenOff, ["truncated"], 0),
        stream("stalled", [.stall(after: cutShort)], .brokenOff, ["truncated"], 0),
        stream("half a chunk", [.bytes(cutShort + "data: {\"cho\n\n")], .brokenOff, ["malformed"], 0),
        stream("error event", [.bytes(cutShort + inBand)], .brokenOff, ["server_error"], 0),
        stream(
            "insufficient_system_resource", [.bytes(Fault.stream(finish: "insufficient_system_resource"))], .brokenOff,
            ["server_error"], 0),
        stream("unknown finish", [.bytes(Fault.stream(finish: "aborted"))], .brokenOff, ["unknown_finish"], 0),
        stream("length", [.bytes(Fault.stream(finish: "length"))], .answer(finish: "length"), ["answered"], 34_500),
        stream(
            "content_filter", [.bytes(Fault.stream(finish: "content_filter"))], .answer(finish: "content_filter"), ["answered"],
            34_500),
        stream("no [DONE]", [.bytes(Fault.stream(done: false))], .answer(), ["answered"], 34_500),
        // Nothing had been said yet: healed in silence.
        stream(
            "error before the first word", [.bytes(ScriptedVendor.Reply.streamHead + inBand), .bytes(Fault.stream())], .answer(),
            ["server_error", "answered"], 34_500),
        stream("blank", [.bytes(Fault.stream("  ")), .bytes(Fault.stream())], .answer(), ["blank", "answered"], 69_000),
        stream("401", [Fault.error(401)], .answer(degraded: true), ["authentication", "answered"], nil),
        stream("400", [Fault.error(400)], .status(400, code: "model.refused_request"), ["bad_request"], 0),
        stream(
            "content policy", [Fault.error(400, code: "content_policy_violation")],
            .status(400, code: "content_policy_violation"), ["policy"], 0),
    ]

    private static let wholes = [
        whole("length", [.says(Fault.text, finish: "length")], .answer(finish: "length"), ["answered"], 34_500),
        whole("500 for ever", [Fault.error(500)], .answer(degraded: true), ["server_error", "server_error", "answered"], nil),
        whole(
            "cut", [.bytes(Fault.jsonHead + #"{"choices":["#)], .answer(degraded: true),
            ["connection", "connection", "answered"], nil),
        whole("blank", [.says(""), .says(Fault.text)], .answer(), ["blank", "answered"], 69_000),
        whole("422", [Fault.error(422)], .status(400, code: "model.refused_request"), ["bad_request"], 0),
    ]

    private static func stream(
        _ name: String, _ replies: [ScriptedVendor.Reply], _ told: Told, _ attempts: [String], _ cost: Int64?
    ) -> ConversationFault {
        ConversationFault(name: name, replies: replies, isStreamed: true, told: told, attempts: attempts, cost: cost)
    }

    private static func whole(
        _ name: String, _ replies: [ScriptedVendor.Reply], _ told: Told, _ attempts: [String], _ cost: Int64?
    ) -> ConversationFault {
        ConversationFault(name: name, replies: replies, isStreamed: false, told: told, attempts: attempts, cost: cost)
    }
}

@Suite("Faults over OpenAI's face")
struct ConversationFaultTests {
    @Test("What the caller is told, and what it costs", arguments: ConversationFault.all)
    func told(fault: ConversationFault) async throws {
        let primary = try ScriptedVendor(fault.replies)
        let fallback = try ScriptedVendor([
            fault.isStreamed
                ? .bytes(ModelFault.stream(model: "deepseek-flash")) : .says(ModelFault.text, model: "deepseek-flash")
        ])
        try await TitleService.run(primary: primary, fallback: fallback) { service in
            let response = try await service.callModel(
                TitleService.chat,
                ["model": "auto", "messages": [["role": "user", "content": "你好"]], "stream": .bool(fault.isStreamed)])
            switch fault.told {
            case .status(let status, let code):
                #expect(response.status.code == status)
                #expect(try response.problem().code == code)
            case .answer(let finish, let isDegraded):
                #expect(response.status == .ok, "\(response.text)")
                if fault.isStreamed {
                    let read = try ReadEvents(response)
                    #expect(read.isDone)
                    #expect(try read.finish() == finish)
                    #expect(try read.content() == ModelFault.text)
                    #expect(try read.chunks().contains { $0["degraded"]?.bool == true } == isDegraded)
                } else {
                    let answer = try response.json()
                    #expect(answer["choices"]?[0]?["message"]?["content"]?.string == ModelFault.text)
                    #expect(answer["choices"]?[0]?["finish_reason"]?.string == finish)
                    #expect((answer["degraded"]?.bool ?? false) == isDegraded)
                }
            case .brokenOff:
                let read = try ReadEvents(response)
                #expect(!read.isDone)
                let last = try #require(read.chunks().last)
                #expect(last["error"]?["type"]?.string == "server_error" && last["error"]?["message"]?.string?.isEmpty == false)
                #expect(try read.finish() == nil)
                #expect(fallback.received.isEmpty)
            }
            let row = try #require(try await service.ledger().first)
            #expect(row.attempts.map(\.outcome) == fault.attempts)
            if let cost = fault.cost { #expect(row.cost == cost) } else { #expect(row.cost > 0) }
            let kept = try await service.database.superuser.query("SELECT 1 FROM ai_reservations")
            #expect(kept.isEmpty)
        }
    }

    @Test(
        "All routes too busy: 429 with Retry-After; all away: 503",
        arguments: [(429, 429, "model.rate_limited"), (503, 503, "model.unavailable")])
    func exhausted(vendor: Int, status: Int, code: String) async throws {
        let vendor = try ScriptedVendor([ModelFault.error(vendor)])
        try await TitleService.run(primary: vendor) { service in
            let response = try await service.callModel(
                TitleService.chat, ["model": "auto", "messages": [["role": "user", "content": "你好"]]])
            #expect(response.status.code == status)
            #expect(response.headers["Retry-After"] == "1")
            #expect(try response.problem().code == code && response.problem().retryable)
        }
    }
}
