import ConcurrencySupport
import ConfigReading
import FoundationEssentials
import HTTPCalling
import HTTPCore
import Observability

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

    typealias Delivery = @Sendable (ChatDelta) async throws -> Void

    /// A whole answer shows no life before its last token. Longer ones, in tokens, are asked for as streams.
    private static let longAnswer = 1_024
    /// How long the end of a stream's connection is waited for, so that it can be used again.
    private static let endOfStream = Duration.milliseconds(200)

    let endpoint: Endpoint
    let http: HTTPClient
    let tracer: Tracer

    func answer(_ request: ChatRequest, within budget: Duration) async throws -> ChatAnswer {
        try await traced {
            let deadline = Deadline.after(budget)
            return endpoint.streams || !request.isRelayed && request.maxTokens > Self.longAnswer
                ? try await streamed(request, deadline, nil) : try await whole(request, deadline)
        }
    }

    func stream(_ request: ChatRequest, within budget: Duration, to deliver: @escaping Delivery) async throws -> ChatAnswer {
        try await traced { try await streamed(request, .after(budget), deliver) }
    }

    private func traced(_ call: () async throws -> ChatAnswer) async throws -> ChatAnswer {
        try await tracer.withSpan(
            "chat \(endpoint.model)", kind: .client,
            attributes: [
                "gen_ai.operation.name": "chat", "gen_ai.provider.name": endpoint.profile.vendor.rawValue,
                "gen_ai.request.model": endpoint.model,
            ]
        ) { span in
            let answer = try await call()
            span.set("gen_ai.response.model", answer.model)
            span.set("gen_ai.usage.input_tokens", answer.usage.promptTokens)
            span.set("gen_ai.usage.output_tokens", answer.usage.completionTokens)
            return answer
        }
    }

    private func wire(_ request: ChatRequest, _ deadline: Deadline, streamed: Bool) -> ClientRequest {
        ClientRequest(
            .post, endpoint.baseURL + "/chat/completions",
            headers: [
                "Authorization": "Bearer \(endpoint.key.exposed)",
                "Content-Type": "application/json", "Accept": streamed ? "text/event-stream" : "application/json",
            ],
            body: .bytes(ChatWire.body(request, model: endpoint.model, profile: endpoint.profile, streamed: streamed)),
            deadline: deadline,
            timeouts: .init(
                connect: endpoint.timeouts.connect,
                // A relayed answer is as long as its caller wants, and comes in one piece.
                firstByte: streamed || !request.isRelayed ? endpoint.timeouts.firstToken : deadline.remaining,
                idle: endpoint.timeouts.idle),
            maxResponseBytes: 4 << 20)
    }

    // MARK: Whole

    private func whole(_ request: ChatRequest, _ deadline: Deadline) async throws -> ChatAnswer {
        let response: ClientResponse
        do {
            response = try await http.send(wire(request, deadline, streamed: false))
        } catch let error as HTTPClientError {
            if error.kind == .cancelled {
                guard error.requestMayHaveStarted else { throw CancellationError() }
                // What the vendor has read it bills, whatever it had written by then.
                throw ChatAbandoned(usage: request.usageOfPrompt(by: endpoint.model))
            }
            throw ChatFailure.broken(error)
        }
        guard response.status == .ok else { throw refusal(response.status, response.headers, response.body) }
        return try whole(response.body, request)
    }

    private func whole(_ body: [UInt8], _ request: ChatRequest) throws -> ChatAnswer {
        var answer = try ChatWire.answer(from: body, askedModel: endpoint.model, rules: request.rules)
        answer.usage = withPrompt(answer.usage, request)
        return answer
    }

    // MARK: Streamed

    /// The first token has a time of its own, which keep-alive comments do not prolong.
    private func streamed(_ request: ChatRequest, _ deadline: Deadline, _ deliver: Delivery?) async throws -> ChatAnswer {
        let firstToken = FirstToken()
        let reader = Task(executorPreference: EventLoop.current) {
            try await read(request, deadline, deliver) { firstToken.decide(.inTime) }
        }
        let alarm = Alarm.set(at: .after(endpoint.timeouts.firstToken)) {
            if firstToken.decide(.late) { reader.cancel() }
        }
        defer { alarm.cancel() }
        do {
            return try await withTaskCancellationHandler {
                try await reader.value
            } onCancel: {
                reader.cancel()
            }
        } catch let abandoned as ChatAbandoned where firstToken.isLate && !Task.isCancelled {
            let hasWritten = abandoned.usage.map { !$0.isEstimated || $0.completionTokens > 0 } ?? false
            throw ChatFailure(
                .timeout, .nextRoute, .count, message: "time-out: first token", usage: hasWritten ? abandoned.usage : nil)
        }
    }

    /// - Parameter isInTime: asked once, when the first token is there. A late one reaches nobody: another route may be asked by then.
    func read(
        _ request: ChatRequest, _ deadline: Deadline, _ deliver: Delivery?, isInTime: @Sendable () -> Bool
    ) async throws -> ChatAnswer {
        var decoder = ChatStreamDecoder(askedModel: endpoint.model, rules: request.rules)
        let sent = ContinuousClock.now
        var firstToken: Duration?
        do {
            let response = try await http.stream(wire(request, deadline, streamed: true))
            guard response.status == .ok else {
                throw refusal(response.status, response.headers, try await response.collect())
            }
            // Servers that do not stream answer whole; their answer is as good.
            if response.headers["Content-Type"]?.hasPrefix("application/json") == true {
                let answer = try whole(try await response.collect(), request)
                guard isInTime() else { throw ChatAbandoned(usage: answer.usage) }
                return try await delivered(answer, deliver)
            }
            for try await item in response.events {
                guard case .event(let event) = item else { continue }
                let hadBegun = decoder.hasBegun
                try decoder.feed(event.data)
                if decoder.hasBegun, !hadBegun {
                    firstToken = sent.duration(to: .now)
                    guard isInTime() else { throw ChatAbandoned(usage: decoder.usageSoFar) }
                }
                if let deliver, let delta = decoder.takeText() {
                    do { try await deliver(delta) } catch { throw ChatAbandoned(usage: decoder.usageSoFar) }
                }
                if decoder.isDone { break }
            }
            if decoder.isDone { release(response) }
            var answer = try decoder.finished()
            answer.usage = withPrompt(answer.usage, request)
            answer.firstToken = firstToken
            return answer
        } catch let error as HTTPClientError where error.kind == .cancelled {
            let prompt = error.requestMayHaveStarted ? request.usageOfPrompt(by: endpoint.model) : nil
            throw ChatAbandoned(usage: decoder.usageSoFar.map { withPrompt($0, request) } ?? prompt)
        } catch let abandoned as ChatAbandoned {
            throw ChatAbandoned(
                usage: abandoned.usage.map { withPrompt($0, request) } ?? request.usageOfPrompt(by: endpoint.model))
        } catch let error as HTTPClientError {
            // A stream that broke after its finish reason is whole all the same.
            if var answer = try? decoder.finished() {
                answer.usage = withPrompt(answer.usage, request)
                return answer
            }
            var failure = ChatFailure.broken(error)
            if decoder.hasBegun { failure = ChatFailure(.truncated, failure.reaction, .count, message: failure.message) }
            throw withPrompt(decoder.broken(failure), request)
        } catch is SSEParser.EventTooLarge {
            let failure = ChatFailure(.malformed, .nextRoute, .count, message: "an event is too large")
            throw withPrompt(decoder.broken(failure), request)
        } catch let failure as ChatFailure {
            throw withPrompt(failure, request)
        }
    }

    private func delivered(_ answer: ChatAnswer, _ deliver: Delivery?) async throws -> ChatAnswer {
        guard let deliver, !answer.content.isEmpty else { return answer }
        do { try await deliver(ChatDelta(text: answer.content, thoughts: answer.thoughts ?? "", model: answer.model)) } catch {
            throw ChatAbandoned(usage: answer.usage)
        }
        return answer
    }

    /// Lets a connection whose answer has said its last word come to its end, so that it can be used again. The caller does not wait.
    private func release(_ response: StreamingResponse) {
        let body = response.body
        Task(executorPreference: EventLoop.current) {
            try? await withDeadline(.after(Self.endOfStream)) { for try await _ in body {} }
        }
    }

    // MARK: Both

    private func refusal(_ status: HTTPStatus, _ headers: HTTPHeaders, _ body: [UInt8]) -> ChatFailure {
        ChatFailure.refused(
            status: status.code, headers: headers, body: body, secondsSince1970: Date().timeIntervalSince1970)
    }

    /// Counts the prompt where the vendor has not.
    private func withPrompt(_ usage: ChatUsage, _ request: ChatRequest) -> ChatUsage {
        guard usage.isEstimated else { return usage }
        var usage = usage
        usage.promptTokens = request.estimatedPromptTokens(by: endpoint.model)
        return usage
    }

    private func withPrompt(_ failure: ChatFailure, _ request: ChatRequest) -> ChatFailure {
        var failure = failure
        failure.usage = failure.usage.map { withPrompt($0, request) }
        return failure
    }
}

