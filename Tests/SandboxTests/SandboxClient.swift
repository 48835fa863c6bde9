import ConcurrencySupport
import Foundation
import HTTPCalling
import HTTPCore
import Testing

@testable import Sandbox

/// A sandbox of its own for each test, and a client for it. Parses answers with Foundation, so that the sandbox's own JSON is checked too.
struct SandboxClient: Sendable {
    let server: SandboxServer
    let http = HTTPClient()

    var url: String { "http://127.0.0.1:\(server.port)" }

    static let deepSeek = "/deepseek/chat/completions"
    static let openAI = "/openai/v1/chat/completions"

    static func with<Value>(_ body: (SandboxClient) async throws -> Value) async throws -> Value {
        let client = SandboxClient(server: try SandboxServer(port: 0))
        client.server.start()
        defer { client.server.stop() }
        do {
            let value = try await body(client)
            await client.http.shutdown()
            return value
        } catch {
            await client.http.shutdown()
            throw error
        }
    }

    func request(
        _ path: String, _ json: [String: Any], fault: String? = nil, timeouts: ClientRequest.Timeouts = .init()
    ) throws -> ClientRequest {
        var headers: HTTPHeaders = ["Authorization": "Bearer sk-test", "Content-Type": "application/json"]
        if let fault { headers["X-Sandbox-Fault"] = fault }
        let body = try JSONSerialization.data(withJSONObject: json, options: [.sortedKeys])
        return ClientRequest(.post, url + path, headers: headers, body: .bytes(Array(body)), timeouts: timeouts)
    }

    func chat(_ path: String, _ extra: [String: Any] = [:], fault: String? = nil) throws -> ClientRequest {
        var json: [String: Any] = [
            "model": path == Self.openAI ? "gpt-4o-mini" : "deepseek-flash",
            "messages": [["role": "user", "content": "写一段关于夏季防晒的文案"]],
        ]
        json.merge(extra) { $1 }
        return try request(path, json, fault: fault)
    }

    func control(_ path: String, _ json: [String: Any] = [:]) async throws -> Int {
        try await http.send(try request("/__control/" + path, json)).status.code
    }

    func log() async throws -> [[String: Any]] {
        let answer = try await http.send(ClientRequest(.get, url + "/__control/log"))
        return try Self.object(answer.body)["attempts"] as? [[String: Any]] ?? []
    }

    static func object(_ bytes: [UInt8]) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    /// The first choice of a one-piece answer.
    static func choice(_ answer: ClientResponse) throws -> [String: Any] {
        try #require((try object(answer.body)["choices"] as? [[String: Any]])?.first)
    }

    static func content(_ answer: ClientResponse) throws -> String {
        try #require((try choice(answer)["message"] as? [String: Any])?["content"] as? String)
    }

    /// What a client makes of a stream.
    struct Stream {
        var content = ""
        var reasoning = ""
        var finishReasons: [String] = []
        var usage: [String: Any]?
        var usageChunkHasChoices: Bool?
        var isDone = false
        var comments = 0
        var malformed = 0
        var error: [String: Any]?
        var toolPieces: [[String: Any]] = []
        var failure: HTTPClientError?
        var head: StreamingResponse
    }

    func stream(_ request: ClientRequest) async throws -> Stream {
        var result = Stream(head: try await http.stream(request))
        do {
            for try await item in result.head.events {
                switch item {
                case .comment: result.comments += 1
                case .event(let event) where event.data == "[DONE]": result.isDone = true
                case .event(let event):
                    guard let chunk = try? Self.object(Array(event.data.utf8)) else {
                        result.malformed += 1
                        continue
                    }
                    take(chunk, into: &result)
                }
            }
        } catch let error as HTTPClientError {
            result.failure = error
        }
        return result
    }

    private func take(_ chunk: [String: Any], into result: inout Stream) {
        if let error = chunk["error"] as? [String: Any] { result.error = error }
        let choices = chunk["choices"] as? [[String: Any]] ?? []
        if let usage = chunk["usage"] as? [String: Any] {
            result.usage = usage
            result.usageChunkHasChoices = !choices.isEmpty
        }
        guard let choice = choices.first else { return }
        let delta = choice["delta"] as? [String: Any] ?? [:]
        result.content += delta["content"] as? String ?? ""
        result.reasoning += delta["reasoning_content"] as? String ?? ""
        result.toolPieces += delta["tool_calls"] as? [[String: Any]] ?? []
        if let reason = choice["finish_reason"] as? String { result.finishReasons.append(reason) }
    }
}
