import ConcurrencySupport
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import PostgresStore
import ServiceDefaults

/// `POST /v1/chat/completions`, OpenAI's own face. Failures are problems here; the gateway puts them into OpenAI's envelope.
struct ConversationRoutes: Sendable {
    let flow: Conversation

    func complete(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: "ai:generate")
        let input: ConversationInput
        do {
            input = try resolved(ConversationInput.read(try request.json()), principal.tenantId)
        } catch let failure as ValidationFailure {
            throw RefusedConversation(failure)
        }
        let caller = Caller(
            tenantId: principal.tenantId, subject: principal.subject,
            operationId: CallContext.current?.operationId ?? .version7(), deadline: request.deadline)
        let wire = ConversationWire(id: caller.operationId, includesUsage: input.includesUsage)
        guard input.isStreamed else {
            return .json(.ok, bytes: wire.whole(try await flow.answer(input, for: caller).answer).encode())
        }
        return try await .started(headers: .eventStream) { try await stream(input, caller, wire, request, to: $0) }
    }

    private func stream(
        _ input: ConversationInput, _ caller: Caller, _ start: ConversationWire, _ request: Request,
        to stream: StartedStream
    ) async throws {
        let wire = Lock(start)
        do {
            let (answer, isSent) = try await flow.answer(input, for: caller) { event in
                switch event {
                case .begun(_, let model): try await stream.write(wire.withLock { $0.beginning(model: model) })
                case .delta(let text): try await stream.write(wire.withLock { $0.delta(text) })
                case .thought(let text): try await stream.write(wire.withLock { $0.thought(text) })
                case .restart, .usage, .done: break
                }
            }
            var rest: [UInt8] = []
            wire.withLock { wire in
                if !isSent {
                    rest += wire.beginning(model: answer.answer.model)
                    if let thoughts = answer.answer.thoughts { rest += wire.thought(thoughts) }
                    if !answer.answer.content.isEmpty { rest += wire.delta(answer.answer.content) }
                }
                rest += wire.ending(answer)
            }
            try await stream.write(rest)
        } catch let failure as any HTTPFailure where stream.hasBegun {
            let problem = failure.problem
            let type = problem.status.code == 429 ? "rate_limit_exceeded" : "server_error"
            try await stream.write(
                ConversationWire.failure(message: problem.title.text(in: request.language), type: type, code: problem.code))
        } catch  where stream.hasBegun && !(error is CancellationError) && !(error is ClientLeft) {
            // Said to the caller in the stream, so nobody else will log it.
            flow.models.logger.error("a streamed answer failed", ["error": "\(error)"])
            try await stream.write(
                ConversationWire.failure(
                    message: InternalFailure().problem.title.text(in: request.language), type: "server_error", code: "internal"))
        }
    }

    /// Refuses a model that nobody knows, and one that cannot do what is asked of it. A name may say that its model is to think.
    private func resolved(_ read: ConversationInput, _ tenantId: UUID) throws -> ConversationInput {
        var input = read
        guard input.model != ModelNames.auto else { return input }
        let catalogue = flow.models.routing.catalogue.current(for: tenantId)
        guard let meaning = catalogue.meaning(of: input.model, at: Date()) else { throw UnknownModel(name: input.model) }
        let model = meaning.model
        guard !model.capabilities.contains(.embeddings) else {
            throw RefusedConversation(
                ValidationFailure(
                    pointer: "/model", code: "unsupported_by_model", zh: "模型 \(input.model) 只生成向量，不能对话",
                    en: "the model \(input.model) makes embeddings and does not do chat"))
        }
        if meaning.thinks { input.thinkUnlessToldNotTo() }
        let lacking = input.needs.filter { $0.isIndispensable && !model.capabilities.contains($0) }
        var pointers: [String] = lacking.map { need in
            switch need {
            case .vision: "/messages"
            case .thinking: input.question.effort == nil ? "/model" : "/reasoning_effort"
            default: "/tools"
            }
        }
        if let provider = catalogue.provider(model.provider) {
            let profile = ChatProfile(vendor: provider.dialect, model: model.name)
            pointers += input.parameters.filter { !profile.takes([$0]) }.map { "/" + $0 }
        }
        guard pointers.isEmpty else {
            throw RefusedConversation(
                ValidationFailure(
                    pointers.sorted().map { pointer in
                        FieldIssue(
                            pointer: pointer, code: "unsupported_by_model",
                            message: LocalizedText(
                                zh: "模型 \(model.name) 不支持其中的内容", en: "the model \(model.name) does not support what is in it"))
                    }))
        }
        return input
    }
}

/// 400 where the rest of this service answers 422: it is what OpenAI answers, and what its SDKs map to their class.
struct RefusedConversation: HTTPFailure {
    let issues: ValidationFailure

    init(_ issues: ValidationFailure) { self.issues = issues }

    var problem: ProblemDescription {
        var problem = issues.problem
        problem.status = .badRequest
        return problem
    }
}

/// 404, as OpenAI has it.
struct UnknownModel: HTTPFailure {
    let name: String

    var problem: ProblemDescription {
        ProblemDescription(
            status: .notFound, code: "model_not_found",
            title: LocalizedText(zh: "没有这个模型", en: "The model does not exist or you do not have access to it"),
            issues: [
                FieldIssue(
                    pointer: "/model", code: "unknown_model",
                    message: LocalizedText(zh: "没有名为“\(name)”的模型", en: "there is no model named \(name)"))
            ])
    }
}

/// What the caller is told of the last route's failure. Its status decides what an SDK does next: 429, 503 and 504 are tried again,
/// and so must not be said where only an administrator can help.
extension ConversationFailure: HTTPFailure {
    var problem: ProblemDescription {
        func problem(
            _ status: HTTPStatus, _ code: String, _ zh: String, _ en: String, wait: Int? = nil
        ) -> ProblemDescription {
            ProblemDescription(
                status: status, code: code, title: LocalizedText(zh: zh, en: en),
                detail: reason.map {
                    LocalizedText(zh: $0, en: failure.map { "The last model failed: \($0.kind.rawValue)" } ?? en)
                },
                retryable: wait != nil, headers: wait.map { ["Retry-After": String($0)] } ?? [:])
        }
        switch absence {
        case .gone?:
            return problem(.notFound, "model.none_enabled", "没有可用的模型", "All models of the policy are disabled or gone")
        case .unsuited?:
            return problem(.notFound, "model.none_suited", "没有可用的模型", "No model of the policy can do what the call needs")
        case .unpriced?: return ModelUnpriced().problem
        case .noKey?, nil: break
        }
        switch failure?.kind {
        case .policy: return problem(.badRequest, "content_policy_violation", "模型因内容政策拒绝", "The model refused the content")
        case .badRequest: return problem(.badRequest, "model.refused_request", "模型拒绝了请求", "The model refused the request")
        case .contextLength:
            return problem(
                .badRequest, "context_length_exceeded", "内容超出模型上下文长度", "The conversation is longer than the model's context")
        case .rateLimited, .saturated:
            var seconds = 1
            if case .retry(let hint?)? = failure?.reaction { seconds = max(1, Int(hint.inSeconds.rounded(.up))) }
            return problem(.tooManyRequests, "model.rate_limited", "模型限流，请稍后再试", "The model is rate limited", wait: seconds)
        case .timeout: return problem(.gatewayTimeout, "model.timeout", "模型响应超时", "The model did not answer in time", wait: 1)
        default: return problem(.serviceUnavailable, "model.unavailable", "模型暂不可用", "No model is available", wait: 1)
        }
    }
}
