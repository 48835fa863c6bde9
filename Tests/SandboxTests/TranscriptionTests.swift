import Foundation
import HTTPCalling
import HTTPCore
import Testing

@testable import Sandbox

@Suite struct TranscriptionTests {
    private func transcribe(
        _ client: SandboxClient, model: String = "whisper-1", format: String? = "verbose_json", filename: String = "a.m4a",
        bytes: [UInt8] = [1, 2, 3, 13, 10, 45, 45]
    ) async throws -> (status: Int, answer: [String: Any]) {
        var parts = [
            MultipartPart(name: "file", filename: filename, contentType: "audio/mp4", body: bytes),
            MultipartPart(name: "model", body: Array(model.utf8)),
        ]
        if let format { parts.append(MultipartPart(name: "response_format", body: Array(format.utf8))) }
        let answer = try await client.http.send(
            ClientRequest(
                .post, client.url + "/openai/v1/audio/transcriptions", headers: ["Authorization": "Bearer sk-test"],
                body: .multipart(parts)))
        return (answer.status.code, try SandboxClient.object(answer.body))
    }

    @Test func hearsTheSameEveryTime() async throws {
        try await SandboxClient.with { client in
            let (status, answer) = try await transcribe(client)
            #expect(status == 200)
            let segments = try #require(answer["segments"] as? [[String: Any]])
            #expect(segments.count == 4)
            #expect(segments.map { $0["text"] as? String ?? "" }.joined() == answer["text"] as? String)
            #expect(segments.last?["end"] as? Double == answer["duration"] as? Double)
            let plain = try await transcribe(client, model: "gpt-4o-transcribe", format: nil).answer
            #expect(plain["text"] as? String == answer["text"] as? String)
            #expect(plain["segments"] == nil)
        }
    }

    @Test func refusesAsTheVendorDoes() async throws {
        try await SandboxClient.with { client in
            let statuses = [
                try await transcribe(client, model: "nobody").status, try await transcribe(client, filename: "a.txt").status,
                try await transcribe(client, bytes: []).status, try await transcribe(client, format: "xml").status,
                try await transcribe(client, model: "gpt-4o-transcribe").status,
                try await transcribe(client, bytes: [UInt8](repeating: 0, count: Transcriptions.largestFile + 1)).status,
            ]
            #expect(statuses == [404, 400, 400, 400, 400, 413])
            let noForm = try client.request("/openai/v1/audio/transcriptions", [:])
            #expect(try await client.http.send(noForm).status == .badRequest)
        }
    }
}
