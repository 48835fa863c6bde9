import ConcurrencySupport
import ConfigReading
import FoundationEssentials
import HTTPCalling
import HTTPCore
import Observability

import struct Synchronization.Atomic

/// Client of one model at a vendor: `POST {base}/chat/completions`, whole or streamed.
struct ChatCompletions: ChatModel {
    struct Endpoint: Sendable {
        let profile: ChatProfile
        let model: String
        /// Without a slash at its end, e.g. `https://api.deepseek.com`.
        let baseURL: String
        let key: Secret
        let timeouts: RouteTimeouts
        /// Ask for a stream: the first token shows life early, at the price of an event per token.
        let streams: Bool
    }

    let endpoint: Endpoint
    let http: HTTPClient
    let tracer: Tracer

    func answer(_ request: ChatRequest, within budget: Duration) async throws -> ChatAnswer {
        try await tracer.withSpan(
            "chat \(endpoint.model)", kind: .client,
            attributes: [
                "gen_ai.operation.name": "chat", "gen_ai.provider.name": endpoint.profile.vendor.rawValue,
                "gen_ai.request.model": endpoint.model,
            ]
        ) { span in
            let answer = try await call(request, deadline: .after(budget))
            span.set("gen_ai.response.model", answer.model)
            span.set("gen_ai.usage.input_tokens", answer.usage.promptTokens)
            span.set("gen_ai.usage.output_tokens", answer.usage.completionTokens)
            return answer
        }
    }

    private func call(_ request: ChatRequest, deadline: Deadline) async throws -> ChatAnswer {
        let headers: HTTPHeaders = [
            "Authorization": "Bearer \(endpoint.key.exposed)",
            "Content-Type": "application/json", "Accept": endpoint.streams ? "text/event-stream" : "application/json",
        ]
        let wire = ClientRequest(
            .post, endpoint.baseURL + "/chat/completions", headers: headers,
            body: .bytes(
                ChatWire.body(request, model: endpoint.model, profile: endpoint.profile, streamed: endpoint.streams)),
            deadline: deadline,
            timeouts: .init(
                connect: endpoint.timeouts.connect, firstByte: endpoint.timeouts.firstToken, idle: endpoint.timeouts.idle),
            maxResponseBytes: 4 << 20)
        do {
            return endpoint.streams ? try await streamed(wire, request) : try await whole(wire, request)
        } catch let error as HTTPClientError {
            if error.kind == .cancelled { throw CancellationError() }
            throw ChatFailure.broken(error)
        }
    }

    private func whole(_ wire: ClientRequest, _ request: ChatRequest) async throws -> ChatAnswer {
        let response = try await http.send(wire)
        guard response.status == .ok else { throw refusal(response.status, response.headers, response.body) }
        return try withPrompt(request) { () throws(ChatFailure) in
            try ChatWire.answer(from: response.body, askedModel: endpoint.model)
        }
    }

    private func streamed(_ wire: ClientRequest, _ request: ChatRequest) async throws -> ChatAnswer {
        let begun = Flag()
        let firstToken = Deadline.after(endpoint.timeouts.firstToken)
        return try await withThrowingTaskGroup(of: ChatAnswer?.self) { group in
            group.addTask { try await self.read(wire, request) { begun.raise() } }
            group.addTask {
                try await firstToken.sleep()
                if begun.isRaised { return nil }
                throw ChatFailure(.timeout, .nextRoute, .count, message: "time-out: first token")
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let answer = result { return answer }
            }
            throw CancellationError()
        }
    }

    private func read(
        _ wire: ClientRequest, _ request: ChatRequest, onFirstToken: @Sendable () -> Void
    ) async throws -> ChatAnswer {
        let response = try await http.stream(wire)
        guard response.status == .ok else { throw refusal(response.status, response.headers, try await response.collect()) }
        // Servers that do not stream answer whole; their answer is as good.
        if response.headers["Content-Type"]?.hasPrefix("application/json") == true {
            let body = try await response.collect()
            return try withPrompt(request) { () throws(ChatFailure) in
                try ChatWire.answer(from: body, askedModel: endpoint.model)
            }
        }
        var decoder = ChatStreamDecoder(askedModel: endpoint.model)
        do {
            for try await item in response.events {
                guard case .event(let event) = item else { continue }
                let hadBegun = decoder.hasBegun
                try decoder.feed(event.data)
                if decoder.hasBegun, !hadBegun { onFirstToken() }
                if decoder.isDone { break }
            }
        } catch let error as HTTPClientError where error.kind != .cancelled {
            // A stream that broke after its finish reason is whole all the same.
            if let answer = try? decoder.finished() { return withPromptTokens(answer, request) }
            var failure = ChatFailure.broken(error)
            if decoder.hasBegun { failure = ChatFailure(.truncated, failure.reaction, .count, message: failure.message) }
            throw decoder.broken(failure)
        } catch is SSEParser.EventTooLarge {
            throw decoder.broken(ChatFailure(.malformed, .nextRoute, .count, message: "an event is too large"))
        }
        let finished = decoder
        return try withPrompt(request) { () throws(ChatFailure) in try finished.finished() }
    }

    private func refusal(_ status: HTTPStatus, _ headers: HTTPHeaders, _ body: [UInt8]) -> ChatFailure {
        ChatFailure.refused(
            status: status.code, headers: headers, body: body, secondsSince1970: Date().timeIntervalSince1970)
    }

    private func withPrompt(
        _ request: ChatRequest, _ read: () throws(ChatFailure) -> ChatAnswer
    ) throws(ChatFailure) -> ChatAnswer {
        withPromptTokens(try read(), request)
    }

    /// Counts the prompt where the vendor has not.
    private func withPromptTokens(_ answer: ChatAnswer, _ request: ChatRequest) -> ChatAnswer {
        guard answer.usage.isEstimated else { return answer }
        var answer = answer
        answer.usage.promptTokens = request.messages.reduce(0) { $0 + ChatWire.estimatedTokens($1.content) }
        return answer
    }
}

/// Set once by the reader of a stream, looked at once by its clock.
private final class Flag: Sendable {
    private let value = Atomic(false)

    func raise() { value.store(true, ordering: .relaxed) }

    var isRaised: Bool { value.load(ordering: .relaxed) }
}