extension ChatRequest {
    var rules: AnswerRules { AnswerRules(isRelayed: isRelayed, offersTools: !tools.isEmpty, thinks: thinks) }

    /// A picture in high detail of middle size, by OpenAI's rule: 85 tokens and 170 for each of six tiles; 2,833 and 5,667 where the
    /// model is `gpt-4o-mini`, which counts a picture at what it costs with `gpt-4o`.
    private static func estimatedTokensOfPicture(by model: String) -> Int { model.hasPrefix("gpt-4o-mini") ? 36_835 : 1_105 }

    func estimatedPromptTokens(by model: String) -> Int {
        let beside = (bytesBesideText + bytesOfOwnSchema) / 4 + pictures * Self.estimatedTokensOfPicture(by: model)
        return messages.reduce(beside) { $0 + ChatWire.estimatedTokens($1.content) }
    }

    /// Of a call that was sent, and of whose answer nothing is known.
    func usageOfPrompt(by model: String) -> ChatUsage {
        ChatUsage(
            promptTokens: estimatedPromptTokens(by: model), cachedPromptTokens: 0, completionTokens: 0, isEstimated: true)
    }
}

/// Whether a stream's first token came before its time was up. Its reader and its clock decide it, whoever is first.
private final class FirstToken: Sendable {
    enum Course { case inTime, late }

    private let course = Lock<Course?>(nil)

    var isLate: Bool { course.withLock { $0 == .late } }

    /// - Returns: whether this call decided it.
    func decide(_ course: Course) -> Bool {
        self.course.withLock { decided in
            guard decided == nil else { return false }
            decided = course
            return true
        }
    }
}
